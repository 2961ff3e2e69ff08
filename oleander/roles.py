"""What attackers and defenders ask for, filled in and checked: options, targets, victims."""

import dataclasses
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from task.questions import MembershipSettings
from task.settings import SettingsError, expect, to_dict

if TYPE_CHECKING:  # it imports this
    from oleander.scenario import Scenario
    from oleander.sections import ClientSettings, ServerSettings


def participant(entry: "ClientSettings") -> "ClientSettings":
    """Check the options of a participant's attack or defence, and fill in those that are not given."""
    try:
        return _filled_in(entry)
    except SettingsError as error:
        whose = f"participant{'s' * (len(entry.ids) > 1)} {', '.join(map(str, entry.ids))}"
        hint = " With another attack or defence set `options` as well, {} for its own." * ("a key of" in str(error))
        raise SettingsError(f"{error} ({entry.defense or entry.attack}, {whose}){hint}") from None


def _filled_in(entry: "ClientSettings") -> "ClientSettings":
    """Do so; errors do not say whose options they are."""
    if entry.defense is not None:
        return _defended(entry, entry.defense)
    if entry.attack is None:
        return entry
    from attacks.registry import options  # noqa: PLC0415 - it imports torch
    from attacks.views import ParticipantView  # noqa: PLC0415

    return dataclasses.replace(entry, options=to_dict(options(entry.attack, entry.options, ParticipantView)))


def _defended(entry: "ClientSettings", name: str) -> "ClientSettings":
    """Do so for a participant that the defence `name` defends."""
    from defenses import registry  # noqa: PLC0415 - it imports torch

    values = to_dict(registry.options(name, entry.options))
    once = entry.refresh is None or name in registry.names(registry.DATA)
    expect(once, f"no refresh for {name}, which fits nothing", entry.refresh, "Leave it out.")
    return dataclasses.replace(entry, options=values)


def server(settings: "ServerSettings") -> "ServerSettings":
    """Check the options of the server's attack, and fill in those that are not given."""
    if settings.attack is None:
        return settings
    from attacks.registry import options  # noqa: PLC0415 - it imports torch
    from attacks.views import ServerView  # noqa: PLC0415

    try:
        values = options(settings.attack, settings.attack_options, ServerView)
    except SettingsError as error:
        hint = " For another attack than the scenario's, begin with --set server.attack_options={}."
        raise SettingsError(f"{error}{hint * str(error).startswith('Expected a key of')}") from None
    return dataclasses.replace(settings, attack_options=to_dict(values))


def starts(scenario: "Scenario", key: str) -> list[Any]:
    """Return the values of an option that says when an attack starts, of all attacks that have it."""
    every = [*(entry.options for entry in scenario.clients), scenario.server.attack_options]
    return [options[key] for options in every if options.get(key) is not None]


def check_victim(scenario: "Scenario", holders: Collection[int]) -> None:
    """Refuse a victim of the server's attack from whom there is nothing to learn.

    Args:
        scenario: with all options of its attacks.
        holders: clients that hold data.

    """
    victim, clients = scenario.server.attack_options.get("victim"), scenario.federation.clients
    if victim is None:
        return
    remedy = "Mend server.attack_options.victim."
    expect(victim in range(clients), f"a victim from 0 to {clients - 1}", victim, remedy)
    malicious = scenario.malicious()
    expect(victim not in malicious, f"a victim that is not malicious itself (not in {malicious})", victim, remedy)
    expect(victim in holders, f"a victim that holds data (one of {sorted(holders)})", victim, remedy)
    expect(clients > 1, "other clients beside the victim", clients, "Set federation.clients to 2 at least.")


def check_defended(scenario: "Scenario", holders: Collection[int]) -> None:
    """Refuse to defend a participant that has nothing to lose; arguments as `check_victim`."""
    for client in (client for entry in scenario.clients if entry.defense is not None for client in entry.ids):
        remedy = "Mend clients.ids or task.partition.holders."
        expect(client in holders, f"a defended participant that holds data (one of {sorted(holders)})", client, remedy)


def informed(scenario: "Scenario") -> "Scenario":
    """Tell a server's attack that asks for it (`knows`) how its victim is defended."""
    options = scenario.server.attack_options
    if not options.get("knows"):
        return scenario
    entry = scenario.role_of(options["victim"])
    known = {"defense": entry.defense, **entry.options}
    server = dataclasses.replace(scenario.server, attack_options={**options, "known": known})
    return dataclasses.replace(scenario, server=server)


def holders(scenario: "Scenario") -> tuple[int, ...]:
    """Return who holds data where nobody says: all but those who steal; membership attackers train as others do."""
    from attacks.registry import asks  # noqa: PLC0415 - it imports torch

    steal = [client for client in scenario.malicious() if not asks(scenario.role_of(client).attack)]
    return tuple(client for client in range(scenario.federation.clients) if client not in steal)


def questioned(scenario: "Scenario", holders: Collection[int]) -> "Scenario":
    """Fill in whose records membership attackers are asked about, and refuse to ask about what an attacker holds.

    Args:
        scenario: with all options of its attacks.
        holders: clients that hold data.

    """
    from attacks.registry import asks  # noqa: PLC0415 - it imports torch

    given, malicious = scenario.membership, scenario.malicious()
    names = [scenario.server.attack, *(entry.attack for entry in scenario.clients)]
    if not any(asks(name) for name in names):
        expect(given is None, "a membership attack, since the scenario asks about membership", names, "Leave one out.")
        return scenario
    settings = given or MembershipSettings()
    known = [client for client in holders if client not in malicious]
    about = settings.about if settings.about is not None else tuple(known)
    others = settings.others if settings.others is not None else tuple(one for one in known if one not in about)
    expect(bool(about), "a participant to ask about, who holds data and does not attack", "none")
    for client in (*about, *others):
        remedy = "Mend membership.about or membership.others."
        expect(client in holders, f"participants that hold data (of {sorted(holders)})", client, remedy)
        whose = f"participant {client}, who attacks and knows its own records"
        expect(client not in malicious, "to ask about records that no attacker holds", whose, remedy)
    expect(scenario.task.private is None, "no task.private, where records are asked about", "one", "Leave it out.")
    settings = dataclasses.replace(settings, about=about, others=others, defended=_known_defense(scenario, about))
    for name in settings.baselines:
        expect(asks(name), "a membership attack as a baseline", name, "See `oleander list attacks`.")
    check_surrogate(scenario, settings)
    return dataclasses.replace(scenario, membership=settings)


def _known_defense(scenario: "Scenario", about: Collection[int]) -> dict[str, Any] | None:
    """Return the one defence of all who are asked about, where it has its say after the training; else None."""
    from defenses import registry  # noqa: PLC0415 - it imports torch

    entries = [scenario.role_of(client) for client in about]
    first = entries[0]
    same = all((entry.defense, entry.options) == (first.defense, first.options) for entry in entries)
    if not same or first.defense is None or registry.module(first.defense).ACTS_ON not in registry.BEFORE_SENDING:
        return None
    return {"defense": first.defense, "options": first.options}


def check_surrogate(scenario: "Scenario", settings: MembershipSettings) -> None:
    """Refuse a defender's surrogate that is built like an attacker's own network, as Zhu et al. do."""
    from attacks.registry import asks, options  # noqa: PLC0415 - it imports torch

    named = {entry.attack: entry.options for entry in scenario.clients if asks(entry.attack)}
    named |= {name: to_dict(options(name, {})) for name in settings.baselines}
    named |= {scenario.server.attack: scenario.server.attack_options} if asks(scenario.server.attack) else {}
    built = {name: [values["hidden"]] for name, values in named.items() if "hidden" in values}
    for entry in scenario.clients:
        widths = list(entry.options.get("surrogate", []))
        like = [name for name, theirs in built.items() if theirs == widths]
        remedy = "Change clients.options.surrogate, the widths of its layers."
        expect(
            not like, f"a surrogate that is not built like the network of {', '.join(map(str, like))}", widths, remedy
        )


def check_classes(scenario: "Scenario", classes: int, outputs: int) -> None:
    """Refuse classes and targets that the data set does not have."""
    excluded = scenario.task.partition.exclude
    expect(all(0 <= one < classes for one in excluded), f"excluded classes from 0 to {classes - 1}", list(excluded))
    expect(len(set(excluded)) < classes, "a class that somebody holds", f"all {classes} excluded")
    expect(outputs >= classes, f"at least {classes} outputs", outputs)
    for entry in scenario.clients:
        target = entry.options.get("target", [])
        for one in target if isinstance(target, list | tuple) else [target]:
            remedy = f"{scenario.task.dataset} has {classes} classes; mend clients.options.target."
            expect(one in range(classes), f"a target from 0 to {classes - 1}", one, remedy)

"""Runs whose attackers were asked about records, attacker by attacker."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from oleander.report.metrics import inquiries_of
from oleander.report.ranking import Run
from oleander.scenario import Scenario


class Asked(NamedTuple):
    """One attacker of one run: the scenario, its seed, where it stands, its options, and what it was found to know."""

    scenario: Scenario
    seed: int
    attack: str
    place: str
    options: Mapping[str, Any]
    said: Mapping[str, Any]

    def of(self, protocol: str, method: str = "") -> Mapping[str, Any]:
        """Return a method's numbers by a protocol, the attack's own unless another is named; empty where none are."""
        found: Mapping[str, Any] = self.said["methods"].get(method or self.attack, {}).get(protocol) or {}
        return found


def every(runs: Sequence[Run]) -> list[Asked]:
    """Return every attacker that was asked about records and left scores."""
    found = []
    for scenario, verdict in runs:
        for who, attacker in inquiries_of(verdict):
            place = str(attacker["membership"]["place"])
            number = int(who.removeprefix("client-")) if place == "participant" else None
            entry = next((one for one in scenario.clients if number in one.ids), None)
            options = entry.options if entry is not None else scenario.server.attack_options
            said = attacker["membership"]
            found.append(Asked(scenario, scenario.federation.seed, str(attacker["attack"]), place, options, said))
    return found


def is_defended(scenario: Scenario) -> bool:
    """Say whether anybody defends itself."""
    return any(one.defense is not None for one in scenario.clients)


def setting(one: Asked, *but: str) -> str:
    """Return what two runs have in common that may differ in the seed alone, and in what is named.

    Args:
        one: the attacker of a run.
        but: keys of the scenario that may differ, a section or SECTION.KEY; `options.NAME` is one of the participants'.

    """
    values = one.scenario.to_dict()
    kept = {name: values[name] for name in ("task", "federation", "clients", "server", "membership")}
    for key in ("federation.seed", *but):
        first, _, rest = key.partition(".")
        if not rest:
            kept.pop(first)
        elif first == "options":
            for entry in values["clients"]:
                entry["options"].pop(rest, None)
        else:
            values[first].pop(rest, None)
    return json.dumps(kept, sort_keys=True)


def settings_of(asked: Sequence[Asked], *but: str) -> list[list[Asked]]:
    """Return attackers that are set alike together, the largest group first; `but` as of `setting`."""
    groups: dict[str, list[Asked]] = {}
    for one in asked:
        groups.setdefault(f"{one.place} {one.attack} {setting(one, *but)}", []).append(one)

    def place(group: list[Asked]) -> tuple[int, int, int]:
        return -len(group), group[0].scenario.task.local_epochs, group[0].options.get("enlarge") or 0

    return sorted(groups.values(), key=place)

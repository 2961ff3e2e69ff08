"""Attacks by name: the module `attacks.a_name` is the attack `a-name`, found by what it defines.

Its `VIEW` says who stands behind it: a participant (ParticipantView), the server (ServerView), or either of them, asked
about records (RecordView).
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import torch

from attacks.views import (
    MembershipAttack,
    ParticipantAttack,
    ParticipantView,
    Question,
    RecordView,
    ServerAttack,
    ServerView,
)
from task import plugins
from task.facts import TaskFacts
from task.settings import choose, expect

WHO = {ParticipantView: "participant", ServerView: "server", RecordView: "membership"}
"""By an attack's view, who stands behind it."""
OPTIONS = {
    ParticipantView: "clients.options",
    ServerView: "server.attack_options",
    RecordView: "the options of a membership attack",
}
"""By the view of who attacks, where a scenario has the options."""
REMEDIES = {
    ParticipantView: "That is a participant's attack: put it under clients, at a participant of role malicious.",
    ServerView: "That is a server's attack: put it under server.attack.",
    RecordView: "That is a membership attack: put it under server.attack, or at a participant of role malicious.",
}


def module(name: str, view: type | None = None) -> ModuleType:
    """Return the module of the attack `name`.

    Args:
        name: with hyphens.
        view: that an attacker of the wanted kind sees; None for any. A membership attack is a participant's as well as
            a server's.

    Raises:
        SettingsError: for an unknown name, or an attack of another kind.

    """
    what = "an attack" if view is None else "a membership attack" if view is RecordView else f"a {WHO[view]}'s attack"
    if name not in names():
        fitting = names() if view is None else sorted({*names(view), *names(RecordView)})
        choose(name, fitting, what, "See `oleander list attacks`.")
    found = plugins.module("attacks", name)
    fits = view in (None, found.VIEW) or (found.VIEW is RecordView)
    expect(fits, what, name, REMEDIES[found.VIEW])
    return found


def names(view: type | None = None) -> list[str]:
    """Return the names of all attacks: the modules of this package that define `VIEW`.

    Args:
        view: only attacks whose attacker sees this; None for all.

    """
    return plugins.names("attacks", "VIEW", view)


def options(name: str, values: Mapping[str, Any], view: type | None = None) -> Any:
    """Return the checked options of the attack `name` (see task.plugins); `view` as in `module`."""
    found = module(name, view)
    return plugins.options(found, values, OPTIONS[view or found.VIEW])


def asks(name: str | None) -> bool:
    """Tell whether the attack `name` is a membership attack."""
    return name in names(RecordView)


def participant_attack(
    name: str, values: Mapping[str, Any], facts: TaskFacts, generator: torch.Generator
) -> ParticipantAttack:
    """Build the attack `name` of a participant from the values of its options."""
    checked = options(name, values, ParticipantView)
    attack: ParticipantAttack = module(name).build(checked, facts, generator)
    return attack


def server_attack(name: str, values: Mapping[str, Any], facts: TaskFacts, generator: torch.Generator) -> ServerAttack:
    """Build the attack `name` of the server from the values of its options."""
    checked = options(name, values, ServerView)
    attack: ServerAttack = module(name).build(checked, facts, generator)
    return attack


def membership_attack(
    name: str, values: Mapping[str, Any], facts: TaskFacts, question: Question, generator: torch.Generator
) -> MembershipAttack:
    """Build the membership attack `name` from the values of its options."""
    checked = options(name, values, RecordView)
    attack: MembershipAttack = module(name, RecordView).build(checked, facts, question, generator)
    return attack

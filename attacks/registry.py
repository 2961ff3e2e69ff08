"""Attacks by name: the module `attacks.a_name` is the attack `a-name`, found by what it defines.

Its `VIEW` says who stands behind it: a participant (ParticipantView) or the server (ServerView).
"""

import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import torch

from attacks.views import ParticipantAttack, ParticipantView, ServerAttack, ServerView
from task.facts import TaskFacts
from task.settings import choose, expect, parse

WHO = {ParticipantView: "participant", ServerView: "server"}
"""By an attack's view, who stands behind it."""
OPTIONS = {ParticipantView: "clients.options", ServerView: "server.attack_options"}
"""By an attack's view, where a scenario has its options."""
REMEDIES = {
    ParticipantView: "That is a participant's attack: put it under clients, at a participant of role malicious.",
    ServerView: "That is a server's attack: put it under server.attack.",
}


def module(name: str, view: type | None = None) -> ModuleType:
    """Return the module of the attack `name`.

    Args:
        name: with hyphens.
        view: that an attacker of the wanted kind sees; None for any.

    Raises:
        SettingsError: for an unknown name, or an attack of another kind.

    """
    what = "an attack" if view is None else f"a {WHO[view]}'s attack"
    if name not in names():
        choose(name, names(view), what, "See `oleander list attacks`.")
    found = importlib.import_module("attacks." + name.replace("-", "_"))
    expect(view in (None, found.VIEW), what, name, REMEDIES[found.VIEW])
    return found


def names(view: type | None = None) -> list[str]:
    """Return the names of all attacks: the modules of this package that define `VIEW`.

    Args:
        view: only attacks whose attacker sees this; None for all.

    """
    package = importlib.import_module("attacks")
    stems = sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    found = {stem.replace("_", "-"): importlib.import_module(f"attacks.{stem}") for stem in stems}
    return [name for name, one in found.items() if hasattr(one, "VIEW") and view in (None, one.VIEW)]


def options(name: str, values: Mapping[str, Any], view: type | None = None) -> Any:
    """Return the checked options of the attack `name`; `view` as in `module`.

    A module may have RECIPES, sets of options by name: the option `recipe` then says what is not given.
    """
    found = module(name, view)
    recipe = getattr(found, "RECIPES", {}).get(values.get("recipe"), {})
    return parse(found.Options, {**recipe, **values}, OPTIONS[found.VIEW])


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

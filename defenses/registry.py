"""Defences by name: the module `defenses.a_name` is the defence `a-name`, found by what it defines.

Its `ACTS_ON` says on what: a participant's `data` before training, its `update` before it is sent, or the whole
`reply`, which is a mod of Flower's business (client_app.flower_mods).
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import torch

from defenses.protocols import DataDefense, UpdateDefense
from task import plugins
from task.facts import TaskFacts
from task.settings import choose

DATA, UPDATE, REPLY = "data", "update", "reply"
WHERE = "clients.options"


def names(acts_on: str | None = None) -> list[str]:
    """Return the names of all defences: the modules of this package that define `ACTS_ON`; None for any value."""
    return plugins.names("defenses", "ACTS_ON", acts_on)


def module(name: str, acts_on: str | None = None) -> ModuleType:
    """Return the module of the defence `name`.

    Raises:
        SettingsError: for an unknown name, or one that acts on something else.

    """
    what = "a defence" if acts_on is None else f"a defence that acts on the {acts_on}"
    return plugins.module("defenses", choose(name, names(acts_on), what, "See `oleander list defenses`."))


def options(name: str, values: Mapping[str, Any]) -> Any:
    """Return the checked options of the defence `name` (see task.plugins)."""
    return plugins.options(module(name), values, WHERE)


def data_defense(name: str, values: Mapping[str, Any], facts: TaskFacts, generator: torch.Generator) -> DataDefense:
    """Build a defence that acts on the data from the values of its options."""
    defense: DataDefense = module(name, DATA).build(options(name, values), facts, generator)
    return defense


def update_defense(
    name: str, values: Mapping[str, Any], facts: TaskFacts | None, generator: torch.Generator
) -> UpdateDefense:
    """Build a defence that acts on the update from the values of its options; `facts` as in UpdateDefense."""
    defense: UpdateDefense = module(name, UPDATE).build(options(name, values), facts, generator)
    return defense


def noise_multiplier(name: str, values: Mapping[str, Any]) -> float | None:
    """Return what a defence's guarantee rests on; None for one that guarantees nothing, whatever its options.

    It is the standard deviation of the Gaussian noise on each weight of an update, over the L2 distance that any two
    updates can have after clipping; 0 without noise. A module that can say so has a function of that name.
    """
    known = getattr(module(name), "noise_multiplier", None)
    return None if known is None else float(known(options(name, values)))

"""Attacks by name: the module `attacks.a_name` is the attack `a-name`, found by what it defines."""

import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import torch

from attacks.views import ParticipantAttack, TaskFacts
from task.settings import choose, parse


def module(name: str) -> ModuleType:
    """Return the module of the attack `name`.

    Raises:
        SettingsError: for an unknown name.

    """
    choose(name, names(), "an attack", "See `oleander list attacks`.")
    return importlib.import_module("attacks." + name.replace("-", "_"))


def names() -> list[str]:
    """Return the names of all attacks: the modules of this package that define `Options`."""
    package = importlib.import_module("attacks")
    found = sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    return [name.replace("_", "-") for name in found if hasattr(importlib.import_module(f"attacks.{name}"), "Options")]


def options(name: str, values: Mapping[str, Any]) -> Any:
    """Return the checked options of the attack `name`."""
    return parse(module(name).Options, values, "clients.options")


def participant_attack(
    name: str, values: Mapping[str, Any], facts: TaskFacts, generator: torch.Generator
) -> ParticipantAttack:
    """Build the attack `name` of a participant from the values of its options."""
    attack: ParticipantAttack = module(name).build(options(name, values), facts, generator)
    return attack

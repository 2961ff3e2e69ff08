"""Defences by name: the module `defenses.a_name` is the defence `a-name`, found by what it defines.

Its `ACTS_ON` says on what: a participant's `data` before training, its `update` before it is sent, the trained `model`
that the update is of, or the whole `reply`, which is a mod of Flower's business (client_app.flower_mods).
"""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from defenses.protocols import DataDefense, ModelDefense, Sent, Trained, UpdateDefense
from task import plugins
from task.facts import Images, TaskFacts
from task.models import weights
from task.settings import choose

DATA, UPDATE, MODEL, REPLY = "data", "update", "model", "reply"
BEFORE_SENDING = (UPDATE, MODEL)
"""Defences that act on these have their say after the training, and can be rehearsed by whoever knows of them."""
WHERE = "clients.options"
Rehearsed = Callable[[Mapping[str, Tensor], nn.Module, Images, Images, torch.Generator], dict[str, Tensor]]


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


def model_defense(
    name: str, values: Mapping[str, Any], facts: TaskFacts | None, generator: torch.Generator
) -> ModelDefense:
    """Build a defence that acts on the trained model from the values of its options; `facts` as in ModelDefense."""
    defense: ModelDefense = module(name, MODEL).build(options(name, values), facts, generator)
    return defense


def sent(
    name: str, values: Mapping[str, Any], facts: TaskFacts, trained: Trained, draws: tuple[torch.Generator, ...]
) -> Sent:
    """Return what a participant sends whose defence acts on the update or on the trained model.

    Args:
        name: of the defence.
        values: of its options.
        facts: of the task.
        trained: what the participant has.
        draws: of the building of the defence, and of what it does.

    """
    building, acting = draws
    if name in names(MODEL):
        return model_defense(name, values, facts, building).protect(trained, acting)
    before, after = trained.before, weights(trained.model)
    moved = {key: after[key] - tensor for key, tensor in before.items() if tensor.is_floating_point()}
    allowed = update_defense(name, values, facts, building).protect(moved, acting)
    return Sent(weights=after | {key: before[key] + change for key, change in allowed.items()})


def rehearsed(known: Mapping[str, Any] | None, facts: TaskFacts) -> Rehearsed | None:
    """Return what others would send who defend themselves as is `known`, for an attacker who knows.

    Args:
        known: `defense` and `options`; None where nothing is known.
        facts: of the task.

    """
    if known is None:
        return None

    def made(
        before: Mapping[str, Tensor], model: nn.Module, own: Images, spare: Images, generator: torch.Generator
    ) -> dict[str, Tensor]:
        trained = Trained(before=before, model=model, own=own, spare=spare)
        return sent(known["defense"], known["options"], facts, trained, (generator, generator)).weights

    return made


def noise_multiplier(name: str, values: Mapping[str, Any]) -> float | None:
    """Return what a defence's guarantee rests on; None for one that guarantees nothing, whatever its options.

    It is the standard deviation of the Gaussian noise on each weight of an update, over the L2 distance that any two
    updates can have after clipping; 0 without noise. A module that can say so has a function of that name.
    """
    known = getattr(module(name), "noise_multiplier", None)
    return None if known is None else float(known(options(name, values)))

"""Threat models: what an attacker sees, and what an attack of each kind looks like.

An attack gets a view and nothing else. Private data of the others never is in one; they meet the loot only in the
judge, after the run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Images:
    """Labelled images.

    Attributes:
        images: float32 [N, C, H, W] in [-1, 1].
        labels: int64 [N].

    """

    images: Tensor
    labels: Tensor


@dataclass(frozen=True, kw_only=True)
class ParticipantView:
    """What a participant sees in one round.

    Attributes:
        round: number of the round, from 1.
        global_model: the model that the server sent, frozen and in evaluation mode; not to be changed.
        own_data: the images that the participant draws from its own for this round; none for one that holds no data.
        accuracy: of that model on the server's test set, as the server announced it, in [0, 1].

    """

    round: int
    global_model: nn.Module
    own_data: Images
    accuracy: float


@dataclass(frozen=True, kw_only=True)
class TaskFacts:
    """What everyone in the federation knows of the task.

    Attributes:
        shape: of an image, (C, H, W).
        classes: real classes of the data set.
        outputs: outputs of the shared model, `classes` or one more.

    """

    shape: tuple[int, int, int]
    classes: int
    outputs: int


class ParticipantAttack(Protocol):
    """A malicious participant.

    A module of `attacks` that has a dataclass `Options` and a function `build(options, facts, generator)` which returns
    one of these is found by its name.
    """

    @property
    def started(self) -> bool:
        """Whether the attack has begun."""
        ...

    def observe(self, view: ParticipantView, generator: torch.Generator) -> Images:
        """Look at one round and return what to train on; nothing means: send the global model back unchanged."""
        ...

    def loot(self, count: int, generator: torch.Generator) -> Images:
        """Return `count` stolen images for each target, labelled with the target; none before the start."""
        ...

    def metrics(self) -> dict[str, float]:
        """Return what the attacker itself knows of its progress in the last round."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """Return all that must survive until the next round, by name."""
        ...

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned."""
        ...

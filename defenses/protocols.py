"""What a defence of each kind looks like.

A module of `defenses` with `ACTS_ON = "data"`, `"update"` or `"model"`, a dataclass `Options` and a function
`build(options, facts, generator)` that returns one of these is found by its name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

from task.facts import Images

Metrics = dict[str, float | list[float]]


class DataDefense(Protocol):
    """Gives the shared training something else than the participant's own images."""

    def check(self, labels: Tensor) -> None:
        """Refuse, before anything is started, to defend images with these labels int64 [N].

        Raises:
            SettingsError: expected, got and remedy.

        """
        ...

    def fit(self, own: Images, generator: torch.Generator, progress: Callable[[str], None]) -> None:
        """Learn from the participant's own images, on their device, and make what is published.

        After `load_state_dict` no more of its own images are published than then, as far as that is possible.

        Args:
            own: all of its images.
            generator: all randomness.
            progress: told a line now and then.

        Raises:
            SettingsError: for images that `check` refuses.
            FloatingPointError: where numbers are not finite; then nothing is to be sent.

        """
        ...

    @property
    def published(self) -> Images:
        """What training may draw on, on the CPU; nothing before the fit."""
        ...

    @property
    def genuine(self) -> Tensor:
        """Which of that are the participant's own images, bool [N]."""
        ...

    def metrics(self) -> Metrics:
        """Return what the defender knows of the fit, numbers and series of them; empty before it."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """Return what is needed to go on without another fit, by name."""
        ...

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned."""
        ...


class UpdateDefense(Protocol):
    """Changes the update before it is sent.

    Its `build` must do without `facts` (None) to work in an app that is not this project's (client_app.mods).
    """

    def protect(self, update: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return what is sent in place of an update, with the same names, shapes and types.

        Args:
            update: trained minus received weights, floating point, by parameter name.
            generator: all randomness.

        Raises:
            FloatingPointError: for an update that is not finite; then nothing is to be sent.

        """
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """What a participant has before it sends anything.

    Attributes:
        before: weights of the global model that it was sent, by name.
        model: what it made of that, in evaluation mode; not to be changed.
        own: the images that it trains on.
        spare: others of its own, which it never trains on (task.partition.reserve).

    """

    before: Mapping[str, Tensor]
    model: nn.Module
    own: Images
    spare: Images


@dataclass(frozen=True, kw_only=True, eq=False)
class Sent:
    """What a participant sends, weights by name on the CPU, and what it knows of what that cost and hides."""

    weights: dict[str, Tensor]
    metrics: dict[str, float] = field(default_factory=dict)


class ModelDefense(Protocol):
    """Changes the trained model before its update is sent, with the participant's own records at hand.

    Its `build` must do without `facts` (None) to work in an app that is not this project's (client_app.mods).
    """

    def check(self, own: int, spare: int) -> None:
        """Refuse, before anything is started, to defend a participant of so many images.

        Args:
            own: images that it trains on.
            spare: images that it does not.

        Raises:
            SettingsError: expected, got and remedy.

        """
        ...

    def protect(self, trained: Trained, generator: torch.Generator) -> Sent:
        """Return what is sent in place of a trained model, with the same names, shapes and types.

        Raises:
            FloatingPointError: for a model that is not finite; then nothing is to be sent.

        """
        ...

"""What a defence of each kind looks like.

A module of `defenses` with `ACTS_ON = "data"` or `"update"`, a dataclass `Options` and a function
`build(options, facts, generator)` that returns one of these is found by its name.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import Tensor

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

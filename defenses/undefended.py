"""No defence: a participant trains on its own images as they are, and leaves them where others leave look-alikes.

Ours: the control of every defence that publishes something else in place of the images. What it sends is what an honest
participant sends, bit for bit; what it publishes is what an attacker who reads published sets gets of a participant
that does nothing. It protects nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from defenses.protocols import Metrics
from task.facts import Images, TaskFacts

ACTS_ON = "data"


@dataclass(frozen=True, kw_only=True)
class Options:
    """There is nothing to set."""


def build(options: Options, facts: TaskFacts, generator: torch.Generator) -> "Undefended":
    """Return it; nothing is drawn from `generator`."""
    del options, generator
    return Undefended(facts)


class Undefended:
    """See defenses.protocols.DataDefense."""

    def __init__(self, facts: TaskFacts) -> None:
        self._published = Images(torch.empty(0, *facts.shape), torch.empty(0, dtype=torch.int64))

    def check(self, labels: Tensor) -> None:
        """Take any images."""

    def fit(self, own: Images, generator: torch.Generator, progress: Callable[[str], None]) -> None:
        """Keep copies of the images, in their order."""
        del generator, progress
        self._published = Images(own.images.detach().cpu().clone(), own.labels.cpu().clone())

    @property
    def published(self) -> Images:
        """The participant's own images, on the CPU."""
        return self._published

    @property
    def genuine(self) -> Tensor:
        """All of them, bool [N]."""
        return torch.ones(len(self._published.labels), dtype=torch.bool)

    def metrics(self) -> Metrics:
        """Return how many there are; nothing before the fit."""
        count = float(len(self._published.labels))
        return {"made": 0.0, "real": count} if count else {}

    def state_dict(self) -> dict[str, Tensor]:
        """Return the images."""
        return {"images": self._published.images, "labels": self._published.labels}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on with them."""
        self._published = Images(state["images"], state["labels"])

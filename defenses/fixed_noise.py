"""Fixed noise in place of the images, mixed with some real ones: the control for every defence that makes images.

Ours. What a defence that publishes look-alikes does better than this, at the same mixing ratio, is what the look-alikes
are worth; what it does not, any noise would have done. No guarantee of any kind is given.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from defenses import mixing
from defenses.protocols import Metrics
from task.facts import Images, TaskFacts
from task.settings import expect

ACTS_ON = "data"


@dataclass(frozen=True, kw_only=True)
class Options(mixing.Settings):
    """Settings of the defence, beside how much is published.

    Attributes:
        patterns: different noise images of each class, which repeat; None for all different. Look-alikes may be as
            little varied as one.

    """

    patterns: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(self.patterns is None or self.patterns > 0, "patterns > 0", self.patterns)


def build(options: Options, facts: TaskFacts, generator: torch.Generator) -> mixing.MixingDefense:
    """Return the defence before its fit; there is nothing to draw from `generator` yet."""
    del generator
    return mixing.MixingDefense(Noise(options, facts), options, facts)


class Noise:
    """See defenses.mixing.Maker: draws pixel by pixel from U(-1, 1), and learns nothing."""

    def __init__(self, options: Options, facts: TaskFacts) -> None:
        self.options, self.facts = options, facts

    def check(self, labels: Tensor) -> None:
        """Take any images."""

    def learn(self, own: Images, generator: torch.Generator, progress: Callable[[str], None]) -> None:
        """Look at nothing."""

    def make(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return noise float32 [N, C, H, W] for labels int64 [N]."""
        made = torch.empty(len(labels), *self.facts.shape)
        for label in sorted(set(labels.tolist())):
            places = (labels == label).nonzero().flatten().cpu()
            count = min(len(places), self.options.patterns or len(places))
            patterns = torch.rand(count, *self.facts.shape, generator=generator) * 2 - 1
            made[places] = patterns[torch.arange(len(places)) % count]
        return made.to(labels.device)

    def metrics(self) -> Metrics:
        """Return nothing."""
        return {}

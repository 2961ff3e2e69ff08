"""Compression: of the update only the largest weights are sent, or all in coarse steps; what is left out cannot leak.

Sparsification after Aji and Heafield 2017 (arXiv:1704.05021); quantisation after Alistarh et al. 2017, QSGD
(arXiv:1610.02132), section 3.1. As defences after Zhu et al. 2019, Deep Leakage from Gradients, section 5.

Differences from the papers:
1. What is left out is not kept for a later round: it would be sent then.
2. The largest weights are those of all parameters together; a step is a part of a tensor's largest weight, where QSGD
   takes the tensor's norm.
3. It is for what it hides alone: what is sent has the update's size on the wire, zeros included.

No guarantee of any kind is given.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from defenses.clip_and_noise import check_finite
from task.facts import TaskFacts
from task.settings import expect

ACTS_ON = "update"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of the defence; at least one of the two does something.

    Attributes:
        keep: share of all weights that is sent, the largest; the others are 0. 1 sends all.
        levels: steps from 0 to a tensor's largest weight; each weight goes to one of its two neighbours by lot, so that
            it is right on average. None leaves them as they are.

    """

    keep: float = 1.0
    levels: int | None = None

    def __post_init__(self) -> None:
        expect(0 < self.keep <= 1, "keep in (0, 1]", self.keep)
        expect(self.levels is None or self.levels > 0, "levels > 0", self.levels)
        expect(self.keep < 1 or self.levels is not None, "keep below 1, or levels", "neither")


def build(options: Options, facts: TaskFacts | None, generator: torch.Generator) -> "Compression":
    """Return the defence; it needs no facts, and draws nothing yet."""
    del facts, generator
    return Compression(options)


class Compression:
    """See defenses.protocols.UpdateDefense."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def protect(self, update: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the update with its small weights at 0, and the others in steps.

        Raises:
            FloatingPointError: for an update that is not finite.

        """
        check_finite(update)
        sizes = torch.cat([tensor.abs().flatten() for tensor in update.values()])
        count = max(1, round(self.options.keep * len(sizes)))
        least = sizes.topk(count).values.min()
        kept = {name: torch.where(tensor.abs() >= least, tensor, 0) for name, tensor in update.items()}
        levels = self.options.levels
        return kept if levels is None else {name: _in_steps(one, levels, generator) for name, one in kept.items()}


def _in_steps(tensor: Tensor, levels: int, generator: torch.Generator) -> Tensor:
    """Return a tensor rounded to multiples of its largest weight / levels, up or down by lot."""
    draws = torch.rand(tensor.shape, generator=generator).to(tensor)
    step = tensor.abs().max() / levels
    return (tensor / step + draws).floor() * step if step > 0 else tensor

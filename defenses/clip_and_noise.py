"""Clip and noise: the update's norm is bounded, and Gaussian noise hides what is left of any one part of it.

Abadi et al. 2016, Deep Learning with Differential Privacy (arXiv:1607.00133), section 3.1, applied to a participant's
whole update as in McMahan et al. 2018 (arXiv:1710.06963), here by the participant itself before anything is sent.

Differences from the papers:
1. A participant adds the noise that they have the server add to the sum; for the same noise multiplier the mean of n
   updates is then sqrt(n) times as noisy.
2. What it guarantees is a matter of the rounds, too, and is counted elsewhere (oleander.accounting). It does not cover
   what goes with the update (its loss, the number of examples). Noise that comes from a seed which others know, as in a
   scenario, can be subtracted again by whoever looks for it, unless it is `secret`; a mod without a seed takes the
   operating system's randomness in any case. Without noise, clipping alone guarantees nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from task.facts import TaskFacts
from task.seeding import fresh
from task.settings import expect

ACTS_ON = "update"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of the defence.

    Attributes:
        norm: C, the largest L2 norm of an update, all parameters taken together.
        noise_multiplier: sigma; the noise of each weight has the standard deviation sigma times C. 0 only clips.
        secret: whether the noise is drawn from the operating system's randomness in place of the given one, so that
            who knows the seed cannot subtract it. Such a run cannot be repeated.

    """

    norm: float
    noise_multiplier: float
    secret: bool = False

    def __post_init__(self) -> None:
        expect(0 < self.norm < math.inf, "norm > 0", self.norm)
        expect(0 <= self.noise_multiplier < math.inf, "noise_multiplier >= 0", self.noise_multiplier)


def build(options: Options, facts: TaskFacts | None, generator: torch.Generator) -> "ClipAndNoise":
    """Return the defence; it needs no facts, and draws nothing yet."""
    del facts, generator
    return ClipAndNoise(options)


class ClipAndNoise:
    """See defenses.protocols.UpdateDefense."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def protect(self, update: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the update, scaled down to the norm where it is longer, with noise on every weight.

        Raises:
            FloatingPointError: for an update that is not finite.

        """
        norm = check_finite(update)
        scale = min(1.0, self.options.norm / norm) if norm else 1.0
        deviation = self.options.noise_multiplier * self.options.norm
        draws = fresh() if self.options.secret else generator
        return {name: tensor * scale + deviation * _normal(tensor, draws) for name, tensor in update.items()}


def noise_multiplier(options: Options) -> float:
    """Return the noise's standard deviation over how far two updates can lie apart, 2 C (see defenses.registry)."""
    return options.noise_multiplier / 2


def check_finite(update: Mapping[str, Tensor]) -> float:
    """Return the norm of an update; FloatingPointError where it is not finite."""
    norm = norm_of(update)
    if not math.isfinite(norm):
        raise FloatingPointError(f"Expected an update of finite norm, got {norm}. Lower the learning rate.")
    return norm


def norm_of(update: Mapping[str, Tensor]) -> float:
    """Return the L2 norm of an update, all parameters taken together."""
    return math.sqrt(sum(tensor.double().square().sum().item() for tensor in update.values()))


def _normal(like: Tensor, generator: torch.Generator) -> Tensor:
    """Draw N(0, 1) in the shape, type and place of a tensor."""
    return torch.randn(like.shape, generator=generator).to(like)

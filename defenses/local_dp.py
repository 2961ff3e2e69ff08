"""Local differential privacy by Flower's own LocalDpMod: the update is clipped, and noise added before it leaves.

Dwork and Roth 2014, The Algorithmic Foundations of Differential Privacy, appendix A: noise of the standard deviation
sensitivity x sqrt(2 ln(1.25 / delta)) / epsilon on every weight. Here are its settings and what they are worth; the mod
itself is put on by client_app.flower_mods.

What to know of the mod:
1. Its epsilon and delta are of **one round**; every further round costs as much again (oleander.accounting adds up).
2. The formula holds for epsilon below 1 only. What is counted is the noise really drawn, exactly.
3. Its `sensitivity` is a number of its own, which nothing ties to the norm. Two clipped updates lie up to 2 x norm
   apart, which is the default here; a smaller one gives less noise than epsilon promises, and is counted so.
4. It covers the weights. The loss and the number of examples go beside them as they are.
"""

import math
from dataclasses import dataclass

from task.settings import expect

ACTS_ON = "reply"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of the mod.

    Attributes:
        norm: the largest L2 norm of an update, all parameters taken together.
        epsilon: of one round, by the mod's formula.
        delta: of one round, likewise.
        sensitivity: how far two updates may lie apart; None for 2 x norm.
        secret: whether the noise is drawn from the operating system's randomness in place of the run's seed, so that
            who knows that cannot subtract it. Such a run cannot be repeated.

    """

    norm: float
    epsilon: float
    delta: float = 1e-5
    sensitivity: float | None = None
    secret: bool = False

    def __post_init__(self) -> None:
        expect(0 < self.norm < math.inf, "norm > 0", self.norm)
        expect(0 < self.epsilon < math.inf, "epsilon > 0", self.epsilon, "A larger one adds less noise.")
        expect(0 < self.delta < 1, "delta between 0 and 1", self.delta)
        known = self.sensitivity is None or 0 <= self.sensitivity < math.inf
        expect(known, "sensitivity >= 0", self.sensitivity, "Leave it out for 2 x norm.")

    @property
    def moves(self) -> float:
        """The sensitivity that the mod is told."""
        return 2 * self.norm if self.sensitivity is None else self.sensitivity

    @property
    def deviation(self) -> float:
        """The standard deviation of the noise on each weight."""
        return self.moves * math.sqrt(2 * math.log(1.25 / self.delta)) / self.epsilon


def noise_multiplier(options: Options) -> float:
    """Return the noise's standard deviation over how far two updates can lie apart, see defenses.registry."""
    return options.deviation / (2 * options.norm)

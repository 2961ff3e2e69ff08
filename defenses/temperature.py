"""Temperature: the sent model is less sure of everything, its logits divided by a number; no answer changes.

After Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks (2017), there to calibrate; named as a
defence by Shokri et al., Membership Inference Attacks against Machine Learning Models (2017), section VIII. It is a
control: a threshold that was set on models without it no longer fits, but hardly any two records change places (none of
two classes), so that whoever sets the threshold anew loses little. The next round's training makes up for it.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from defenses.clip_and_noise import check_finite
from defenses.head import Head
from defenses.protocols import Sent, Trained
from task.facts import TaskFacts
from task.settings import expect

ACTS_ON = "model"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of the defence.

    Attributes:
        temperature: that the logits are divided by.

    """

    temperature: float = 2.0

    def __post_init__(self) -> None:
        expect(0 < self.temperature < math.inf, "temperature > 0", self.temperature)


def build(options: Options, facts: TaskFacts | None, generator: torch.Generator) -> "Temperature":
    """Return the defence; it draws nothing."""
    del facts, generator
    return Temperature(options)


class Temperature:
    """See defenses.protocols.ModelDefense."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def check(self, own: int, spare: int) -> None:
        """Any participant will do."""
        del own, spare

    def protect(self, trained: Trained, generator: torch.Generator) -> Sent:
        """Return the model with its last layer divided by the temperature."""
        del generator
        head = Head.of(trained.model)
        weight, bias = head.weight / self.options.temperature, head.bias / self.options.temperature
        sent = head.replaced(weight, bias)
        check_finite(sent)
        own = head.features(trained.own.images)
        losses = [
            functional.cross_entropy(functional.linear(own, *one), trained.own.labels).item()
            for one in ((head.weight, head.bias), (weight, bias))
        ]
        return Sent(weights=sent, metrics={"loss_rise": losses[1] - losses[0], "labels_changed": 0.0})

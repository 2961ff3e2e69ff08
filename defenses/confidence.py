"""Confidence vectors that tell little: DefMIA for a model that is served, and of which nobody sees the weights.

For that case Zhu et al. (MIA-Leak, section 2.3) point to MemGuard (Jia, Salem, Backes, Zhang, Gong: MemGuard: Defending
against Black-Box Membership Inference Attacks via Adversarial Examples, 2019). Whoever serves the model answers each
query with a confidence vector to which noise was added. Phase I (its Algorithm 1) looks for the smallest noise that
leads a surrogate attack model across a half and keeps the label; phase II (its eq. 17) adds it by a coin, so that
the vector moves by no more than a budget in L1 on the mean. The same query always gets the same answer.

No participant can use it against the others, who hold the weights: it stands beside DefMIA's change of the last layer
for whoever only asks. `benchmarks/confidence_vectors.py` measures it on the final model of a run.

Differences from MemGuard:
1. The surrogate (defenses.hiding) also sees which label is answered, and not the vector sorted.
2. All queries at once; of the few weights of the distance that are tried, the largest that works is kept for each.
3. The coin is a secret function of the vector, so that nothing needs to be remembered.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from defenses import hiding
from defenses.def_mia import lead
from task.facts import Images
from task.settings import expect
from task.training import logits

WEIGHTS, FIRM, STEEP = (10.0, 1.0, 0.1, 0.0), 10.0, 1e4


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of the defence.

    Attributes:
        budget: by how much a confidence vector may move on the mean, in L1, from 0 to 2.
        steps, lr: of the search, whose every step has this length in logits.
        surrogate: widths of the surrogate's layers.
        surrogate_steps: of its training.

    """

    budget: float = 1.0
    steps: int = 200
    lr: float = 0.1
    surrogate: tuple[int, ...] = (32, 32)
    surrogate_steps: int = 300

    def __post_init__(self) -> None:
        for name in ("budget", "steps", "lr", "surrogate_steps"):
            expect(0 < getattr(self, name) < math.inf, f"{name} > 0", getattr(self, name))
        expect(bool(self.surrogate) and min(self.surrogate) > 0, "surrogate to be widths > 0", list(self.surrogate))


class Served(nn.Module):
    """A model as those see it who only ask.

    Args:
        model: frozen; answers logits.
        surrogate: told the answers and the labels answered, higher = a member; None to serve the model as it is.
        options: of the defence.
        generator: of the secret coin.

    """

    def __init__(
        self, model: nn.Module, surrogate: hiding.Surrogate | None, options: Options, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.model, self.surrogate, self.options = model, surrogate, options
        self.secret = STEEP * torch.rand(1, generator=generator, dtype=torch.float64)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logarithms of the confidences, float64 [N, K], of images float32 [N, C, H, W], on the CPU."""
        answered = logits(self.model, images)
        plain = answered.double().log_softmax(1)
        if self.surrogate is None:
            return plain
        misled = mislead(answered, self.surrogate, self.options).double().log_softmax(1)
        distance = (misled.exp() - plain.exp()).abs().sum(1)
        sure = [torch.sigmoid(_doubt(self.surrogate, one)) - 0.5 for one in (plain.float(), misled.float())]
        helps = sure[1].abs() < sure[0].abs()
        coin = ((plain.exp() * torch.arange(1, plain.shape[1] + 1)).sum(1) * self.secret).frac()
        taken = helps & (coin < self.options.budget / distance.clamp(min=1e-12))
        return torch.where(taken[:, None], misled, plain)


def serve(model: nn.Module, own: Images, spare: Images, options: Options, generator: torch.Generator) -> Served:
    """Return the model as it is served by somebody who holds `own`, which it was trained on, and `spare`, which not.

    Args:
        model: frozen, answers logits; on the CPU.
        own: records that it was trained on, one at least.
        spare: others of the same kind, one at least.
        options: of the defence.
        generator: of the surrogate's first weights, and of the coin.

    """
    expect(len(own.labels) > 0 and len(spare.labels) > 0, "records that the model was and was not trained on", "none")
    known = [logits(model, one.images) for one in (own, spare)]
    inside, outside = ((one, one.argmax(1)) for one in known)
    surrogate = hiding.surrogate(inside, outside, options.surrogate, options.surrogate_steps, generator)
    return Served(model, surrogate, options, generator)


def mislead(answered: Tensor, surrogate: hiding.Surrogate, options: Options) -> Tensor:
    """Return logits [N, K] that lead the surrogate across a half and keep each label; unchanged where that fails.

    MemGuard's phase I: what is made small is the surrogate's logit, FIRM times by how much the label would be lost,
    and a weight times the L1 distance of the confidences.
    """
    found, left = answered.clone(), torch.arange(len(answered))
    for weight in WEIGHTS:
        start, noise = answered[left], torch.zeros(len(left), answered.shape[1])
        top, before = start.argmax(1), _doubt(surrogate, start).sign()
        for _ in range(options.steps):
            if not len(left):
                return found
            with torch.enable_grad():
                moved = start + noise.requires_grad_()
                apart = (moved.softmax(1) - start.softmax(1)).abs().sum(1)
                cost = _doubt(surrogate, moved).abs() + FIRM * (-lead(moved, top)).relu() + weight * apart
                (slope,) = torch.autograd.grad(cost.sum(), noise)
            noise = noise.detach() - functional.normalize(slope, dim=1) * options.lr
            moved = start + noise
            crossed = (_doubt(surrogate, moved).sign() != before) & (moved.argmax(1) == top)
            found[left[crossed]] = moved[crossed]
            left, start, noise, top, before = (one[~crossed] for one in (left, start, noise, top, before))
    return found


def _doubt(surrogate: hiding.Surrogate, answered: Tensor) -> Tensor:
    """Return the surrogate's logits [N], told the label that is answered; 0 is a score of a half."""
    found: Tensor = surrogate(answered, answered.argmax(1))
    return found

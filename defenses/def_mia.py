"""DefMIA: the last layer of the sent model is changed a little, so that members no longer look like members.

Zhu, Zhang, Cheng, Chen, Sun: MIA-Leak (sections 1, 2.3 and 4.1): crafted noise that misleads attack models, while "the
loss of the target model in multiple training iterations" is restricted; after MemGuard (Jia, Salem, Backes, Zhang, Gong
2019), which does that to confidence vectors (defenses.confidence). The paper prints neither an objective nor a number,
so there are three:

- `literal`: the score of a surrogate attack model on the participant's own records goes to a half; every label is kept.
- `well-posed` (ours): the margin of each record goes to that of a record of the same rank that was not trained on,
  while the answers on those stay as they are; every label is kept.
- `label-free` (ours): labels may change; the two sets of margins come together in Wasserstein distance.

It is done before every update, by Adam on the last layer, which all share and everybody sees. Sent is the best iterate
that keeps every label (but for `label-free`) of the participant's own records, and lets its loss on them rise by no
more than the bound; where there is none, the model as it is.

Differences from the paper, and what it leaves open:
1. The paper says "noise"; what is changed here is chosen, and nothing is drawn but the surrogate's first weights.
2. Score to a half: the logit to 0 (smooth L1), as in MemGuard; the score has no slope where the surrogate is sure.
3. The surrogate learns from the participant's own records and its reserve, anew in every round.
4. Penalties lead Adam back to what is allowed: 5 relu(rise - 0.95 bound), and 0.3 relu(0.1 - the label's lead) a
   record.

No guarantee of any kind is given: it is made against attackers as the defender imagines them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from defenses import hiding
from defenses.clip_and_noise import check_finite
from defenses.head import Head
from defenses.protocols import Sent, Trained
from task.facts import TaskFacts
from task.models import weights
from task.settings import choose, expect
from task.training import margin

ACTS_ON = "model"
OBJECTIVES = ("literal", "well-posed", "label-free")
NEAR, STEEP, LEAD, HELD = 0.95, 5.0, 0.1, 0.3
Objective = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of the defence.

    Attributes:
        objective: one of OBJECTIVES.
        loss_bound: by how much, in nats, the mean loss on the participant's own records may rise.
        steps, lr: of Adam on the last layer.
        anchor: weight of the change on records that were not trained on (not of `literal`).
        least_margin: that no member's margin is led below (of `well-posed`), in nats of log-odds.
        surrogate: widths of the surrogate's layers; a surrogate that is built like the attacker's network is refused.
        surrogate_steps: of its training.

    """

    objective: str = "well-posed"
    loss_bound: float = 0.5
    steps: int = 400
    lr: float = 0.005
    anchor: float = 0.3
    least_margin: float = 0.2
    surrogate: tuple[int, ...] = (32, 32)
    surrogate_steps: int = 300

    def __post_init__(self) -> None:
        choose(self.objective, OBJECTIVES, "an objective")
        for name in ("loss_bound", "steps", "lr", "surrogate_steps"):
            expect(0 < getattr(self, name) < math.inf, f"{name} > 0", getattr(self, name))
        for name in ("anchor", "least_margin"):
            expect(0 <= getattr(self, name) < math.inf, f"{name} >= 0", getattr(self, name))
        expect(bool(self.surrogate) and min(self.surrogate) > 0, "surrogate to be widths > 0", list(self.surrogate))


def build(options: Options, facts: TaskFacts | None, generator: torch.Generator) -> "DefMia":
    """Return the defence; it draws nothing yet."""
    del facts, generator
    return DefMia(options)


class DefMia:
    """See defenses.protocols.ModelDefense."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def check(self, own: int, spare: int) -> None:
        """Refuse a participant that has no records to compare its own with."""
        remedy = "Set task.partition.reserve to images that each participant has and never trains on."
        expect(own > 0 and spare > 0, "a participant with records that it never trains on", spare, remedy)

    def protect(self, trained: Trained, generator: torch.Generator) -> Sent:
        """Return the model with another last layer, and what that does to the participant's own records.

        Returns:
            Weights, and the metrics `loss_rise` (nats) and `loss_bound`; `labels_changed` (share of own records
            answered otherwise than before); `left`: the part of the objective that is left, 1 where nothing was found.

        """
        check_finite(weights(trained.model))
        head = Head.of(trained.model)
        own, spare = (head.features(one.images) for one in (trained.own, trained.spare))
        start = (functional.linear(own, head.weight, head.bias), functional.linear(spare, head.weight, head.bias))
        labels = (trained.own.labels, trained.spare.labels)
        goal = objective(self.options, start, labels, generator)
        weight, bias = self._search(head, (own, spare), start, labels[0], goal)
        end = (functional.linear(own, weight, bias), functional.linear(spare, weight, bias))
        before = goal(*start).item()
        rise = functional.cross_entropy(end[0], labels[0]) - functional.cross_entropy(start[0], labels[0])
        metrics = {
            "loss_rise": rise.item(),
            "loss_bound": self.options.loss_bound,
            "labels_changed": (end[0].argmax(1) != start[0].argmax(1)).double().mean().item(),
            "left": goal(*end).item() / before if before else 1.0,
        }
        return Sent(weights=head.replaced(weight, bias), metrics=metrics)

    def _search(
        self, head: Head, features: tuple[Tensor, Tensor], start: tuple[Tensor, Tensor], labels: Tensor, goal: Objective
    ) -> tuple[Tensor, Tensor]:
        """Return the best last layer that Adam meets and that is allowed; the first iterate, no change, is."""
        options, keep = self.options, self.options.objective != "label-free"
        top, loss = start[0].argmax(1), functional.cross_entropy(start[0], labels)
        weight, bias = (one.clone().requires_grad_() for one in (head.weight, head.bias))
        optimizer = torch.optim.Adam([weight, bias], lr=options.lr)
        best, least = (head.weight, head.bias), math.inf
        for _ in range(options.steps):
            own, spare = (functional.linear(one, weight, bias) for one in features)
            value, rise = goal(own, spare), functional.cross_entropy(own, labels) - loss
            kept = not keep or bool((own.argmax(1) == top).all())
            if value.item() < least and kept and rise.item() <= options.loss_bound:
                best, least = (weight.detach().clone(), bias.detach().clone()), value.item()
            penalty = STEEP * (rise - NEAR * options.loss_bound).relu()
            if keep:
                penalty = penalty + HELD * (LEAD - lead(own, top)).relu().sum()
            optimizer.zero_grad(set_to_none=True)
            (value + penalty).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimizer.step()
        return best


def objective(
    options: Options, start: tuple[Tensor, Tensor], labels: tuple[Tensor, Tensor], generator: torch.Generator
) -> Objective:
    """Return what is made small, a function of the logits of the own and of the spare records.

    Args:
        options: of the defence.
        start: logits before any change of own records [M, K], and of others [R, K].
        labels: int64 [M], [R].
        generator: of the surrogate's first weights.

    """
    (own, spare), (mine, theirs) = start, labels
    if options.objective == "literal":
        inside, outside = (own, mine), (spare, theirs)
        network = hiding.surrogate(inside, outside, options.surrogate, options.surrogate_steps, generator)
        return lambda one, _: functional.smooth_l1_loss(network(one, mine), torch.zeros(len(mine)))
    if options.objective == "well-posed":
        right = own.argmax(1) == mine
        goal = hiding.like_the_others(margin(own, mine), margin(spare, theirs), right, options.least_margin)
        apart = partial(hiding.to_targets, labels=mine, targets=goal, right=right)
        return lambda one, other: apart(one) + options.anchor * hiding.moved(other, spare)
    return lambda one, other: (
        hiding.wasserstein(margin(one, mine), margin(other, theirs)) + options.anchor * hiding.moved(other, spare)
    )


def lead(answered: Tensor, top: Tensor) -> Tensor:
    """Return by how much the logit of a label int64 [N] exceeds all others, [N]."""
    own = answered.gather(1, top[:, None]).squeeze(1)
    return own - answered.scatter(1, top[:, None], -torch.inf).amax(1)

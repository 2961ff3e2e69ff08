"""Active gradient ascent: spoil what the model knows of the records, and see whose knowledge comes back.

Milad Nasr, Reza Shokri, Amir Houmansadr: Comprehensive Privacy Analysis of Deep Learning: Passive and Active White-box
Inference Attacks against Centralized and Federated Learning (2019): the active attack.
Before it sends weights, the attacker moves them up the gradient of the loss on the records in question, W + rate dL/dW.
Who trains on a record brings its loss down again; of records that nobody trains on it stays up. A participant does so
to its own update, a server to what it sends each participant, with the records that it is asked about that one.

Differences from the paper, and what it leaves open:
1. The score is minus the loss of a record, mean over the models that followed an ascent (ours). The paper trains a
   network on activations, gradients and losses, with members that it knows.
2. All records at once, by the gradient of their mean loss; the paper says that several may be done at once.
3. As many records are marked as there are members: those with the highest scores.
4. With `rate: 0` nothing is spoiled, and the mean over the rounds is all that is left: the control of the ascent.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from attacks.asking import asked, highest, minus_loss
from attacks.views import Question, RecordView, Scores
from task import models
from task.facts import TaskFacts
from task.settings import expect

VIEW = RecordView


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of the attack.

    Attributes:
        rate: of the ascent step; 0 for an attacker who only looks.
        start_round: of the first ascent.

    """

    rate: float = 0.01
    start_round: int = 1

    def __post_init__(self) -> None:
        expect(0 <= self.rate < math.inf, "rate >= 0", self.rate)
        expect(self.start_round > 0, "start_round > 0", self.start_round)


def build(options: Options, facts: TaskFacts, question: Question, generator: torch.Generator) -> "GradientAscent":
    """Return the attack before its first round."""
    del generator
    return GradientAscent(options, facts, question)


class GradientAscent:
    """See attacks.views.MembershipAttack."""

    def __init__(self, options: Options, facts: TaskFacts, question: Question) -> None:
        self.options, self.facts, self.question = options, facts, question
        self.rounds = self.ascents = self.seen = 0
        self.total = torch.zeros(len(question.clients), dtype=torch.float64)

    @property
    def started(self) -> bool:
        """Whether it has seen a model that followed an ascent."""
        return self.seen > 0

    def outgoing(self, client: int | None, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Return the weights one step up the loss of the records: of those asked about `client`, of all for None."""
        number = self.rounds + (client is not None)  # a server sends before it sees the round
        if number < self.options.start_round:
            return weights
        records, clients = self.question.records, self.question.clients
        chosen = torch.ones(len(clients), dtype=torch.bool)
        if client is not None:
            chosen = torch.isin(clients, torch.tensor([client]))
        if not chosen.any():
            return weights
        self.ascents += 1
        if not self.options.rate:
            return weights
        return ascended(weights, records.images[chosen], records.labels[chosen], self.facts, self.options.rate)

    def observe(self, view: RecordView, generator: torch.Generator) -> None:
        """Add up the records' losses, once they have been spoiled."""
        del generator
        self.rounds = view.round
        if self.ascents:
            self.total = self.total + minus_loss(asked(view), self.question.records.labels)
            self.seen += 1

    def scores(self, view: RecordView, generator: torch.Generator) -> Scores:
        """Return minus the mean loss of each record over the rounds."""
        del view, generator
        values = self.total / max(1, self.seen)
        return Scores(values=values, marked=highest(values, self.question))

    def metrics(self) -> dict[str, float]:
        """Return how many ascents there were, and minus the mean score."""
        return {"ascents": float(self.ascents), "mean_loss": -self.total.mean().item() / max(1, self.seen)}

    def state_dict(self) -> dict[str, Tensor]:
        """Return the sums, and what was counted."""
        return {"total": self.total, "counts": torch.tensor([self.rounds, self.ascents, self.seen])}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned."""
        self.total = state["total"]
        self.rounds, self.ascents, self.seen = (int(one) for one in state["counts"])


def ascended(
    weights: Mapping[str, Tensor], images: Tensor, labels: Tensor, facts: TaskFacts, rate: float
) -> dict[str, Tensor]:
    """Return weights + rate d(mean cross-entropy of the images)/d(weights), by name.

    Args:
        weights: of the shared model, float32 by name; not changed.
        images: float32 [N, C, H, W].
        labels: int64 [N].
        facts: of the task.
        rate: of the step.

    """
    model = models.build(facts.model, facts.shape, facts.outputs, torch.Generator())
    model.load_state_dict(dict(weights))
    loss = functional.cross_entropy(model.eval()(images), labels)
    names, parameters = zip(*model.named_parameters(), strict=True)
    steps = dict(zip(names, torch.autograd.grad(loss, parameters), strict=True))
    return {name: tensor + rate * steps[name] if name in steps else tensor for name, tensor in weights.items()}

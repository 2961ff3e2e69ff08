"""What membership attacks have in common: how to ask models about records, and attacks that only look.

All scores are computed in float64: float32 losses of records that a model is sure of tie at 0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from attacks.views import MembershipAttack, Question, RecordView, Scores
from task.facts import Images
from task.training import logits


def answers(view: RecordView, images: Tensor, clients: Tensor) -> Tensor:
    """Return the logits float64 [N, outputs] of each record by the model of the participant of whom it is asked.

    Args:
        view: the round.
        images: float32 [N, C, H, W].
        clients: int64 [N].

    """
    parts = {}
    for client in sorted(set(clients.tolist())):
        parts[client] = logits(view.model_of(client), images[clients == client]).double()
    found = torch.empty(len(images), next(iter(parts.values())).shape[1], dtype=torch.float64)
    for client, part in parts.items():
        found[clients == client] = part
    return found


def asked(view: RecordView) -> Tensor:
    """Return the logits float64 [N, outputs] of the records in question."""
    return answers(view, view.question.records.images, view.question.clients)


def minus_loss(answered: Tensor, labels: Tensor) -> Tensor:
    """Return minus the cross-entropy in nats of logits [N, outputs] against labels int64 [N], [N]."""
    return -functional.cross_entropy(answered, labels, reduction="none")


def threshold(view: RecordView, score: Callable[[Tensor, Tensor], Tensor]) -> Scores:
    """Score the records by `score(logits, labels)`, and mark those above what the attacker takes for usual.

    That is the mean over its own records where the model has learned from them (Yeom et al. 2018: the
    average loss on the training data). Else it marks the highest scores, by an attacker that knows how many members
    there are among them.
    """
    question = view.question
    values = score(asked(view), question.records.labels)
    if view.own_trained and len(question.own.labels):
        known = score(logits(view.global_model, question.own.images).double(), question.own.labels)
        return Scores(values=values, marked=values >= known.mean())
    return Scores(values=values, marked=highest(values, question))


def highest(values: Tensor, question: Question) -> Tensor:
    """Return bool [N]: the highest of the scores [N], as many as there are members; of equal ones the first."""
    count = len(values) // 2 if question.members is None else question.members
    marked = torch.zeros(len(values), dtype=torch.bool)
    marked[values.argsort(descending=True, stable=True)[:count]] = True
    return marked


@dataclass(frozen=True)
class Looking:
    """A membership attack that keeps nothing and changes nothing; see attacks.views.MembershipAttack.

    Attributes:
        answer: of one view, with all randomness from a generator.

    """

    answer: Callable[[RecordView, torch.Generator], Scores]
    started: bool = True

    def outgoing(self, client: int | None, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Send what an honest one would."""
        del client
        return weights

    def observe(self, view: RecordView, generator: torch.Generator) -> None:
        """Nothing needs to be remembered."""

    def scores(self, view: RecordView, generator: torch.Generator) -> Scores:
        """Answer by this round's models."""
        return self.answer(view, generator)

    def metrics(self) -> dict[str, float]:
        """Return nothing."""
        return {}

    def state_dict(self) -> dict[str, Tensor]:
        """Return nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Nothing was kept."""


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """A membership attack with the baselines beside it, all asked the same of the same models.

    Attributes:
        name: of the attack.
        attack: it alone looks at rounds, and may change what is sent.
        baselines: by name.

    """

    name: str
    attack: MembershipAttack
    baselines: Mapping[str, MembershipAttack] = field(default_factory=dict)

    def scores(self, view: RecordView, randomness: Callable[[str], torch.Generator]) -> dict[str, Scores]:
        """Return every method's answers by its name; the attack's only once it has begun.

        Args:
            view: the round.
            randomness: returns a generator for each method.

        """
        methods = {self.name: self.attack, **self.baselines} if self.attack.started else dict(self.baselines)
        return {name: method.scores(view, randomness(name)) for name, method in methods.items()}


def files(found: Mapping[str, Scores], server_round: int) -> dict[str, dict[str, Tensor]]:
    """Return what is written of a round's answers: arrays by the file's name (docs/membership.md)."""
    written = {}
    for name, one in found.items():
        arrays = {"scores": one.values, "marked": one.marked, "record": torch.arange(len(one.values))}
        written[f"scores-{name}-round-{server_round:04d}.npz"] = arrays
        if one.rehearsal is not None:
            own = one.rehearsal
            arrays = {"scores": own.values, "member": own.member, "made": own.made}
            written[f"rehearsal-{name}-round-{server_round:04d}.npz"] = arrays
    return written


def subset(images: Images, chosen: Tensor) -> Images:
    """Return some of the images."""
    return Images(images.images[chosen], images.labels[chosen])


def same_for_all(model: nn.Module) -> Callable[[int], nn.Module]:
    """Return a participant's `model_of`: one model, whoever is meant."""
    return lambda _: model


def owners_labels(question: Question, classes: int) -> Tensor:
    """Return bool [N, classes]: the labels that the participant in question of each record has declared."""
    found = torch.zeros(len(question.clients), classes, dtype=torch.bool)
    for client, labels in question.declared.items():
        found[question.clients == client] = torch.isin(torch.arange(classes), torch.tensor(labels))
    return found

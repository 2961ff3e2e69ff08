"""In / out networks on what a model answers: what the fixed, the shadow and the adaptive attacker have in common.

They differ in where they learn what members look like, and so in what a defence can hide from them. All see of a record
the margin of its label, whether the answer is right, and the log-probabilities: the label's, then the others' from the
largest down. One network for all labels, the same as each of class-membership's.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attacks import class_membership
from attacks.asking import asked, subset
from attacks.shadow import shadow, usual
from attacks.views import Defended, Question, RecordView, Scores
from task.facts import Images, TaskFacts
from task.settings import expect
from task.training import logits, margin


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of the network.

    Attributes:
        hidden: its width.
        fit_steps, fit_lr: of Adam, on everything at once.

    """

    hidden: int = 64
    fit_steps: int = 300
    fit_lr: float = 0.005

    def __post_init__(self) -> None:
        for name in ("hidden", "fit_steps", "fit_lr"):
            expect(0 < getattr(self, name) < math.inf, f"{name} > 0", getattr(self, name))


def features(answered: Tensor, labels: Tensor) -> Tensor:
    """Return what the network sees of logits [N, K] and labels int64 [N]: float64 [N, K + 2]."""
    chances = answered.double().log_softmax(1)
    own = chances.gather(1, labels[:, None])
    others = chances.scatter(1, labels[:, None], -torch.inf).sort(1, descending=True).values[:, :-1]
    right = answered.argmax(1, keepdim=True) == labels[:, None]
    return torch.cat([margin(answered.double(), labels)[:, None], right.double(), own, others], dim=1)


def learned(view: RecordView, known: Tensor, member: Tensor, options: Options, generator: torch.Generator) -> Scores:
    """Learn from the features [M, F] of records of which some are members, bool [M]; answer the question of a view.

    A quarter of the known records is held out. What does best on them answers: the network, after a third of its steps
    or all, or the margin alone, which no training can spoil. Marked is what lies above the cut that tells them apart
    best.
    """
    middle, scale = known.mean(0), known.std(0).clamp(min=1e-6)
    order = torch.randperm(len(known), generator=generator)
    tested, used = order.tensor_split([len(order) // 4])
    scaled, one = ((known - middle) / scale).float(), torch.zeros(len(known), dtype=torch.int64)
    found = ((features(asked(view), view.question.records.labels) - middle) / scale).float()
    ways = [(scaled[tested, 0].double(), found[:, 0].double())]
    for steps in (options.fit_steps // 3 or 1, options.fit_steps):
        network = class_membership.fit(
            scaled[used],
            one[used],
            member[used],
            classes=1,
            options=class_membership.Options(hidden=options.hidden, fit_steps=steps, fit_lr=options.fit_lr),
            generator=generator,
            balanced=True,
        )
        ways.append(
            (network.logits(scaled[tested], one[tested]), network.logits(found, found.new_zeros(len(found)).long()))
        )
    areas = [area(own, member[tested]) for own, _ in ways]
    own, values = ways[areas.index(max(areas))]
    return Scores(values=values, marked=values >= best_cut(own, member[tested]))


def area(scores: Tensor, member: Tensor) -> float:
    """Return in what share of the pairs of a member and another the member scores higher, ties half; 0.5 for none."""
    pairs = scores[member][:, None] - scores[~member][None]
    return ((pairs > 0).double() + (pairs == 0).double() / 2).mean().nan_to_num(nan=0.5).item()


def best_cut(scores: Tensor, member: Tensor) -> float:
    """Return the score from which on marking tells members from others best, by balanced accuracy."""
    if not len(scores):
        return 0.0
    marked = scores[None] >= scores[:, None]
    true, false = ((marked & kind).sum(1) / kind.sum().clamp(min=1) for kind in (member, ~member))
    return scores[(true - false).argmax()].item()


def from_a_shadow(
    view: RecordView,
    facts: TaskFacts,
    options: Options,
    generator: torch.Generator,
    defended: Defended | None,
    *,
    served: Callable[[nn.Module, Images, Images], nn.Module] | None = None,
) -> Scores:
    """Learn from a shadow of the attacker's own, defended or not, and answer.

    A participant trains the shadow on all of its own records, a server on as many of its own as a participant has.
    Half of the references are what a defence compares with, whether there is one or not; the other half is OUT.
    `served`: how the shadow answers where the models in question are only asked (defenses.confidence), told what it was
    trained on and what it was not.
    """
    question = view.question
    own, count = question.own, len(question.reference.labels)
    order = torch.randperm(len(own.labels), generator=generator)
    inside = subset(own, order if view.own_trained else order[: usual(facts, question)])
    spare, outside = (subset(question.reference, half) for half in torch.arange(count).tensor_split(2))
    model = shadow(view, facts, inside, generator, spare=spare, defended=defended)
    asking = served(model, inside, spare) if served else model
    known = [features(logits(asking, one.images), one.labels) for one in (inside, outside)]
    member = torch.arange(len(inside.labels) + len(outside.labels)) < len(inside.labels)
    return learned(view, torch.cat(known), member, options, generator)


def check_references(question: Question) -> None:
    """Refuse an attacker who has no records to learn from.

    Raises:
        SettingsError: expected, got and remedy.

    """
    own, count = len(question.own.labels), len(question.reference.labels)
    expect(own > 0, "an attacker that holds records", own, "Name it in task.partition.holders.")
    expect(count > 1, "at least two references", count, "Raise membership.reference.")

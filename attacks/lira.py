"""Likelihood ratio of a record's margin under shadow models that have seen it and such that have not (LiRA, online).

Carlini, Chien, Nasr, Song, Terzis, Tramer: Membership Inference Attacks From First Principles (2022), section V,
algorithm 1, with one fixed variance for all records, as they advise for few shadows (section V-B).

Differences: a shadow is what a participant would send in this round (attacks.shadow): it begins with the round's global
model, which has learned from the members already. A record in all shadows, or in none, gets the usual distance between
the two means. The paper trains 256 shadows; the default here is 16, which takes 16 local rounds of one participant each
time that the attack is asked.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from attacks.asking import Looking, asked, subset
from attacks.learning import check_references
from attacks.shadow import shadow
from attacks.views import Question, RecordView, Scores
from task.facts import Images, TaskFacts
from task.settings import expect
from task.training import logits, margin

VIEW = RecordView


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings.

    Attributes:
        shadows: models that are trained each time that the attack answers.

    """

    shadows: int = 16

    def __post_init__(self) -> None:
        expect(self.shadows > 1, "at least two shadows", self.shadows)


def build(options: Options, facts: TaskFacts, question: Question, generator: torch.Generator) -> Looking:
    """Return the attack.

    Raises:
        SettingsError: for an attacker without records of its own, or without references.

    """
    del generator
    check_references(question)
    return Looking(lambda view, draws: _answer(view, facts, options, draws))


def likelihood_ratio(found: Tensor, shadows: Tensor, inside: Tensor) -> Tensor:
    """Return log p(found | in) - log p(found | out) for each record, both normal.

    Args:
        found: float64 [N], the model's margins of the records in question.
        shadows: float64 [S, N], those of the shadows.
        inside: bool [S, N], which shadow was trained on which record.

    Returns:
        float64 [N]; 0 for all where no shadow tells anything.

    """
    middles, rests = [], []
    for kind in (inside, ~inside):
        count = kind.sum(0)
        middle = torch.where(kind, shadows, 0.0).sum(0) / count
        rest = torch.where(kind, shadows - middle, 0.0).square().sum()
        rests.append(rest / (count - 1).clamp(min=0).sum().clamp(min=1))
        middles.append(middle)
    usual = (middles[0] - middles[1]).nanmean().nan_to_num()
    within = torch.where(middles[0].isnan(), middles[1] + usual, middles[0])
    without = torch.where(middles[1].isnan(), middles[0] - usual, middles[1])
    logs = []
    for middle, rest in zip((within, without), rests, strict=True):
        scale = rest.sqrt().clamp(min=1e-6)
        logs.append(-0.5 * ((found - middle) / scale).square() - scale.log())
    return logs[0] - logs[1]


def _answer(view: RecordView, facts: TaskFacts, options: Options, generator: torch.Generator) -> Scores:
    """Train the shadows and compare."""
    question, count = view.question, len(view.question.records.labels)
    own, references = len(question.own.labels), len(question.reference.labels)
    size = own if view.own_trained else min(own, references)  # a server holds more than a participant would
    parts = (question.records, subset(question.own, torch.arange(size)))
    pool = Images(torch.cat([part.images for part in parts]), torch.cat([part.labels for part in parts]))
    values, seen = [], []
    for _ in range(options.shadows):
        chosen = torch.randperm(len(pool.labels), generator=generator)[:size]
        model = shadow(view, facts, subset(pool, chosen), generator)
        values.append(margin(logits(model, question.records.images).double(), question.records.labels))
        seen.append(torch.isin(torch.arange(count), chosen))
    found = margin(asked(view), question.records.labels)
    scores = likelihood_ratio(found, torch.stack(values), torch.stack(seen))
    return Scores(values=scores, marked=scores > 0)

"""Likelihood ratio of a record's margin under shadow models that have seen it and such that have not (LiRA, online).

Carlini, Chien, Nasr, Song, Terzis, Tramer: Membership Inference Attacks From First Principles (2022), section V,
algorithm 1, with one fixed variance for all records, as they advise for few shadows (section V-B).

Differences:
1. A shadow is what a participant would send in this round (attacks.shadow): it begins with the round's global model,
   which has learned from the members already. That raises the margins of members without them, too, and costs power.
2. Every record is in half of the shadows, by pairs of halves; in fewer where a participant holds fewer than half of the
   records that are asked about it. A server makes shadows of each participant, of a participant's size, filled up with
   records of its own. A participant, who sees the global model alone, makes shadows of half of all records.
3. The paper trains 256 shadows; the default here is 16. A record in all of them, or in none, gets the usual distance
   between the two means.
"""

from collections.abc import Iterator
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
    """Train the shadows and compare: a server those of each participant, a participant those of the global model."""
    question = view.question
    groups = [question.clients >= 0]
    if not view.own_trained:
        groups = [question.clients == client for client in sorted(set(question.clients.tolist()))]
    found = margin(asked(view), question.records.labels)
    scores = torch.zeros(len(found), dtype=torch.float64)
    for group in groups:
        records = subset(question.records, group)
        values, seen = [], []
        for inside in halves(len(records.labels), facts.images if not view.own_trained else None, options, generator):
            missing = (facts.images or 0) - int(inside.sum()) if not view.own_trained else 0
            more = subset(
                question.own, torch.randperm(len(question.own.labels), generator=generator)[: max(0, missing)]
            )
            mine = subset(records, inside)
            held = Images(torch.cat([mine.images, more.images]), torch.cat([mine.labels, more.labels]))
            model = shadow(view, facts, held, generator)
            values.append(margin(logits(model, records.images).double(), records.labels))
            seen.append(inside)
        scores[group] = likelihood_ratio(found[group], torch.stack(values), torch.stack(seen))
    return Scores(values=scores, marked=scores > 0)


def halves(count: int, most: int | None, options: Options, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield bool [count] for each shadow: half of the records, and for the next the other half; of `most` at most."""
    size = max(1, count // 2 if most is None else min(count // 2, most))
    for number in range(options.shadows):
        if number % 2 == 0:
            order = torch.randperm(count, generator=generator)
        inside = torch.zeros(count, dtype=torch.bool)
        inside[order[:size] if number % 2 == 0 else order[-size:]] = True
        yield inside

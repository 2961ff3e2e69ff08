"""Baseline: a record is a member if the model takes it for one of the labels that the participant has declared.

What Chen et al. (2020) train a classifier on made images for, without any: the model that everybody has is asked
itself. It finds out who owns a label, not whose record it is. The score is the softmax mass on the declared labels.
"""

from dataclasses import dataclass

import torch

from attacks.asking import Looking, asked, owners_labels
from attacks.views import Question, RecordView, Scores
from task.facts import TaskFacts

VIEW = RecordView


@dataclass(frozen=True, kw_only=True)
class Options:
    """There are none."""


def build(options: Options, facts: TaskFacts, question: Question, generator: torch.Generator) -> Looking:
    """Return the attack; who has declared nothing is nobody's label."""
    del options, generator
    mine = owners_labels(question, facts.classes)

    def answer(view: RecordView, generator: torch.Generator) -> Scores:
        del generator
        answered = asked(view)
        values = (answered.softmax(1)[:, : facts.classes] * mine).sum(1)
        taken = answered.argmax(1)
        known = taken < facts.classes
        marked = known & mine.gather(1, taken.clamp(max=facts.classes - 1)[:, None]).squeeze(1)
        return Scores(values=values, marked=marked)

    return Looking(answer)

"""Baseline: a record is a member if the model answers with its true label (the gap attack).

Yeom, Giacomelli, Fredrikson, Jha: Privacy Risk in Machine Learning: Analyzing the Connection to Overfitting (2018).
Its balanced accuracy is 0.5 + (accuracy on members - accuracy on others) / 2: what a model that has
learned more of its training records than of others gives away to anybody who sees only its labels.
"""

from dataclasses import dataclass

import torch

from attacks.asking import Looking, asked
from attacks.views import Question, RecordView, Scores
from task.facts import TaskFacts

VIEW = RecordView


@dataclass(frozen=True, kw_only=True)
class Options:
    """There are none."""


def build(options: Options, facts: TaskFacts, question: Question, generator: torch.Generator) -> Looking:
    """Return the attack."""
    del options, facts, question, generator

    def answer(view: RecordView, generator: torch.Generator) -> Scores:
        del generator
        right = asked(view).argmax(1) == view.question.records.labels
        return Scores(values=right.double(), marked=right)

    return Looking(answer)

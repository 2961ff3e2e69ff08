"""Baseline: the smaller the loss of a record, the more likely it is a member.

Yeom, Giacomelli, Fredrikson, Jha: Privacy Risk in Machine Learning: Analyzing the Connection to Overfitting (2018).
In float64; the threshold is the mean loss of the training records that the attacker knows (attacks.asking).
"""

from dataclasses import dataclass

import torch

from attacks.asking import Looking, minus_loss, threshold
from attacks.views import Question, RecordView
from task.facts import TaskFacts

VIEW = RecordView


@dataclass(frozen=True, kw_only=True)
class Options:
    """There are none."""


def build(options: Options, facts: TaskFacts, question: Question, generator: torch.Generator) -> Looking:
    """Return the attack."""
    del options, facts, question, generator
    return Looking(lambda view, _: threshold(view, minus_loss))

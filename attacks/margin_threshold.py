"""Baseline: the surer the model is of a record's label, the more likely it is a member, by the margin of the logits.

The logit of the label minus the logsumexp of the others: the log-odds that Carlini et al. (2022, Membership Inference
Attacks From First Principles) scale confidences to, without their shadow models. Ranks as the loss does,
but does not tie where the loss rounds to 0. Marked by the threshold of Yeom et al. (2018); in float64.
"""

from dataclasses import dataclass

import torch

from attacks.asking import Looking, threshold
from attacks.views import Question, RecordView
from task.facts import TaskFacts
from task.training import margin

VIEW = RecordView


@dataclass(frozen=True, kw_only=True)
class Options:
    """There are none."""


def build(options: Options, facts: TaskFacts, question: Question, generator: torch.Generator) -> Looking:
    """Return the attack."""
    del options, facts, question, generator
    return Looking(lambda view, _: threshold(view, margin))

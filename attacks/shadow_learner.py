"""Learns what members look like from a shadow that is defended as the others are: the shadow attacker.

The fixed attacker (attacks.fixed_learner) who knows the defence and all its settings, but none of its draws. Where
nobody is defended, or not all in the same way, it is that attacker.

Difference from the text that it is after (an attacker who "retrains on the defended model"): the shadow is an update,
also where the attacker asks global models. The one who learns from the defended global model itself, in which a
participant's own records are, is class-membership.
"""

import torch

from attacks import learning
from attacks.asking import Looking
from attacks.views import Question, RecordView
from task.facts import TaskFacts

VIEW = RecordView
Options = learning.Options


def build(options: learning.Options, facts: TaskFacts, question: Question, generator: torch.Generator) -> Looking:
    """Return the attack; errors as attacks.fixed_learner."""
    del generator
    learning.check_references(question)
    return Looking(lambda view, draws: learning.from_a_shadow(view, facts, options, draws, question.defended))

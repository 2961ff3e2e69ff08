"""Learns what members look like from a shadow without any defence, and never hears of one: the fixed attacker.

Shokri et al. 2017; the attacker whom a defence is made against. It trains a shadow (attacks.shadow) as an undefended
participant would, and an in / out network on its answers (attacks.learning).
"""

import torch

from attacks import learning
from attacks.asking import Looking
from attacks.views import Question, RecordView
from task.facts import TaskFacts

VIEW = RecordView
Options = learning.Options


def build(options: learning.Options, facts: TaskFacts, question: Question, generator: torch.Generator) -> Looking:
    """Return the attack.

    Raises:
        SettingsError: for an attacker without records of its own, or without references.

    """
    del generator
    learning.check_references(question)
    return Looking(lambda view, draws: learning.from_a_shadow(view, facts, options, draws, None))

"""Learns what members look like from records whose membership it is told, on defended models: the adaptive attacker.

It knows of some records of every participant whether they are in (membership.known), asks the very models that it is
asked about, and trains an in / out network on the answers (attacks.learning). No defence that it could be told of would
surprise it. Nobody gives away such a list: that is more than an attacker has, and still no upper bound, since it finds
no more than its network, or the margin, can show.
"""

import torch

from attacks import learning
from attacks.asking import Looking, answers
from attacks.views import Question, RecordView, Scores
from task.facts import TaskFacts
from task.settings import SettingsError

VIEW = RecordView
Options = learning.Options


def build(options: learning.Options, facts: TaskFacts, question: Question, generator: torch.Generator) -> Looking:
    """Return the attack.

    Raises:
        SettingsError: where it is told of nobody.

    """
    del facts, generator
    known = question.known
    if known is None:
        raise SettingsError(
            "Expected records whose membership the attacker is told, got none. Set membership.known to as many members."
        )

    def answer(view: RecordView, draws: torch.Generator) -> Scores:
        found = learning.features(answers(view, known.records.images, known.clients), known.records.labels)
        return learning.learned(view, found, known.member, options, draws)

    return Looking(answer)

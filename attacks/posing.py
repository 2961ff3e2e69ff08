"""Asks membership attackers: here, once, the truth is taken away from what is asked."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from attacks import registry
from attacks.asking import Inquiry, owners_labels
from attacks.views import Defended, Known, Question
from task.datasets import Dataset
from task.facts import Images, TaskFacts
from task.membership import ask, declared
from task.questions import MembershipSettings


def pose(
    dataset: Dataset,
    settings: MembershipSettings,
    holding: Mapping[int, Tensor],
    own: Images,
    seed: int,
    *,
    apart: Mapping[int, Tensor] | None = None,
    defended: Defended | None = None,
) -> Question:
    """Return what an attacker is asked, without the answer.

    Args:
        dataset: the public data set.
        settings: with `about` and `others` filled in.
        holding: indices into its training images by participant.
        own: what the attacker holds.
        seed: of the federation.
        apart: indices of what participants keep out of their training, as task.membership.ask has it.
        defended: how the participants in question defend themselves, for an attacker who knows.

    Raises:
        SettingsError: where there are too few records.

    """
    asked = ask(dataset, settings, holding, seed, apart)
    known = Known(records=asked.told(dataset), clients=asked.known_client, member=asked.known_member)
    return Question(
        records=asked.records(dataset),
        clients=asked.client,
        own=own,
        reference=asked.references(dataset),
        declared=declared(dataset, holding) if settings.declared else {},
        members=int(asked.member.sum()),
        known=known if settings.known else None,
        defended=defended,
    )


def inquiry(
    name: str,
    values: Mapping[str, Any],
    question: Question,
    *,
    settings: MembershipSettings,
    facts: TaskFacts,
    generator: torch.Generator,
) -> Inquiry:
    """Return the attack `name` with the scenario's baselines beside it; arguments as registry.membership_attack.

    Without `argmax` where every label is declared by all who are asked about, or none by any: it would say nothing.
    """
    mine = owners_labels(question, facts.classes)
    silent = {name} | ({"argmax"} if mine.all() or not mine.any() else set())
    others = [one for one in settings.baselines if one not in silent]
    return Inquiry(
        name=name,
        attack=registry.membership_attack(name, values, facts, question, generator),
        baselines={one: registry.membership_attack(one, {}, facts, question, generator) for one in others},
    )

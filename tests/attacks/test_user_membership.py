"""User-level membership: a classifier of made images finds out who owns a label, and what is refused."""

import dataclasses

import inquiries
import pytest
import torch

from attacks import registry
from attacks.own_gan import OwnGan
from attacks.user_membership import Options, UserMembership
from task.seeding import generator
from task.settings import SettingsError, parse
from task.training import logits

DECLARED = {0: (0, 1, 2), 1: (3, 4, 5), 2: (6, 7, 8), 3: (9,)}
OPTIONS = {"network": "small", "steps": 40, "gan_lr": 0.005, "start_round": 2, "images": 40, "epochs": 20}


def make(declared: dict[int, tuple[int, ...]]) -> UserMembership:
    """Build the attack for participants who have declared these labels."""
    asked = dataclasses.replace(inquiries.question(), declared=declared)
    attack = registry.membership_attack("user-membership", OPTIONS, inquiries.FACTS, asked, generator(0))
    assert isinstance(attack, UserMembership)
    return attack


def test_scores_are_the_mass_on_the_labels_of_whom_is_asked() -> None:
    """Asked about each participant in turn, the scores of a record sum to one, and one of the answers is yes."""
    attack = make(DECLARED)
    attack.observe(inquiries.view(server=False, server_round=1), generator(1))
    assert not attack.started
    attack.observe(inquiries.view(server=False, server_round=2), generator(1))
    assert attack.started
    total = torch.zeros(len(attack.question.clients), dtype=torch.float64)
    marks = torch.zeros(len(total))
    for client in DECLARED:
        clients = torch.full_like(attack.question.clients, client)
        attack.question = dataclasses.replace(attack.question, clients=clients)
        found = attack.scores(inquiries.view(server=False, server_round=2), generator(3))
        total += found.values
        marks += found.marked
    assert torch.allclose(total, torch.ones_like(total))
    assert torch.equal(marks, torch.ones_like(marks))


def test_made_images_are_those_that_the_global_model_takes_for_their_label() -> None:
    """At most as many as wanted of each label, in [-1, 1]; none before the generators have learned."""
    gan = OwnGan(parse(Options, OPTIONS, "options"), inquiries.FACTS, generator(0))
    model = inquiries.start()
    assert len(gan.images(model, 5, generator(1)).labels) == 0
    gan.observe(inquiries.view(server=False, server_round=2), generator(1))
    made = gan.images(model, 5, generator(1))
    assert torch.equal(logits(model, made.images).argmax(1), made.labels)
    assert made.labels.bincount().max() <= 5
    assert made.images.abs().max() <= 1


def test_without_a_made_image_nobody_is_marked() -> None:
    """Generators that have not begun leave no classifier: every record scores alike."""
    said = make(DECLARED).scores(inquiries.view(server=False), generator(1))
    assert not said.marked.any()
    assert not said.values.any()


@pytest.mark.parametrize(
    ("declared", "error"),
    [
        ({}, r"Expected declared labels of participant 0, got 'none'\. Set membership\.declared"),
        (DECLARED | {1: ()}, r"Expected declared labels of participant 1"),
        (
            DECLARED | {3: (2, 9)},
            r"no label of participant 0 that others have declared, too, got \[2\]\. Deal each",
        ),
    ],
)
def test_labels_that_say_nothing_are_refused(declared: dict[int, tuple[int, ...]], error: str) -> None:
    """Hidden ones, and those that two participants have declared."""
    with pytest.raises(SettingsError, match=error):
        make(declared)

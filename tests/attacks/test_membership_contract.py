"""The contract of every membership attack that is found in the folder, at both places where it may stand."""

import copy
import dataclasses
from typing import Any

import inquiries
import pytest
import torch
from sklearn.metrics import roc_auc_score

from attacks import registry
from attacks.views import MembershipAttack, RecordView
from task.models import weights
from task.seeding import generator
from task.settings import to_dict

GAN = {"network": "small", "steps": 5, "start_round": 1}
TOY: dict[str, dict[str, Any]] = {
    "argmax": {},
    "label-only": {},
    "loss-threshold": {},
    "margin-threshold": {},
    "gradient-ascent": {},
    "fixed-learner": {"fit_steps": 100},
    "shadow-learner": {"fit_steps": 100},
    "adaptive-learner": {"fit_steps": 100},
    "lira": {"shadows": 8},
    "class-membership": {"fit_steps": 100},
    "class-membership, enlarged": {"fit_steps": 100, "enlarge": 2} | GAN,
    "user-membership": {"images": 20, "epochs": 2} | GAN,
}
"""Toy cases "name" or "name, variant", each with its options; a new attack needs one here at least."""
CASES = [case for case in TOY if case.split(",")[0] in registry.names(RecordView)]
OF_LABELS = {"argmax", "user-membership"}
"""Attacks that learn who owns a label; whose record it is they cannot tell, so that the toy case gives them nothing."""
PLACES = pytest.mark.parametrize("server", [False, True], ids=["participant", "server"])
NAMES = pytest.mark.parametrize("name", CASES)


def make(name: str) -> MembershipAttack:
    """Build an attack's toy case."""
    question = inquiries.question()
    if name == "user-membership":  # it needs labels of one's own; what is declared here is not held
        question = dataclasses.replace(question, declared={0: (0, 1, 2), 1: (3, 4, 5), 2: (6, 7, 8), 3: (9,)})
    attack = name.split(",", maxsplit=1)[0]
    return registry.membership_attack(attack, TOY[name], inquiries.FACTS, question, generator(1))


def looked(name: str, *, server: bool, rounds: int = 2) -> MembershipAttack:
    """Return the attack after some rounds."""
    attack = make(name)
    for number in range(1, rounds + 1):
        view = inquiries.view(server=server, server_round=number)
        if server:
            for client in range(3):
                attack.outgoing(client, weights(view.global_model))
        attack.observe(view, generator(2, number))
        if not server:
            attack.outgoing(None, weights(view.global_model))
    return attack


@PLACES
@NAMES
def test_an_attack_answers_every_record_and_the_same_for_the_same_seed(name: str, *, server: bool) -> None:
    """A finite score in float64 and a mark for each record; two attacks with the same generators agree to the bit."""
    view = inquiries.view(server=server)
    first, second = (looked(name, server=server).scores(view, generator(3)) for _ in range(2))
    assert first.values.shape == first.marked.shape == (len(view.question.clients),)
    assert first.values.dtype == torch.float64
    assert first.marked.dtype == torch.bool
    assert first.values.isfinite().all()
    assert torch.equal(first.values, second.values)
    assert torch.equal(first.marked, second.marked)


@PLACES
@NAMES
def test_an_attack_leaves_its_view_and_the_global_randomness_alone(name: str, *, server: bool) -> None:
    """Neither models nor records change, nor PyTorch's global generator."""
    view = inquiries.view(server=server)
    before, records = copy.deepcopy(weights(view.model_of(0))), view.question.records.images.clone()
    torch.manual_seed(7)
    randomness = torch.get_rng_state()
    attack = looked(name, server=server)
    attack.outgoing(0 if server else None, before)
    attack.scores(view, generator(3))
    assert torch.equal(torch.get_rng_state(), randomness)
    assert all(torch.equal(before[key], tensor) for key, tensor in weights(view.model_of(0)).items())
    assert torch.equal(view.question.records.images, records)


@PLACES
@NAMES
def test_an_attack_goes_on_from_its_saved_state(name: str, *, server: bool) -> None:
    """Saving and restoring between two rounds changes no score."""
    straight, restored = looked(name, server=server), make(name)
    restored.load_state_dict(looked(name, server=server, rounds=1).state_dict())
    view = inquiries.view(server=server, server_round=2)
    restored.observe(view, generator(2, 2))
    left, right = (attack.scores(view, generator(3)) for attack in (straight, restored))
    assert torch.equal(left.values, right.values)


@NAMES
def test_an_attack_beats_chance_on_models_that_know_their_records_by_heart(name: str) -> None:
    """At the server members score higher: AUC above 0.6, two standard errors above chance (90 members, 90 others)."""
    if name in OF_LABELS:
        pytest.skip("learns who owns a label, not whose record it is: every participant holds every label here")
    values = looked(name, server=True).scores(inquiries.view(server=True), generator(3)).values
    floor = 0.51 if name == "label-only" else 0.6
    assert roc_auc_score(inquiries.truth().member, values) > floor


@NAMES
def test_a_model_that_was_trained_on_nothing_tells_nothing(name: str) -> None:
    """AUC 0.5, within two standard errors of 90 members and 90 others (0.043 each)."""
    attack, view = make(name), inquiries.view(server=False, untrained=True)
    attack.observe(view, generator(2))
    if not attack.started:
        pytest.skip("waits for a model that has learned something")
    values = attack.scores(view, generator(3)).values
    assert roc_auc_score(inquiries.truth().member, values) == pytest.approx(0.5, abs=0.087)


@PLACES
@NAMES
def test_shuffled_membership_cannot_be_told(name: str, *, server: bool) -> None:
    """Models that know half of the records by heart, drawn by lot: whatever else an attacker is given holds no truth.

    AUC 0.5, within three standard errors.
    """
    attack, view = make(name), inquiries.shuffled(server=server)
    for client in range(3) if server else ():
        attack.outgoing(client, weights(view.global_model))
    for _ in range(2):  # a participant's ascent shows in the next round
        attack.observe(view, generator(2))
        if not server:
            attack.outgoing(None, weights(view.global_model))
    assert attack.started
    values = attack.scores(view, generator(3)).values
    assert roc_auc_score(inquiries.truth().member, values) == pytest.approx(0.5, abs=0.13)


@NAMES
def test_options_survive_the_way_through_a_scenario(name: str) -> None:
    """Options parsed, written as plain values and parsed again are equal."""
    attack = name.split(",", maxsplit=1)[0]
    options = registry.options(attack, TOY[name])
    assert registry.options(attack, to_dict(options)) == options


def test_every_attack_has_a_toy_case() -> None:
    """An attack without one would not be checked at all."""
    assert set(registry.names(RecordView)) <= {case.split(",")[0] for case in TOY}

"""The contract of every participant's attack that is found in the folder, and the registry."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import nn

from attacks import registry
from attacks.views import ParticipantAttack, ParticipantView, RecordView
from task import models
from task.datasets import load, to_float
from task.facts import Images, TaskFacts
from task.seeding import generator
from task.settings import OptimizerSettings, SettingsError, to_dict
from task.training import logits, make_optimizer, train

FACTS = TaskFacts(shape=(1, 8, 8), classes=10, outputs=11, model="digits-cnn", clients=6)
TARGET = 3
TOY: dict[str, dict[str, Any]] = {
    "gan": {"target": TARGET, "network": "small", "start_round": 1, "steps": 40, "lr": 0.005, "poison_images": 6},
}
"""For each attack the options of its toy case; a new attack needs an entry here."""


@pytest.fixture(scope="module")
def global_model() -> nn.Module:
    """Return a model that knows the digits: the toy case of an attack on the global model."""
    digits = load("digits", None)
    model = models.build("digits-cnn", FACTS.shape, FACTS.outputs, generator(0, "model"))
    images, labels = to_float(digits.train.images), digits.train.labels
    optimizer = make_optimizer(model, OptimizerSettings(lr=0.1))
    train(model, images, labels, optimizer=optimizer, batch_size=32, epochs=3, generator=generator(0))
    return model.eval().requires_grad_(requires_grad=False)


def make(name: str) -> ParticipantAttack:
    """Build the attack's toy case."""
    return registry.participant_attack(name, TOY[name], FACTS, generator(1))


def view_of(model: nn.Module, server_round: int = 1) -> ParticipantView:
    """Return a round in which the participant holds eight grey images of class 0."""
    own = Images(torch.zeros(8, *FACTS.shape), torch.zeros(8, dtype=torch.int64))
    return ParticipantView(round=server_round, global_model=model, own_data=own, accuracy=0.9)


def same(left: Mapping[str, torch.Tensor], right: Mapping[str, torch.Tensor]) -> bool:
    """Return whether two states are equal to the last bit."""
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


@pytest.mark.parametrize("name", registry.names(ParticipantView))
def test_an_attack_is_determined_by_its_seed(name: str, global_model: nn.Module) -> None:
    """Two attacks with the same generators end in the same state and the same loot."""
    first, second = make(name), make(name)
    for attack in (first, second):
        attack.observe(view_of(global_model), generator(2))
    assert same(first.state_dict(), second.state_dict())
    assert torch.equal(first.loot(5, generator(3)).images, second.loot(5, generator(3)).images)


@pytest.mark.parametrize("name", registry.names(ParticipantView))
def test_an_attack_leaves_its_view_and_the_global_randomness_alone(name: str, global_model: nn.Module) -> None:
    """Neither the model, nor the data, nor PyTorch's global generator change."""
    view, before = view_of(global_model), copy.deepcopy(global_model.state_dict())
    torch.manual_seed(7)
    randomness = torch.get_rng_state()
    make(name).observe(view, generator(2))
    assert torch.equal(torch.get_rng_state(), randomness)
    assert same(dict(global_model.state_dict()), dict(before))
    assert torch.equal(view.own_data.images, torch.zeros(8, *FACTS.shape))


@pytest.mark.parametrize("name", registry.names(ParticipantView))
def test_an_attack_returns_finite_images_of_the_right_shape(name: str, global_model: nn.Module) -> None:
    """What it trains on and what it steals are images in [-1, 1] with labels that the model has outputs for."""
    attack = make(name)
    for images in (attack.observe(view_of(global_model), generator(2)), attack.loot(9, generator(3))):
        assert images.images.shape[1:] == FACTS.shape
        assert images.images.isfinite().all()
        assert images.images.abs().max() <= 1
        assert len(images.images) == len(images.labels)
        assert images.labels.max() < FACTS.outputs


@pytest.mark.parametrize("name", registry.names(ParticipantView))
def test_an_attack_goes_on_from_its_saved_state(name: str, global_model: nn.Module) -> None:
    """Saving and restoring between two rounds changes nothing."""
    straight, saved, restored = make(name), make(name), make(name)
    for attack in (straight, saved):
        attack.observe(view_of(global_model), generator(2))
    restored.load_state_dict(saved.state_dict())
    for attack in (straight, restored):
        attack.observe(view_of(global_model, 2), generator(4))
    assert same(straight.state_dict(), restored.state_dict())


@pytest.mark.parametrize("name", registry.names(ParticipantView))
def test_an_attack_beats_chance_on_its_toy_case(name: str, global_model: nn.Module) -> None:
    """After three rounds the global model takes more than half of the loot for the target; chance is a tenth."""
    attack = make(name)
    for server_round in (1, 2, 3):
        attack.observe(view_of(global_model, server_round), generator(server_round))
    answers = logits(global_model, attack.loot(50, generator(9)).images).argmax(1)
    assert (answers == TARGET).double().mean() > 0.5


@pytest.mark.parametrize("name", registry.names(ParticipantView))
def test_options_survive_the_way_through_a_scenario(name: str) -> None:
    """Options parsed, written as plain values and parsed again are equal."""
    options = registry.options(name, TOY[name])
    assert registry.options(name, to_dict(options)) == options


def test_every_attack_has_one_of_the_three_views() -> None:
    """It is a participant's or the server's, or is asked about records."""
    names = registry.names()
    assert sorted(names) == sorted(name for view in registry.WHO for name in registry.names(view))
    assert "margin-threshold" in registry.names(RecordView)
    assert "gan" in registry.names(ParticipantView)
    assert all(registry.module(name).VIEW in registry.WHO for name in names)


def test_an_attack_in_the_wrong_place_is_refused_with_the_right_one(toy_attack: str) -> None:
    """A participant's attack on the server, and the other way round."""
    with pytest.raises(SettingsError, match=r"Expected a server's attack, got 'gan'\. .* put it under clients"):
        registry.server_attack("gan", TOY["gan"], FACTS, generator(0))
    with pytest.raises(SettingsError, match=rf"a participant's attack, got '{toy_attack}'\. .* under server\.attack"):
        registry.participant_attack(toy_attack, {"victim": 0}, FACTS, generator(0))
    with pytest.raises(SettingsError, match=r"server\.attack_options to have the key 'victim'"):
        registry.server_attack(toy_attack, {}, FACTS, generator(0))


def test_an_unknown_attack_is_refused_with_the_nearest_name() -> None:
    """A mistyped name gets a hint."""
    with pytest.raises(SettingsError, match="Did you mean 'gan'"):
        registry.module("gam")

"""The contract of every server's attack that is found in the folder, and of the one that tests use."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import server_attacks
import torch
from torch import Tensor, nn

from attacks import registry
from attacks.views import ServerAttack, ServerView
from task import models
from task.datasets import Dataset, load, to_float
from task.facts import Images, TaskFacts
from task.seeding import generator
from task.settings import OptimizerSettings, parse, to_dict
from task.training import logits, make_optimizer, train

FACTS = TaskFacts(shape=(1, 8, 8), classes=10, outputs=10, model="digits-cnn", clients=3)
VICTIM, ROUNDS, OWNED = 1, 2, {0: (0, 1, 2), 1: (3, 6, 9), 2: (4, 5, 7, 8)}
MGAN = {"victim": VICTIM, "network": "small", "representatives": {"images": 3, "iterations": 2, "solver": "adam"}}
QUICK = {"steps": 4, "discriminator_steps": 1}
WEIGHTS = {"lambda1": 0.05, "lambda2": 4.0, "obfuscation": "max", "similarity": "mean"}
ANTI_GAN = {"defense": "anti-gan", "mixing_ratio": 0.25, **WEIGHTS}
KNOWN = {"knows": True, "known": ANTI_GAN}
TOY: dict[str, dict[str, Any]] = {
    "toy": {"victim": VICTIM},
    "toy, active": {"victim": VICTIM, "active": True},
    "mgan-ai": MGAN | QUICK,
    "mgan-ai, active": MGAN | QUICK | {"mode": "active"},
    "mgan-ai, repaired": MGAN | QUICK | {"recipe": "repaired", "average": 0.9, "turned": 30.0},
    "mgan-ai, repaired, active": MGAN | QUICK | {"recipe": "repaired", "mode": "active", "start_round": 2},
    "model-inversion": {"images": 2, "steps": 60, "denoise_every": 10, "every": 1},
    "published-set": {"victim": VICTIM, "network": "small", "steps": 3, "every": 1},
    "published-set, adaptive": {"victim": VICTIM, "network": "small", "steps": 3, "every": 1} | KNOWN,
}
"""Toy cases "name" or "name, variant", each with its options; a new attack needs one here at least."""
CASES = [case for case in TOY if case.split(",")[0] in {"toy", *registry.names(ServerView)}]
LEARNS: dict[str, dict[str, Any]] = {
    "mgan-ai": MGAN | {"recipe": "repaired", "steps": 60, "discriminator_steps": 1, "lr": 0.002},
    "published-set": {"victim": VICTIM, "network": "small", "steps": 150, "lr": 0.001},
}
"""For attacks that learn something in two rounds the options with which they do."""


def test_every_attack_has_a_toy_case() -> None:
    """An attack without one would not be checked at all."""
    assert set(registry.names(ServerView)) <= {case.split(",")[0] for case in TOY}


def make(case: str) -> ServerAttack:
    """Build a toy case."""
    name = case.split(",", maxsplit=1)[0]
    if name == "toy":
        options = parse(server_attacks.Options, TOY[case], "options")
        return server_attacks.build(options, FACTS, generator(1))
    return registry.server_attack(name, TOY[case], FACTS, generator(1))


def held_by(digits: Dataset, client: int) -> Images:
    """Return 90 images of a client's own classes; the victim trains on them as they are, and publishes them."""
    own = torch.isin(digits.train.labels, torch.tensor(OWNED[client])).nonzero()[:90, 0]
    return Images(to_float(digits.train.images[own]), digits.train.labels[own])


def local(start: Mapping[str, Tensor], digits: Dataset, client: int, number: int) -> dict[str, Tensor]:
    """Return a client's weights after an epoch on 90 images of its own classes."""
    model = models.build("digits-cnn", FACTS.shape, FACTS.outputs, torch.Generator())
    model.load_state_dict(start)
    own = held_by(digits, client)
    optimizer = make_optimizer(model, OptimizerSettings(lr=0.1))
    train(
        model,
        own.images,
        own.labels,
        optimizer=optimizer,
        batch_size=16,
        epochs=1,
        generator=generator(0, client, number),
    )
    return models.weights(model)


def frozen(weights: Mapping[str, Tensor]) -> nn.Module:
    """Return the shared model with these weights."""
    model = models.build("digits-cnn", FACTS.shape, FACTS.outputs, torch.Generator())
    model.load_state_dict(weights)
    return model.eval().requires_grad_(requires_grad=False)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """Return the 8x8 digits."""
    return load("digits", None)


@pytest.fixture(scope="module")
def before(digits: Dataset) -> dict[str, Tensor]:
    """Return a global model that knows the digits: most attacks wait for that."""
    model = models.build("digits-cnn", FACTS.shape, FACTS.outputs, generator(0, "model"))
    images, labels = to_float(digits.train.images), digits.train.labels
    optimizer = make_optimizer(model, OptimizerSettings(lr=0.1))
    train(model, images, labels, optimizer=optimizer, batch_size=32, epochs=2, generator=generator(0))
    return models.weights(model)


def federate(attack: ServerAttack, before: dict[str, Tensor], digits: Dataset) -> list[ServerView]:
    """Run rounds of three clients under an attack, FedAvg without Flower; return the views."""
    views: list[ServerView] = []
    for number in range(1, ROUNDS + 1):
        views.append(one_round(attack, before, digits, number))
        attack.observe(views[-1], generator(2, number))
        before = models.weights(views[-1].aggregate)
    return views


def one_round(attack: ServerAttack, before: dict[str, Tensor], digits: Dataset, number: int) -> ServerView:
    """Let the clients train on what the attack lets them have; return what the server sees."""
    sent = {client: attack.outgoing(client, before) for client in OWNED}
    after = {client: local(sent[client], digits, client, number) for client in OWNED}
    others = [weights for client, weights in after.items() if client not in attack.isolated]
    mean = {name: torch.stack([weights[name] for weights in others]).mean(0) for name in before}
    return ServerView(
        round=number,
        last=number == ROUNDS,
        global_model=frozen(before),
        aggregate=frozen(mean),
        updates={
            client: {name: weights[name] - sent[client][name] for name in before} for client, weights in after.items()
        },
        accuracy=0.9,
        auxiliary=Images(to_float(digits.test.images), digits.test.labels),
        published={VICTIM: held_by(digits, VICTIM)},
    )


def watched(case: str, views: list[ServerView]) -> ServerAttack:
    """Return the attack after these rounds."""
    attack = make(case)
    for number, view in enumerate(views, start=1):
        attack.observe(view, generator(2, number))
    return attack


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> str:
    """Return the name of a toy case."""
    return str(request.param)


@pytest.fixture(scope="module")
def views(case: str, before: dict[str, Tensor], digits: Dataset) -> list[ServerView]:
    """Return the views of a federation under the attack."""
    return federate(make(case), before, digits)


def same(left: Mapping[str, Tensor], right: Mapping[str, Tensor]) -> bool:
    """Return whether two states are equal to the last bit."""
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


def test_an_attack_is_determined_by_its_seed(case: str, views: list[ServerView]) -> None:
    """Two attacks with the same generators end in the same state and the same loot."""
    first, second = watched(case, views), watched(case, views)
    assert same(first.state_dict(), second.state_dict())
    assert torch.equal(first.loot(3, generator(3)).images, second.loot(3, generator(3)).images)
    assert torch.equal(first.control(3, generator(3)).images, second.control(3, generator(3)).images)


def test_an_attack_leaves_its_view_and_the_global_randomness_alone(case: str, views: list[ServerView]) -> None:
    """Neither models, updates and auxiliary data change, nor PyTorch's global generator, nor which weights learn."""
    view = views[0]
    kept = copy.deepcopy(view)
    torch.manual_seed(7)
    randomness = torch.get_rng_state()
    attack = watched(case, views)
    attack.loot(2, generator(3))
    attack.control(2, generator(3))
    attack.outgoing(0, kept.updates[0])
    assert torch.equal(torch.get_rng_state(), randomness)
    for now, then in ((view.global_model, kept.global_model), (view.aggregate, kept.aggregate)):
        assert same(now.state_dict(), then.state_dict())
        assert not now.training
        assert not any(parameter.requires_grad for parameter in now.parameters())
    assert list(view.updates) == list(kept.updates)
    assert all(same(view.updates[client], kept.updates[client]) for client in OWNED)
    assert torch.equal(view.auxiliary.images, kept.auxiliary.images)


def test_what_is_sent_is_a_model(case: str, views: list[ServerView], before: dict[str, Tensor]) -> None:
    """Who is not isolated gets the very weights that were given; whoever is gets finite ones of the same shapes."""
    attack = watched(case, views)
    for client in OWNED:
        kept = {name: tensor.clone() for name, tensor in before.items()}
        sent = attack.outgoing(client, before)
        assert same(before, kept)
        if client not in attack.isolated:
            assert sent is before
        assert {name: tensor.shape for name, tensor in sent.items()} == {
            name: tensor.shape for name, tensor in before.items()
        }
        assert all(tensor.isfinite().all() and tensor.dtype == torch.float32 for tensor in sent.values())


def test_what_is_stolen_are_images(case: str, views: list[ServerView]) -> None:
    """Finite, of the data's shape, in [-1, 1], so many for each category; nothing before the first round."""
    assert len(make(case).loot(4, generator(3)).images) == 0
    attack = watched(case, views)
    assert attack.started
    loot, control, found = attack.loot(4, generator(3)), attack.control(4, generator(4)), attack.representatives()
    assert len(loot.images)
    assert set(found) <= set(OWNED)
    for images in (loot, control, *found.values()):
        assert images.images.shape[1:] == FACTS.shape
        assert images.images.dtype == torch.float32
        assert images.labels.dtype == torch.int64
        assert images.images.isfinite().all()
        assert bool((images.images.abs() <= 1).all())
        assert len(images.images) == len(images.labels)
        assert set(images.labels.tolist()) <= set(range(FACTS.classes))
    for images in (loot, control):
        assert set(torch.bincount(images.labels).tolist()) <= {0, 4}
    assert all(isinstance(value, float) for value in attack.metrics().values())


def test_an_attack_goes_on_from_its_saved_state(case: str, views: list[ServerView]) -> None:
    """Saving and restoring between two rounds changes nothing, neither in the state nor in what is sent and stolen."""
    straight = watched(case, views)
    restored = make(case)
    state = {name: tensor.clone() for name, tensor in watched(case, views[:-1]).state_dict().items()}
    restored.load_state_dict(state)
    restored.observe(views[-1], generator(2, ROUNDS))
    assert same(straight.state_dict(), restored.state_dict())
    assert torch.equal(straight.loot(2, generator(3)).images, restored.loot(2, generator(3)).images)
    assert straight.isolated == restored.isolated
    update = views[0].updates[0]
    assert all(same(straight.outgoing(one, update), restored.outgoing(one, update)) for one in OWNED)


def test_a_missing_victim_stops_nothing(case: str, views: list[ServerView]) -> None:
    """Its first or its second reply does not come: the attack goes on with what it has."""
    for missing in (0, 1):
        some = list(views)
        left = {client: update for client, update in views[missing].updates.items() if client != VICTIM}
        fields = {name: getattr(views[missing], name) for name in ServerView.__dataclass_fields__}
        some[missing] = ServerView(**fields | {"updates": left})
        assert watched(case, some).loot(1, generator(3)).images.isfinite().all()


@pytest.mark.parametrize("name", sorted(LEARNS.keys() & set(registry.names(ServerView))))
def test_an_attack_beats_chance(name: str, before: dict[str, Tensor], digits: Dataset) -> None:
    """An independent model is right about more than half of the loot of the victim's classes; chance is a tenth."""
    attack = registry.server_attack(name, LEARNS[name], FACTS, generator(1))
    federate(attack, before, digits)
    loot = attack.loot(20, generator(9))
    other = models.build("digits-cnn", FACTS.shape, FACTS.outputs, generator(5, "another model"))
    optimizer = make_optimizer(other, OptimizerSettings(lr=0.1))
    images, labels = to_float(digits.test.images), digits.test.labels
    train(other, images, labels, optimizer=optimizer, batch_size=32, epochs=10, generator=generator(6))
    wanted = torch.isin(loot.labels, torch.tensor(OWNED[VICTIM]))
    answers = logits(other.eval(), loot.images[wanted]).argmax(1)
    assert (answers == loot.labels[wanted]).double().mean() > 0.5


@pytest.mark.parametrize("name", registry.names(ServerView))
def test_options_survive_the_way_through_a_scenario(name: str) -> None:
    """Options parsed, written as plain values and parsed again are equal."""
    toys = [values for toy, values in TOY.items() if toy.split(",")[0] == name]
    for options in (registry.options(name, values) for values in toys):
        assert registry.options(name, to_dict(options)) == options

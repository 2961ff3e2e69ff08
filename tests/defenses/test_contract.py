"""The contract of every defence that is found in the folder, and the registry."""

import copy
from typing import Any

import pytest
import torch

from defenses import registry
from defenses.protocols import DataDefense, Trained
from task import models
from task.datasets import load, to_float
from task.facts import Images, TaskFacts
from task.seeding import generator
from task.settings import SettingsError, to_dict

FACTS = TaskFacts(shape=(1, 8, 8), classes=10, outputs=10, model="digits-cnn", clients=6)
TOY: dict[str, dict[str, Any]] = {
    "anti-gan": {"network": "small", "steps": 3, "batch_size": 8, "latent_steps": 2, "mixing_ratio": 0.25},
    "fixed-noise": {"mixing_ratio": 0.25},
    "undefended": {},
    "clip-and-noise": {"norm": 0.5, "noise_multiplier": 0.1},
    "compression": {"keep": 0.5, "levels": 2},
    "def-mia": {"objective": "literal", "steps": 20, "surrogate_steps": 20},
    "temperature": {"temperature": 2.0},
    "local-dp": {"norm": 0.5, "epsilon": 1.0},
}
"""For each defence the options of its toy case; a new defence needs an entry here."""
DRAWS_NOTHING = {"undefended", "temperature"}
BUILT = sorted(
    {*registry.names(registry.DATA), *registry.names(registry.UPDATE), *registry.names(registry.MODEL)}
)  # a mod of Flower's is not built here


def own_images(each: int = 20) -> Images:
    """Return as many sixes and sevens."""
    digits = load("digits", None)
    labels = digits.train.labels
    chosen = torch.cat([(labels == one).nonzero()[:each, 0] for one in (6, 7)])
    return Images(to_float(digits.train.images[chosen]), labels[chosen])


def an_update() -> dict[str, torch.Tensor]:
    """Return an update of two tensors."""
    draws = generator(5)
    return {"weight": torch.randn(4, 3, generator=draws), "bias": torch.randn(4, generator=draws)}


def a_model() -> Trained:
    """Return a model of random weights, twenty images that it is said to have been trained on, and twenty others."""
    model = models.build("digits-cnn", FACTS.shape, FACTS.outputs, generator(4)).eval()
    with torch.no_grad():
        for parameter in model[-1].parameters():  # it is sure of its answers
            parameter.mul_(20)
    own = own_images()
    images = (Images(own.images[half], own.labels[half]) for half in torch.arange(40).view(20, 2).unbind(1))
    return Trained(before=models.weights(model), model=model, own=next(images), spare=next(images))


def outcome(name: str, seed: int = 2) -> dict[str, torch.Tensor]:
    """Return what the toy case publishes or sends."""
    if name in registry.names(registry.UPDATE):
        return registry.update_defense(name, TOY[name], FACTS, generator(1)).protect(an_update(), generator(seed))
    if name in registry.names(registry.MODEL):
        return registry.model_defense(name, TOY[name], FACTS, generator(1)).protect(a_model(), generator(seed)).weights
    return fitted(name, own_images(), seed).state_dict()


def fitted(name: str, own: Images, seed: int = 2) -> DataDefense:
    """Return the toy case of a defence that acts on the data, fitted."""
    defense = registry.data_defense(name, TOY[name], FACTS, generator(1))
    defense.fit(own, generator(seed), lambda _: None)
    return defense


@pytest.mark.parametrize("name", BUILT)
def test_a_defence_is_determined_by_its_seed(name: str) -> None:
    """The same generators give the same to the last bit, another one something else, where anything is drawn."""
    first, again, other = outcome(name), outcome(name), outcome(name, seed=3)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert all(torch.equal(first[key], other[key]) for key in first) == (name in DRAWS_NOTHING)


@pytest.mark.parametrize("name", registry.names(registry.DATA))
def test_no_gradient_leads_back_to_the_real_images(name: str) -> None:
    """Real images that ask for gradients: what is published of them, or made from them, does not."""
    own = own_images()
    shown = fitted(name, Images(own.images.requires_grad_(), own.labels)).published
    assert len(shown.labels)
    assert not shown.images.requires_grad


@pytest.mark.parametrize("name", BUILT)
def test_a_defence_leaves_its_inputs_and_the_global_randomness_alone(name: str) -> None:
    """Neither images, nor update, nor PyTorch's global generator change."""
    torch.manual_seed(7)
    randomness, own, update, trained = torch.get_rng_state(), own_images(), an_update(), a_model()
    before, weights = copy.deepcopy((own, update)), models.weights(trained.model)
    if name in registry.names(registry.UPDATE):
        registry.update_defense(name, TOY[name], FACTS, generator(1)).protect(update, generator(2))
    elif name in registry.names(registry.MODEL):
        registry.model_defense(name, TOY[name], FACTS, generator(1)).protect(trained, generator(2))
    else:
        fitted(name, own)
    assert torch.equal(torch.get_rng_state(), randomness)
    assert all(torch.equal(weights[key], one) for key, one in models.weights(trained.model).items())
    assert torch.equal(own.images, before[0].images)
    assert torch.equal(own.labels, before[0].labels)
    assert all(torch.equal(update[key], before[1][key]) for key in update)


@pytest.mark.parametrize("name", registry.names(registry.UPDATE))
def test_what_is_sent_has_the_update_s_shape(name: str) -> None:
    """The same names, shapes and types, all finite."""
    sent, update = outcome(name), an_update()
    assert {key: (one.shape, one.dtype) for key, one in sent.items()} == {
        key: (one.shape, one.dtype) for key, one in update.items()
    }
    assert all(one.isfinite().all() for one in sent.values())


@pytest.mark.parametrize("name", registry.names(registry.UPDATE))
def test_an_update_that_is_not_finite_is_refused(name: str) -> None:
    """Nothing comes back that could be sent."""
    broken = an_update() | {"bias": torch.tensor([1.0, torch.nan])}
    with pytest.raises(FloatingPointError, match="finite"):
        registry.update_defense(name, TOY[name], FACTS, generator(1)).protect(broken, generator(2))


@pytest.mark.parametrize("name", registry.names(registry.DATA))
def test_what_is_published_is_as_many_images_of_the_same_classes(name: str) -> None:
    """Twenty of each class, in [-1, 1]; at MR 0.25 four of them, a fifth, are real, and only those marked so.

    Without a defence all are real.
    """
    own = own_images()
    defense = fitted(name, own)
    shown, genuine = defense.published, defense.genuine
    assert shown.images.shape == own.images.shape
    assert shown.images.isfinite().all()
    assert shown.images.abs().max() <= 1
    assert shown.labels.dtype == torch.int64
    assert sorted(shown.labels.tolist()) == [6] * 20 + [7] * 20
    real_each = 20 if name == "undefended" else 4
    assert sorted(shown.labels[genuine].tolist()) == [6] * real_each + [7] * real_each
    real = {image.numpy().tobytes() for image in own.images}
    assert [image.numpy().tobytes() in real for image in shown.images] == genuine.tolist()


@pytest.mark.parametrize("name", registry.names(registry.MODEL))
def test_what_is_sent_of_a_model_differs_in_its_last_layer_alone(name: str) -> None:
    """The same names, shapes and types, all finite, and no memory shared with the model; metrics are numbers."""
    trained = a_model()
    found = registry.model_defense(name, TOY[name], FACTS, generator(1)).protect(trained, generator(2))
    before = models.weights(trained.model)
    assert {key: (one.shape, one.dtype) for key, one in found.weights.items()} == {
        key: (one.shape, one.dtype) for key, one in before.items()
    }
    differ = {key for key, one in found.weights.items() if not torch.equal(one, before[key])}
    assert differ == {"7.weight", "7.bias"}
    assert all(one.isfinite().all() for one in found.weights.values())
    assert {"loss_rise", "labels_changed"} <= found.metrics.keys()
    with torch.no_grad():
        for parameter in trained.model.parameters():
            parameter.zero_()
    assert all(one.count_nonzero() for one in found.weights.values())


@pytest.mark.parametrize("name", registry.names(registry.MODEL))
def test_a_model_that_is_not_finite_is_refused(name: str) -> None:
    """Nothing comes back that could be sent."""
    trained = a_model()
    with torch.no_grad():
        next(reversed(list(trained.model.parameters())))[0] = torch.nan
    with pytest.raises(FloatingPointError, match="finite"):
        registry.model_defense(name, TOY[name], FACTS, generator(1)).protect(trained, generator(2))


def test_whoever_knows_a_defence_can_rehearse_it() -> None:
    """The same generator gives what the defended participant sends, of a model as well as of an update; or nothing."""
    trained = a_model()
    parts = (trained.before, trained.model, trained.own, trained.spare)
    for name in ("def-mia", "clip-and-noise"):
        made = registry.rehearsed({"defense": name, "options": TOY[name]}, FACTS)
        assert made is not None
        theirs = registry.sent(name, TOY[name], FACTS, trained, (generator(1), generator(2))).weights
        ours = made(*parts, generator(2))
        assert all(torch.equal(theirs[key], ours[key]) for key in theirs)
    assert registry.rehearsed(None, FACTS) is None


@pytest.mark.parametrize("name", registry.names(registry.DATA))
def test_published_images_are_copies(name: str) -> None:
    """No gradient leads from them to the participant's own images, and no memory is shared with those."""
    own = own_images()
    own.images.requires_grad_()
    shown = fitted(name, own).published.images
    assert not shown.requires_grad
    kept = shown.clone()
    with torch.no_grad():
        own.images.zero_()
    assert own.images.grad is None
    assert torch.equal(shown, kept)


@pytest.mark.parametrize("name", registry.names(registry.DATA))
def test_a_fit_is_not_repeated_after_its_state_was_kept(name: str) -> None:
    """What is published comes back from the state; before the fit there is nothing."""
    before, after = fitted(name, own_images()), registry.data_defense(name, TOY[name], FACTS, generator(9))
    assert len(after.published.labels) == 0
    assert after.metrics() == {}
    after.load_state_dict(before.state_dict())
    assert torch.equal(after.published.images, before.published.images)
    assert torch.equal(after.published.labels, before.published.labels)
    assert torch.equal(after.genuine, before.genuine)
    assert before.metrics()["made"] == 40 - before.genuine.sum()


@pytest.mark.parametrize("name", registry.names())
def test_options_survive_the_way_through_a_scenario(name: str) -> None:
    """Options parsed, written as plain values and parsed again are equal."""
    options = registry.options(name, TOY[name])
    assert registry.options(name, to_dict(options)) == options


def test_every_defence_acts_on_one_of_four_things() -> None:
    """The data, the update, the model that it is of or, as Flower's own mod does, the reply."""
    assert sorted(registry.names()) == sorted([*BUILT, *registry.names(registry.REPLY)])
    assert registry.names(registry.REPLY) == ["local-dp"]
    assert {"anti-gan", "fixed-noise"} <= set(registry.names(registry.DATA))
    assert "clip-and-noise" in registry.names(registry.UPDATE)
    assert registry.names(registry.MODEL) == ["def-mia", "temperature"]


def test_an_unknown_or_unfit_defence_is_refused() -> None:
    """A mistyped name gets a hint; one that acts on the data is none for the update."""
    with pytest.raises(SettingsError, match="Did you mean 'anti-gan'"):
        registry.module("anti-gen")
    with pytest.raises(
        SettingsError, match=r"acts on the update \(one of: clip-and-noise, compression\), got 'anti-gan'"
    ):
        registry.update_defense("anti-gan", {}, FACTS, generator(0))

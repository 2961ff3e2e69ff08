"""Defended participants: what leaves them, what is fitted when, and what happens when a fit fails."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from flwr.app import Context, RecordDict
from torch import Tensor

from client_app import defended, honest
from client_app.participant import Participant
from client_app.update import Received, Update
from defenses import compression
from defenses.clip_and_noise import norm_of
from task import models
from task.datasets import load
from task.facts import Images
from task.runs import read_arrays
from task.seeding import generator
from task.settings import SettingsError, TaskSettings

ANTI_GAN = {"network": "small", "steps": 3, "batch_size": 8, "latent_steps": 1, "lambda2": 4.0}


def context() -> Context:
    """Return an empty context."""
    return Context(run_id=1, node_id=2, node_config={}, state=RecordDict(), run_config={})


def participant(path: Path, defense: str = "anti-gan", client: int = 1, **behaviour: Any) -> Participant:
    """Return a defended participant that holds forty digits of its own copy of them."""
    digits = load("digits")
    labels = digits.train.labels
    chosen = torch.cat([(labels == one).nonzero()[:20, 0] for one in (6, 7)])
    copied = type(digits.train)(**{**vars(digits.train), "images": digits.train.images.clone()})
    return Participant(
        client=client,
        seed=0,
        task=TaskSettings(dataset="digits", model="digits-cnn", batch_size=10, images_per_round=15),
        dataset=type(digits)(**{**vars(digits), "train": copied}),
        indices=chosen,
        device="cpu",
        behaviour={"defense": defense, "options": ANTI_GAN, "published": str(path), **behaviour},
        rounds=3,
        clients=4,
    )


def received(server_round: int = 1) -> Received:
    """Return a train message with the model of seed 0."""
    model = models.build("digits-cnn", (1, 8, 8), 10, generator(0, "model"))
    return Received(round=server_round, accuracy=0.1, proximal_mu=0.0, weights=models.weights(model))


def fits(path: Path) -> list[dict[str, Any]]:
    """Return what the participant noted of its fits."""
    return [json.loads(line) for line in (path / "fit.jsonl").read_text(encoding="utf-8").splitlines()]


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    """Return whether two sets of weights are equal to the last bit."""
    return all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize(("ratio", "real"), [(0.0, 0), (0.25, 8)])
def test_only_what_is_published_enters_the_shared_training(
    ratio: float, real: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real images are swapped for others right after the fit: what is sent stays the same, to the last bit.

    At MR 0 no image that is trained on is a real one; at 0.25 only such as are marked so, a fifth of forty.
    """
    behaviour = {"options": {**ANTI_GAN, "mixing_ratio": ratio}}
    plain = defended.train(participant(tmp_path / "a", **behaviour), received(), context())
    who, trained_on = participant(tmp_path / "b", **behaviour), []
    held = who.held().images
    train = defended.local_round

    def swapped(one: Participant, message: Received, images: Images, state: dict[str, Tensor]) -> Update:
        assert one is who
        one.dataset.train.images.fill_(7)
        trained_on.extend(images.images)
        return train(one, message, images, state)

    monkeypatch.setattr(defended, "local_round", swapped)
    again = defended.train(who, received(), context())
    assert same(plain.weights, again.weights)
    assert plain.examples == again.examples == 15
    with np.load(tmp_path / "b" / "published.npz") as arrays:
        assert arrays["images"].shape == (40, 1, 8, 8)
        assert sorted(arrays["labels"]) == [6] * 20 + [7] * 20
        assert arrays["genuine"].sum() == real
        published = {
            image.tobytes(): genuine for image, genuine in zip(arrays["images"], arrays["genuine"], strict=True)
        }
    mine = {image.numpy().tobytes() for image in held}
    assert len(trained_on) == 15
    assert all(published[image.numpy().tobytes()] == (image.numpy().tobytes() in mine) for image in trained_on)


def test_a_fit_is_repeated_only_when_something_has_changed(tmp_path: Path) -> None:
    """Not in the next round; for other options, for other images, and for both once only."""
    where = context()
    for server_round in (1, 2):
        defended.train(participant(tmp_path), received(server_round), where)
    assert [line["round"] for line in fits(tmp_path)] == [1]
    changed = {**ANTI_GAN, "lambda2": 5.0}
    for server_round in (3, 4):
        defended.train(participant(tmp_path, options=changed), received(server_round), where)
    other = participant(tmp_path, options=changed)
    other.dataset.train.images[other.indices[0]] = 0
    for server_round in (5, 6):
        defended.train(other, received(server_round), where)
    assert [line["round"] for line in fits(tmp_path)] == [1, 3, 5]
    assert {"seconds", "made", "real", "diversity", "generator_loss"} <= set(fits(tmp_path)[0])


def test_a_fit_is_refreshed_as_often_as_asked(tmp_path: Path) -> None:
    """Every second round, also where the participant missed one; each time other look-alikes."""
    where, published = context(), []
    for server_round in (1, 2, 4, 5):
        defended.train(participant(tmp_path, refresh=2), received(server_round), where)
        published.append((tmp_path / "published.npz").read_bytes())
    assert [line["round"] for line in fits(tmp_path)] == [1, 4, 5]
    assert published[0] == published[1]
    assert len(set(published)) == 3


def test_refreshed_it_shows_no_real_images_but_those_that_it_has_shown(tmp_path: Path) -> None:
    """At MR 0.25 three fits publish other look-alikes and the same real images, which are a fifth, and no more."""
    where, shown, made = context(), set(), set()
    for server_round in (1, 2, 3):
        one = participant(tmp_path, refresh=1, options={**ANTI_GAN, "mixing_ratio": 0.25})
        defended.train(one, received(server_round), where)
        arrays = read_arrays(tmp_path / "published.npz")
        images, genuine = arrays["images"].numpy(), arrays["genuine"].bool().tolist()
        shown |= {image.tobytes() for image, real in zip(images, genuine, strict=True) if real}
        made |= {image.tobytes() for image, real in zip(images, genuine, strict=True) if not real}
    assert len(shown) == fits(tmp_path)[-1]["real"] == sum(genuine)
    assert len(made) > 2 * (len(genuine) - sum(genuine))


def test_a_fit_that_fails_sends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an update nor a published set; the context is as before."""
    where, trained = context(), []
    monkeypatch.setattr(defended, "local_round", lambda *_: trained.append(1))
    broken = participant(tmp_path, options={**ANTI_GAN, "lr": 1e30, "steps": 30})
    with pytest.raises(FloatingPointError, match="finite"):
        defended.train(broken, received(), where)
    assert trained == []
    assert not list(tmp_path.iterdir())
    assert "defense" not in where.state


def test_an_unknown_defence_sends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a mistyped one, nor one that acts on something that nobody here knows of: nothing is trained at all."""
    trained: list[int] = []
    monkeypatch.setattr(defended, "local_round", lambda *_: trained.append(1))
    with pytest.raises(SettingsError, match="Did you mean 'anti-gan'"):
        defended.train(participant(tmp_path, "anti-gen"), received(), context())
    monkeypatch.setattr(compression, "ACTS_ON", "gradient")
    with pytest.raises(SettingsError, match=r"what compression acts on .*, got 'gradient'"):
        defended.train(participant(tmp_path, "compression", options={"keep": 0.5}), received(), context())
    assert trained == []


def test_a_protected_update_is_what_the_defence_allows(tmp_path: Path) -> None:
    """Clipped to a norm of 0.01 without noise: that is how far the weights move.

    Noise is the same in every repetition, unless it is secret.
    """
    options = {"norm": 0.01, "noise_multiplier": 0.0}
    who, message = participant(tmp_path, "clip-and-noise", options=options), received()
    update = defended.train(who, message, context())
    moved = {name: update.weights[name] - message.weights[name] for name in message.weights}
    assert norm_of(moved) == pytest.approx(0.01, rel=1e-3)
    noisy = {"norm": 0.01, "noise_multiplier": 1.0}
    first, again = (
        defended.train(participant(tmp_path, "clip-and-noise", options=noisy), message, context()) for _ in range(2)
    )
    assert same(first.weights, again.weights)
    assert not same(first.weights, update.weights)
    hidden = {**noisy, "secret": True}
    first, again = (
        defended.train(participant(tmp_path, "clip-and-noise", options=hidden), message, context()) for _ in range(2)
    )
    assert not same(first.weights, again.weights)
    assert not list(tmp_path.iterdir())


def test_without_a_defence_what_is_sent_is_an_honest_participant_s(tmp_path: Path) -> None:
    """`undefended` publishes the forty images as they are, and trains on the same fifteen as an honest participant."""
    who, message = participant(tmp_path, "undefended", options={}), received()
    ours, theirs = defended.train(who, message, context()), honest.train(who, message, context())
    assert same(ours.weights, theirs.weights)
    with np.load(tmp_path / "published.npz") as arrays:
        assert np.array_equal(arrays["images"], who.held().images.numpy())
        assert arrays["genuine"].all()


def test_a_model_is_changed_before_its_update_is_sent(tmp_path: Path) -> None:
    """Its last layer alone; the rest is what an honest participant sends. What it costs is noted."""
    chosen, options = torch.arange(100, 120), {"temperature": 2.0}
    who = dataclasses.replace(participant(tmp_path, "temperature", options=options), apart=chosen)
    message = received()
    ours, theirs = defended.train(who, message, context()), honest.train(who, message, context())
    for name, tensor in theirs.weights.items():
        torch.testing.assert_close(ours.weights[name], tensor / 2 if name.startswith("7.") else tensor)
    assert [line["round"] for line in fits(tmp_path)] == [1]
    assert {"seconds", "loss_rise", "labels_changed"} <= set(fits(tmp_path)[0])
    assert torch.equal(who.spare().labels, load("digits").train.labels[chosen])

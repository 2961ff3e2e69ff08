"""RIAFI: what a classifier learns of a class from published images."""

from pathlib import Path

import pytest
import torch

from oleander.judge.riafi import Question, Settings, answer
from task.datasets import Dataset, to_float
from task.facts import Images

CLASS = 6
QUICK = Settings(steps=300)


def question(digits: Dataset, published: torch.Tensor, labels: torch.Tensor | None = None) -> Question:
    """Return the question for who holds all sixes and publishes these in their place."""
    own = digits.train.labels == CLASS
    mine = Images(to_float(digits.train.images[own]), digits.train.labels[own])
    return Question(
        model="digits-cnn",
        outputs=10,
        own=mine,
        published=Images(published, torch.full((len(published),), CLASS) if labels is None else labels),
        others=Images(to_float(digits.train.images[~own]), digits.train.labels[~own]),
        test=Images(to_float(digits.test.images), digits.test.labels),
        seed=0,
    )


def of(digits: Dataset, label: int) -> torch.Tensor:
    """Return all training images of a class."""
    return to_float(digits.train.images[digits.train.labels == label])


def test_real_images_are_the_yardstick(digits: Dataset, tmp_path: Path) -> None:
    """Who publishes its own images has exactly the undefended client's numbers, which are high."""
    found = answer(question(digits, of(digits, CLASS)), tmp_path, QUICK)
    for name in ("riafi", "riafi_own", "others_accuracy", "riafi_by_class"):
        assert found[name] == found[f"{name}_undefended"]
    assert found["riafi"] > 0.9
    assert found["riafi_own"] > 0.95
    assert found["others_accuracy"] > 0.9
    assert found["riafi_by_class"] == {"6": found["riafi"]}


def test_noise_teaches_nothing(digits: Dataset, tmp_path: Path) -> None:
    """No real six is taken for one; the other classes are learned all the same."""
    noise = torch.rand(100, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = answer(question(digits, noise), tmp_path, QUICK)
    assert found["riafi"] < 0.05
    assert found["riafi_own"] < 0.05
    assert found["others_accuracy"] > 0.9
    assert found["riafi_undefended"] > 0.9


def test_as_many_images_of_each_class(digits: Dataset, tmp_path: Path) -> None:
    """The fewest of any class, and no more than the settings say."""
    assert answer(question(digits, of(digits, CLASS)[:37]), tmp_path, Settings(steps=1))["images_each"] == 37
    few = Settings(steps=1, images=20)
    assert answer(question(digits, of(digits, CLASS)), tmp_path, few)["images_each"] == 20


def test_a_classifier_is_trained_once(digits: Dataset, tmp_path: Path) -> None:
    """The second time both are fetched, and give the same; other published images need one more."""
    asked = question(digits, of(digits, 3))
    first = answer(asked, tmp_path, QUICK)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(kept) == 2
    assert answer(asked, tmp_path, QUICK) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == kept
    answer(question(digits, of(digits, 4)), tmp_path, QUICK)
    assert len(list(tmp_path.iterdir())) == 3
    assert first["riafi"] == pytest.approx(first["riafi_by_class"]["6"])

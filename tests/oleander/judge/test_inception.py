"""The inception scores of Table III."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from oleander.judge import inception, noise, quality
from oleander.judge.classifier import Judge
from task.datasets import Dataset, to_float
from task.seeding import generator


@pytest.fixture(autouse=True)
def _nothing_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the user's downloads out of it."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))


def test_real_digits_score_near_their_number(judge_model: Judge, digits: Dataset) -> None:
    """Ten classes, told apart with certainty, make nearly ten; images of one class make nearly one."""
    images = to_float(digits.test.images)
    alike = images[digits.test.labels == 3]
    found = inception.scores(judge_model, alike, images, images, generator(0))
    assert found["is_task"] < 1.5
    assert found["is_task_real"] > 8
    assert found["samples"] == len(alike)
    assert found["samples_real"] == len(images)
    assert found["samples_alike"] == len(alike)
    assert found["is_task_alike"] == pytest.approx(found["is_task"])
    assert found["junk_share_real"] < 0.1
    assert 0 < found["is_task_real_std"] < 0.5
    assert found["is_imagenet"] == "not computed"
    assert found["fid"] > 0


def test_noise_is_no_class_and_few_are_compared_with_few(judge_model: Judge, digits: Dataset) -> None:
    """Half of the samples is noise, whose share is told; of 60, 20 are scored beside 20 real images."""
    threes = to_float(digits.test.images[digits.test.labels == 3][:30])
    mixed = torch.cat([threes, noise.saturated(threes, generator(0))])
    found = inception.scores(judge_model, mixed, threes[:20], threes, generator(0))
    assert found["junk_share"] == pytest.approx(0.5, abs=0.05)
    assert found["junk_share_real"] == 0
    assert found["samples_alike"] == 20
    assert 1 <= found["is_task_alike"] <= found["is_task"]


def test_no_more_than_400_samples_are_taken(judge_model: Judge) -> None:
    """As in the paper, so that scores of attacks with more loot compare."""
    found = inception.scores(judge_model, *[torch.zeros(500, 1, 8, 8)] * 3, generator(0))
    assert found["samples"] == found["samples_real"] == 400
    assert found["is_task"] == pytest.approx(1)


def test_splits_are_scored_one_by_one() -> None:
    """Two halves, one certain of two classes, one of one: 2 and 1 make 1.5, and their deviation the root of a half."""
    answers = 1000 * torch.eye(2)[[0, 1, 0, 0]]
    assert inception.in_splits(answers, 2) == (pytest.approx(1.5), pytest.approx(0.5**0.5))


def test_the_bootstrap_is_of_the_score() -> None:
    """Images that get the same answer score 1 however they are drawn; others differ from draw to draw."""
    assert quality.bootstrap(torch.zeros(20, 3), 10, generator(0)) == pytest.approx(0)
    assert quality.bootstrap(5 * torch.eye(3)[torch.arange(20) % 3], 50, generator(0)) > 0.01


def test_imagenets_network_is_asked_in_its_own_size_and_colours() -> None:
    """299 pixels a side, three channels, the same range."""
    seen: list[Tensor] = []

    def network(images: Tensor) -> Tensor:
        seen.append(images)
        return images.flatten(1)[:, :5]

    assert inception.asked(network, torch.full((30, 1, 8, 8), 0.5)).shape == (30, 5)
    assert [tuple(images.shape) for images in seen] == [(25, 3, 299, 299), (5, 3, 299, 299)]
    assert all(torch.allclose(images, torch.tensor(0.5)) for images in seen)


def test_weights_are_used_only_where_they_lie_already(tmp_path: Path) -> None:
    """Nothing is downloaded; a file in torch's folder of downloads is found."""
    assert inception.weights_file() is None
    assert inception.imagenet() is None
    (tmp_path / "checkpoints").mkdir()
    path = tmp_path / "checkpoints" / "inception_v3_google-0cc3c7bd.pth"
    path.write_bytes(b"")
    assert inception.weights_file() == path

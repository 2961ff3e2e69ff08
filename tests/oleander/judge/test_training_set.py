"""The judge's training images and its cache."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from oleander.judge import training_set
from oleander.judge.classifier import Settings, verdicts
from task.datasets import Dataset, to_float


def test_only_images_that_nobody_holds_are_taken_where_there_are_enough() -> None:
    """Of two classes of 100, 40 of the first are held and 90 of the second: 60 are free, of the second all are used."""
    labels = torch.arange(2).repeat_interleave(100)
    held = torch.cat([torch.arange(40), 100 + torch.arange(90)])
    chosen = training_set.choose(labels, 2, held, seed=0)
    assert chosen.indices.tolist() == list(range(40, 200))
    assert chosen.held == 90
    assert chosen.topped_up == (1,)
    assert "70 of them no participant holds" in chosen.words(("a", "b"))
    assert chosen.words(("a", "b")).endswith("90 held ones were taken, too: b")


def test_where_all_are_free_the_words_say_so() -> None:
    """No participant holds anything: every image is used, and none is held."""
    chosen = training_set.choose(torch.arange(2).repeat_interleave(60), 2, torch.empty(0, dtype=torch.int64), seed=0)
    assert chosen.words(("a", "b")) == "120 public training images that no participant holds"


def test_big_classes_are_drawn_from() -> None:
    """1,500 of 4,000, other ones with another seed."""
    labels = torch.zeros(4000, dtype=torch.int64)
    first, again, other = (training_set.choose(labels, 1, torch.arange(100), seed).indices for seed in (0, 0, 1))
    assert len(first) == training_set.MOST
    assert first.min() >= 100
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_judge_is_trained_once(digits: Dataset, tmp_path: Path) -> None:
    """The second time it comes from the cache and says the same; other settings make another file."""
    indices, settings = torch.arange(60), Settings(steps=2)
    folder = tmp_path / "cache"
    first = training_set.trained(digits, indices, settings, folder)
    (path,) = folder.iterdir()
    written = path.stat().st_mtime_ns
    again = training_set.trained(digits, indices, settings, folder)
    assert path.stat().st_mtime_ns == written
    images = to_float(digits.test.images[:50])
    assert torch.equal(first(images), again(images))
    training_set.trained(digits, indices, Settings(steps=3), folder)
    training_set.trained(digits, indices[:50], settings, folder)
    assert len(list(folder.iterdir())) == 3


def test_a_cache_that_cannot_be_written_is_no_reason_not_to_judge(digits: Dataset, tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "cache").write_text("in the way", encoding="utf-8")
    model = training_set.trained(digits, torch.arange(60), Settings(steps=1), tmp_path / "cache")
    assert verdicts(model, to_float(digits.test.images[:5])).shape == (5,)


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """$OLEANDER_CACHE, else ~/.cache/oleander."""
    monkeypatch.setenv("OLEANDER_CACHE", str(tmp_path))
    assert training_set.cache_folder() == tmp_path
    monkeypatch.delenv("OLEANDER_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert training_set.cache_folder() == tmp_path / ".cache" / "oleander"


def test_all_that_is_held_is_gathered(holding: dict[int, Tensor]) -> None:
    """Five participants hold 140 images each; nobody holds nothing."""
    assert len(training_set.together(holding).unique()) == 700
    assert len(training_set.together({})) == 0


def test_the_victims_images_are_never_taken() -> None:
    """All images of the class are held; those of one participant are left out though there are too few others."""
    labels, mine = torch.zeros(60, dtype=torch.int64), torch.arange(40)
    chosen = training_set.choose(labels, 1, torch.arange(60), seed=0, never=mine)
    assert chosen.indices.tolist() == list(range(40, 60))
    assert chosen.topped_up == (0,)

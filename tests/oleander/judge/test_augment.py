"""Augmented images stay images of the same thing."""

import pytest
import torch

from oleander.judge import augment, distances
from task.datasets import Dataset, to_float
from task.private import turned


def test_changes_are_light(digits: Dataset) -> None:
    """In range, by the generator alone, and nearer to their own original than to nine in ten others."""
    images = to_float(digits.train.images[:200])
    before = images.clone()
    changed, again = (augment.lightly(images, torch.Generator().manual_seed(0)) for _ in range(2))
    assert changed.shape == images.shape
    assert -1 <= changed.min() <= changed.max() <= 1
    assert torch.equal(changed, again)
    assert torch.equal(images, before)
    matrix = distances.rmse_matrix(changed, images)
    rank = (matrix < matrix.diag()[:, None]).sum(1)
    assert (rank < 20).double().mean() > 0.9
    assert not torch.allclose(changed, images, atol=0.01)


def test_images_of_unequal_sides_are_turned_not_sheared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without shift, zoom and wear it is the rotation that the victim's images get."""
    monkeypatch.setattr(augment, "SHIFT", 0.0)
    monkeypatch.setattr(augment, "ZOOM", 0.0)
    monkeypatch.setattr(augment, "_worn", lambda images, _: images)
    images, degrees = torch.rand(3, 1, 8, 14, generator=torch.Generator().manual_seed(0)), torch.tensor([30.0, 60, -20])
    moved = augment.lightly(images, torch.Generator(), 0.0, degrees)
    torch.testing.assert_close(moved, turned(images, degrees), atol=1e-5, rtol=0)

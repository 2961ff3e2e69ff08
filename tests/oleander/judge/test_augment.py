"""Augmented images stay images of the same thing."""

import torch

from oleander.judge import augment, distances
from task.datasets import Dataset, to_float


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

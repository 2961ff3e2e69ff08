"""The regularisers, against values by hand."""

import pytest
import torch

from attacks.regularisers import darkness, nothings, sameness, total_variation
from task.seeding import generator


def test_total_variation_by_hand() -> None:
    """[[0, 1], [0, 1]]: no difference downwards, 1 across."""
    image = torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])
    assert total_variation(image).item() == pytest.approx(1.0)


def test_darkness_is_zero_for_black_and_four_for_white() -> None:
    """Black is -1, white 1."""
    assert darkness(torch.full((2, 1, 3, 3), -1.0)).item() == 0
    assert darkness(torch.full((2, 1, 3, 3), 1.0)).item() == pytest.approx(4.0)


def test_sameness_by_hand() -> None:
    """Codes 1 apart, images 0.15 apart: 1 / (0.15 + 0.05)."""
    latents = torch.tensor([[0.0], [1.0]])
    images = torch.stack([torch.zeros(1, 2, 2), torch.full((1, 2, 2), 0.15)])
    assert sameness(latents, images).item() == pytest.approx(5.0)


def test_sameness_punishes_a_collapsed_generator() -> None:
    """Equal images for different codes cost twenty times the distance of the codes."""
    latents = torch.tensor([[0.0], [1.0]])
    assert sameness(latents, torch.zeros(2, 1, 2, 2)).item() == pytest.approx(20.0)


@pytest.mark.parametrize("count", [0, 1, 3, 60])
def test_nothings_come_in_the_asked_number_and_range(count: int) -> None:
    """Any number, also one that the kinds do not divide."""
    images = nothings(count, (1, 8, 8), generator(0))
    assert images.shape == (count, 1, 8, 8)
    assert images.isfinite().all()
    assert count == 0 or images.abs().max() <= 1

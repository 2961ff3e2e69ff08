"""How many images are made and real, and how diversity is measured."""

import math

import pytest
import torch

from defenses.mixing import Settings, diversity, shares
from task.facts import Images
from task.settings import SettingsError

LABELS = torch.tensor([3] * 100 + [5] * 10)


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [(0.0, (100, 0)), (0.25, (80, 20)), (0.5, (67, 33)), (1.0, (50, 50)), (0.1, (91, 9))],
)
def test_the_mixing_ratio_is_real_over_made(ratio: float, expected: tuple[int, int]) -> None:
    """Of a hundred images: 80 to 20 at 0.25, half and half at 1; as many in all as the participant has."""
    assert shares(LABELS, Settings(mixing_ratio=ratio))[3] == expected


def test_the_number_of_images_can_be_set() -> None:
    """Fifteen of each class at MR 0.5: ten made, five real."""
    assert shares(LABELS, Settings(mixing_ratio=0.5, images=15)) == {3: (10, 5), 5: (10, 5)}


@pytest.mark.parametrize("ratio", [-0.1, 1.5, math.nan])
def test_a_ratio_that_is_none_is_refused(ratio: float) -> None:
    """The message says that it is real / made."""
    with pytest.raises(SettingsError, match="real images / made ones"):
        Settings(mixing_ratio=ratio)


def test_a_mix_that_cannot_be_is_refused() -> None:
    """At 0.01 ten images give no real one; 40 at 1 need twenty real ones of a class that has ten."""
    with pytest.raises(SettingsError, match=r"a real image of class 5 at mixing_ratio 0\.01, got 0"):
        shares(LABELS, Settings(mixing_ratio=0.01))
    with pytest.raises(SettingsError, match="at most 10 real images of class 5, got 20"):
        shares(LABELS, Settings(mixing_ratio=1.0, images=40))
    with pytest.raises(SettingsError, match="a made image of class 0"):
        shares(torch.tensor([0]), Settings(mixing_ratio=1.0))


def test_diversity_is_the_mean_distance_within_a_class() -> None:
    """Two images that differ by 1 in every pixel, and two that are equal: (1 + 0) / 2."""
    images = torch.stack([torch.full((1, 2, 2), value) for value in (0.0, 1.0, 0.5, 0.5)])
    assert diversity(Images(images, torch.tensor([0, 0, 1, 1]))) == 0.5
    assert diversity(Images(images[:1], torch.tensor([0]))) == 0.0

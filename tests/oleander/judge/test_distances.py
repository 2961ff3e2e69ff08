"""The distances against numbers worked out by hand and against plain numpy."""

import math

import numpy as np
import pytest
import torch

from oleander.judge import distances


def grey(*levels: float) -> torch.Tensor:
    """2x2 images of one grey each, in [-1, 1]."""
    return torch.tensor(levels, dtype=torch.float32).view(-1, 1, 1, 1).expand(-1, 1, 2, 2).clone()


def test_equation_6_is_the_mean_euclidean_distance_of_pairs_in_unit_pixels() -> None:
    """Black to white over four pixels is 2, black to grey 1, so the mean of (2, 1) is 1.5."""
    assert distances.eq6_pairs(grey(-1), grey(1, 0)) == pytest.approx(1.5)


def test_a_grey_generator_is_13_7_from_black_images_of_784_pixels() -> None:
    """0.5 * sqrt(784) = 14 from black: the size of the numbers that eq. 6 as printed gives, not of the paper's."""
    assert distances.eq6_pairs(torch.zeros(1, 1, 28, 28), torch.full((2, 1, 28, 28), -1.0)) == pytest.approx(14)


def test_the_difference_of_means_takes_batches_of_16() -> None:
    """One batch of white and one of black, against grey: each differs by 0.5, so 0.25, though their mean is grey."""
    fakes = torch.cat([grey(1).repeat(16, 1, 1, 1), grey(-1).repeat(16, 1, 1, 1)])
    assert distances.mse_of_means(fakes, grey(-1, 1)) == pytest.approx(0.25)
    assert distances.mse_of_means(fakes[:20], grey(1)) == pytest.approx(0)
    assert distances.mse_of_means(grey(1, -1), grey(0)) == pytest.approx(0)


def test_the_nearest_image_is_the_one_that_brute_force_finds() -> None:
    """Also beyond the first chunk; the distance of an image to itself is exactly 0."""
    rng = np.random.default_rng(0)
    fakes = rng.uniform(-1, 1, (7, 1, 3, 3)).astype(np.float32)
    reals = rng.uniform(-1, 1, (distances.CHUNK + 100, 1, 3, 3)).astype(np.float32)
    reals[distances.CHUNK + 50] = fakes[3]
    matrix = np.sqrt(((fakes[:, None] - reals[None]) ** 2).mean((2, 3, 4)))
    found, index = distances.nearest(torch.from_numpy(fakes), torch.from_numpy(reals))
    assert index.tolist() == matrix.argmin(1).tolist()
    np.testing.assert_allclose(found.numpy(), matrix.min(1), atol=1e-6)
    assert found[3] == 0
    whole = distances.rmse_matrix(torch.from_numpy(fakes), torch.from_numpy(reals[:10]))
    np.testing.assert_allclose(whole.numpy(), matrix[:, :10], atol=1e-5)


def test_diversity_is_the_mean_distance_of_pairs() -> None:
    """Greys at -1, 0 and 1 are 1, 1 and 2 apart; equal images 0; of one image there is none."""
    assert distances.diversity(grey(-1, 0, 1)) == pytest.approx(4 / 3)
    assert distances.diversity(grey(0.3, 0.3)) == 0
    assert math.isnan(distances.diversity(grey(0)))


@pytest.mark.parametrize("side", [8, 28])
def test_ssim_of_equal_images_is_1(side: int) -> None:
    """Whatever the size; the negative of an image is as unlike as can be, since the two vary against each other."""
    images = torch.rand(4, 1, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert distances.ssim(images, images) == pytest.approx(1)
    assert distances.ssim(images, -images) < 0


@pytest.mark.parametrize("side", [8, 28])
def test_ssim_of_flat_images_is_that_of_their_levels(side: int) -> None:
    """Without variance it is (2ab + c1) / (a^2 + b^2 + c1) of the levels in [0, 1], c1 = 0.01^2 (Wang 2004, eq. 13)."""
    left, right = torch.full((2, 1, side, side), 0.0), torch.full((2, 1, side, side), -0.5)
    expected = (2 * 0.5 * 0.25 + 0.0001) / (0.5**2 + 0.25**2 + 0.0001)
    assert distances.ssim(left, right) == pytest.approx(expected, abs=1e-4)

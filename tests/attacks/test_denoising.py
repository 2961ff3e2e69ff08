"""Denoising and sharpening: what stays, what goes."""

import pytest
import torch

from attacks.denoising import non_local_means, sharpened
from task.seeding import generator


def test_a_flat_image_stays() -> None:
    """All patches are alike, and there is nothing to sharpen."""
    flat = torch.full((2, 3, 7, 6), 0.4)
    assert torch.allclose(non_local_means(flat, 0.1), flat)
    assert torch.allclose(sharpened(flat, 0.5), flat)


def test_the_mean_of_all_pixels_around_where_the_strength_is_great() -> None:
    """Then every weight is 1: the pixel in the middle becomes the mean of its 5x5 window."""
    image = torch.rand(1, 1, 9, 9, generator=generator(0))
    middle = non_local_means(image, 1e4)[0, 0, 4, 4].item()
    assert middle == pytest.approx(image[0, 0, 2:7, 2:7].mean().item(), abs=1e-5)


def test_noise_goes_and_an_edge_stays() -> None:
    """Noise of 0.05 on both sides of an edge falls to less than a half; the edge keeps nine tenths of its height."""
    clean = torch.cat([torch.full((1, 1, 16, 8), 0.2), torch.full((1, 1, 16, 8), 0.8)], 3)
    noisy = clean + 0.05 * torch.randn(clean.shape, generator=generator(1))
    found = non_local_means(noisy, 0.1)
    assert (found - clean)[..., :6].std() < 0.025
    assert (found[..., 8].mean() - found[..., 7].mean()).item() > 0.9 * 0.6


def test_sharpening_adds_the_difference_to_the_mean_and_clips() -> None:
    """A pixel of 0.5 on black: its 3x3 mean is 0.5 / 9, and half of the difference is added; at 1 there is no more."""
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 2, 2] = 0.5
    assert sharpened(image, 0.5)[0, 0, 2, 2].item() == pytest.approx(0.5 + 0.5 * (0.5 - 0.5 / 9))
    assert sharpened(image * 2, 0.5)[0, 0, 2, 2] == 1
    assert sharpened(image, 0.5).min() == 0

"""What model inversion does to its images between two steps: denoise and sharpen. Pixels here are in [0, 1]."""

import torch
from torch import Tensor
from torch.nn import functional

WINDOW, PATCH = 2, 1  # pixels on each side


def non_local_means(images: Tensor, strength: float) -> Tensor:
    """Return images whose pixels are means of the pixels around them, the more alike their patches the more they count.

    Antoni Buades, Bartomeu Coll, Jean-Michel Morel: A Non-Local Algorithm for Image Denoising (2005): the weight of a
    pixel is exp(-d / strength^2), d the mean squared difference of the patches. Windows of 5x5 pixels, patches of 3x3;
    beyond the edge the image repeats its last pixel.

    Args:
        images: float32 [N, C, H, W].
        strength: in grey levels, > 0: differences well below it are taken for noise.

    """
    height, width = images.shape[-2:]
    around = _widened(images, WINDOW)
    total, weights = torch.zeros_like(images), torch.zeros_like(images)
    for down in range(2 * WINDOW + 1):
        for across in range(2 * WINDOW + 1):
            moved = around[..., down : down + height, across : across + width]
            weight = (-_mean(images.sub(moved).square(), PATCH) / strength**2).exp()
            total += weight * moved
            weights += weight
    return total / weights


def sharpened(images: Tensor, amount: float) -> Tensor:
    """Return images [N, C, H, W] with `amount` of their difference to their 3x3 means added, clipped to [0, 1]."""
    return (images + amount * (images - _mean(images, 1))).clamp(0, 1)


def _mean(images: Tensor, side: int) -> Tensor:
    """Return the means of the squares of 2 side + 1 pixels."""
    return functional.avg_pool2d(_widened(images, side), 2 * side + 1, 1)


def _widened(images: Tensor, side: int) -> Tensor:
    return functional.pad(images, (side, side, side, side), mode="replicate")

"""How near the loot is to real images: the four distances of Sun's equation 6, and what to hold them against.

Yuwei Sun, Ng S. T. Chong: Information Stealing in Federated Learning Systems Based on Generative Adversarial Networks
(2021), section IV, eq. 6: Dis(fake, real) = sqrt(sum (fake - real)^2). The paper averages it over the fakes and the
victim's images and reports 0.221 falling to 0.00173, which the mean over pairs cannot reach on MNIST (other real images
of the class are at 6.5). So there are four readings, in two ranges of pixels:

- `eq6_pairs` and `mse_of_means` in [0, 1], as in the paper: its numbers stand beside them;
- root mean squared errors (`nearest`, `diversity`) in [-1, 1], the range of the tensors: 2 is white against black.

All take images float32 [N, C, H, W] in [-1, 1] and convert by themselves.
"""

import math

import torch
from torch import Tensor

CHUNK = 4096
BATCH = 16
EXACT = "donot_use_mm_for_euclid_dist"
SMALL_SIDE = 16


def eq6_pairs(fakes: Tensor, reals: Tensor) -> float:
    """Return eq. 6 as printed: the mean over all pairs of the Euclidean distance, pixels in [0, 1].

    From 0 to sqrt(C * H * W).
    """
    left, right = fakes.flatten(1) / 2, reals.flatten(1) / 2  # halving turns [-1, 1] into a range of width 1
    total = sum(float(torch.cdist(left, part, compute_mode=EXACT).double().sum()) for part in _chunks(right, CHUNK))
    return total / (len(left) * len(right))


def mse_of_means(fakes: Tensor, reals: Tensor) -> float:
    """Return the mean squared difference per pixel of the mean fake and the mean real image, pixels in [0, 1].

    The mean fake is that of a batch of 16, and the result the mean over as many whole batches as there are; fewer than
    16 fakes count as one batch. From 0 to 1.
    """
    batches = _chunks(fakes, BATCH)
    whole = [batch for batch in batches if len(batch) == BATCH] or batches
    target = reals.mean(0)
    return sum(float(((batch.mean(0) - target) / 2).square().mean()) for batch in whole) / len(whole)


def nearest(fakes: Tensor, reals: Tensor) -> tuple[Tensor, Tensor]:
    """Find the nearest of the real images to each fake.

    Returns:
        Root mean squared differences per pixel float32 [N], pixels in [-1, 1], from 0 to 2; and indices int64 [N].

    """
    left, right = fakes.flatten(1), reals.flatten(1)
    best = torch.full((len(left),), torch.inf)
    index = torch.zeros(len(left), dtype=torch.int64)
    for number, part in enumerate(_chunks(right, CHUNK)):
        found = torch.cdist(left, part).min(1)
        closer = found.values < best
        best = torch.where(closer, found.values, best)
        index = torch.where(closer, found.indices + number * CHUNK, index)
    # cdist multiplies matrices, which loses small differences; the winner's distance is computed anew.
    return (left - right[index]).square().mean(1).sqrt(), index


def rmse_matrix(fakes: Tensor, reals: Tensor) -> Tensor:
    """Return the root mean squared differences of all pairs float32 [N, M], pixels in [-1, 1]."""
    distances: Tensor = torch.cdist(fakes.flatten(1), reals.flatten(1), compute_mode=EXACT)
    return distances / math.sqrt(fakes[0].numel())


def diversity(images: Tensor) -> float:
    """Return the mean over pairs of different images of their root mean squared difference, pixels in [-1, 1].

    0 for images that are all alike; NaN for fewer than two.
    """
    if len(images) < 2:  # noqa: PLR2004  # a pair
        return float("nan")
    return float(torch.pdist(images.flatten(1)).mean()) / math.sqrt(images[0].numel())


def ssim(left: Tensor, right: Tensor) -> float:
    """Return the mean structural similarity of images in pairs, from -1 to 1; 1 for equal ones.

    Wang et al. 2004 on pixels in [0, 1], with a Gaussian window of sigma 1.5 (11 pixels); of images of up to 16
    pixels a side sigma 0.5 (5 pixels), since the larger one would look beyond their edges.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure  # noqa: PLC0415  # takes a second

    sigma = 0.5 if min(left.shape[-2:]) <= SMALL_SIDE else 1.5
    left, right = (left + 1) / 2, (right + 1) / 2  # it compares brightness by products, which mean nothing below 0
    found = structural_similarity_index_measure(left, right, sigma=sigma, data_range=1.0)
    return float(found[0] if isinstance(found, tuple) else found)


def _chunks(images: Tensor, size: int) -> list[Tensor]:
    """Cut along the first axis into parts of `size`, the last perhaps smaller."""
    return [images[first : first + size] for first in range(0, len(images), size)]

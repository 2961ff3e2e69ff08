"""What keeps a generator from adversarial noise: priors on its images, and images that are of no class.

None of it needs data of the target. All of it is ours, not a paper's; benchmarks/ablation.py measures what each part
does to 8x8 digits.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional


def total_variation(images: Tensor) -> Tensor:
    """Return the mean absolute difference of neighbouring pixels of images [N, C, H, W], a scalar."""
    down = (images[..., 1:, :] - images[..., :-1, :]).abs().mean()
    across = (images[..., 1:] - images[..., :-1]).abs().mean()
    return down + across


def darkness(images: Tensor) -> Tensor:
    """Return the mean squared distance of the pixels from -1: a prior for dark backgrounds, a scalar."""
    return (images + 1).square().mean()


def sameness(latents: Tensor, images: Tensor) -> Tensor:
    """Return |dz| / (|dx| + 0.05), averaged over neighbours in the batch: large when codes make no difference.

    Args:
        latents: float32 [N, latent].
        images: float32 [N, C, H, W], made from them.

    """
    return _sameness(latents, latents.roll(1, 0), images, images.roll(1, 0))


def sameness_of_pairs(latents: Tensor, images: Tensor) -> Tensor:
    """Return the same, averaged over the pairs (0, 1), (2, 3), ...: for a generator whose neighbours differ anyway."""
    return _sameness(latents[::2], latents[1::2], images[::2], images[1::2])


def _sameness(latents: Tensor, others: Tensor, images: Tensor, their_images: Tensor) -> Tensor:
    apart = (latents - others).abs().mean(1)
    seen = (images - their_images).abs().flatten(1).mean(1)
    return (apart / (seen + 0.05)).mean()


def nothings(count: int, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    """Draw `count` images float32 [count, C, H, W] in [-1, 1] that show nothing: noise of several kinds, and blobs."""
    kinds = (_uniform, _saturated, _sparse, _blobs)
    share = [len(part) for part in torch.arange(count).tensor_split(len(kinds))]
    return torch.cat([kind(number, shape, generator) for kind, number in zip(kinds, share, strict=True)])


Kind = Callable[[int, tuple[int, int, int], torch.Generator], Tensor]


def _uniform(count: int, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    return torch.rand(count, *shape, generator=generator) * 2 - 1


def _saturated(count: int, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    return _uniform(count, shape, generator).sign()


def _sparse(count: int, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    """Bright pixels on black, their share drawn from 5 to 50 %."""
    share = 0.05 + 0.45 * torch.rand(count, 1, 1, 1, generator=generator)
    on = torch.rand(count, *shape, generator=generator) < share
    return on * (torch.rand(count, *shape, generator=generator) + 1) - 1


def _blobs(count: int, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    """Noise of a quarter of the size, enlarged and stretched over the range of pixels."""
    channels, height, width = shape
    coarse = torch.randn(count, channels, max(2, height // 3), max(2, width // 3), generator=generator)
    return torch.tanh(2 * functional.interpolate(coarse, (height, width), mode="bilinear", align_corners=False) - 0.5)

"""Small changes that leave an image of the data one: a stolen image a little off must be judged as a person would."""

import torch
from torch import Tensor
from torch.nn import functional

from task.private import rotations, sampled

TURN = 10.0
SHIFT, ZOOM, FAINT, BLUR, SPECKLE = 0.06, 0.1, 0.4, 0.8, 0.2


def lightly(images: Tensor, generator: torch.Generator, turn: float = TURN, about: Tensor | None = None) -> Tensor:
    """Return images float32 [N, C, H, W] in [-1, 1], each changed a little and by itself.

    Turned by up to `turn` degrees, shifted by up to 6 % of the side, zoomed by up to 10 %, contrast and level lowered
    by up to 40 %, blurred, and half of them overlaid with noise of up to 0.2.

    Args:
        images: to change.
        generator: of all randomness.
        turn: degrees either way.
        about: degrees float32 [N] counter-clockwise by which each image is turned before; the whole is one resampling,
            so that no image is more blurred than another, and what comes in at the edges is black, as in
            task.private.turn (else it is the nearest pixel's).

    """
    return _worn(_moved(images, generator, turn, about), generator)


def _between(low: float, high: float, count: int, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator)


def _moved(images: Tensor, generator: torch.Generator, turn: float, about: Tensor | None) -> Tensor:
    """Turn, zoom and shift."""
    count = len(images)
    degrees = _between(-turn, turn, count, generator)
    zoom = _between(1 - ZOOM, 1 + ZOOM, count, generator)
    shift = torch.stack([_between(-2 * SHIFT, 2 * SHIFT, count, generator) for _ in range(2)], 1)
    places = zoom.view(-1, 1, 1) * rotations(degrees if about is None else degrees + about, images)
    places[:, :, 2] = shift
    if about is None:
        grid = functional.affine_grid(places, list(images.shape), align_corners=False)
        return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    return sampled(images + 1, places) - 1


def _worn(images: Tensor, generator: torch.Generator) -> Tensor:
    """Lower the contrast, blur, overlay with noise."""
    count = len(images)

    def each(low: float, high: float) -> Tensor:
        return _between(low, high, count, generator).view(-1, 1, 1, 1)

    padded = functional.pad(images, (1, 1, 1, 1), mode="replicate")
    blurred = functional.avg_pool2d(padded, 3, stride=1)
    images = images.lerp(blurred, each(-BLUR, BLUR).clamp(min=0))
    images = (images + 1) * each(1 - FAINT, 1) - 1
    speckle = each(-SPECKLE, SPECKLE).clamp(min=0)
    return (images + speckle * torch.randn(images.shape, generator=generator)).clamp(-1, 1)

"""Images that are not of the data: what the judge's classifier must refuse.

A classifier that knows its classes only calls obvious noise a "3" and means it. So the judge's has one class more, and
these are its examples. It is trained on TRAINED, and its rate on UNSEEN, kinds that it never saw, is reported beside.

Each kind is a function of real images float32 [N, C, H, W] in [-1, 1] and a generator; it returns as many images of the
same shape and range. Most take nothing from the real ones but their shape, or their pixels' values.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

Kind = Callable[[Tensor, torch.Generator], Tensor]


def _uniform_between(low: float, high: float, like: Tensor, generator: torch.Generator) -> Tensor:
    """Draw a number from low to high for each image, as a tensor [N, 1, 1, 1]."""
    return low + (high - low) * torch.rand(len(like), 1, 1, 1, generator=generator)


def uniform(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each pixel anything from -1 to 1."""
    return torch.rand(images.shape, generator=generator) * 2 - 1


def saturated(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each pixel -1 or 1; the share of the bright ones differs from image to image."""
    share = _uniform_between(0.2, 0.8, images, generator)
    return (torch.rand(images.shape, generator=generator) < share).float() * 2 - 1


def sparse(images: Tensor, generator: torch.Generator) -> Tensor:
    """Some bright pixels, 3 to 50 %, on black."""
    share = _uniform_between(0.03, 0.5, images, generator)
    lit = torch.rand(images.shape, generator=generator) < share
    return lit * (1 + torch.rand(images.shape, generator=generator)) - 1


def flat(images: Tensor, generator: torch.Generator) -> Tensor:
    """One grey, or a slope from one to another, with faint noise."""
    low, high = (_uniform_between(-1, 1, images, generator) for _ in range(2))
    slope = torch.linspace(0, 1, images.shape[-1]).expand_as(images)
    down = torch.rand(len(images), generator=generator) < 0.5  # noqa: PLR2004  # half of them
    if images.shape[-1] == images.shape[-2]:
        slope = torch.where(down.view(-1, 1, 1, 1), slope.transpose(-1, -2), slope)
    noise = torch.randn(images.shape, generator=generator)
    return (low + (high - low) * slope + 0.05 * noise).clamp(-1, 1)


def blobs(images: Tensor, generator: torch.Generator) -> Tensor:
    """Smooth spots, as generators without a goal make them: coarse noise enlarged, its contrast and level drawn."""
    return _stretched(_coarse(images, generator), images, generator)


def shuffled(images: Tensor, generator: torch.Generator) -> Tensor:
    """Real images with their pixels in random order: the right values in the wrong places."""
    order = (
        torch.rand(len(images), 1, images[0, 0].numel(), generator=generator)
        .argsort(-1)
        .expand(images.flatten(2).shape)
    )
    return images.flatten(2).gather(2, order).view_as(images)


def phantoms(images: Tensor, generator: torch.Generator) -> Tensor:
    """Smooth spots with exactly the pixel values of a real image: the brightest spot gets its brightest pixel."""
    return _with_values_of(images, _coarse(images, generator))


def buried(images: Tensor, generator: torch.Generator) -> Tensor:
    """Real images under noise so strong that nothing is left of them (1.5 to 3 standard deviations)."""
    noise = torch.randn(images.shape, generator=generator)
    return (images + _uniform_between(1.5, 3, images, generator) * noise).clamp(-1, 1)


def gaussian(images: Tensor, generator: torch.Generator) -> Tensor:
    """Bell-shaped noise about a grey; not trained on."""
    noise = torch.randn(images.shape, generator=generator)
    return (_uniform_between(-0.5, 0.5, images, generator) + 0.5 * noise).clamp(-1, 1)


def stripes(images: Tensor, generator: torch.Generator) -> Tensor:
    """Waves across the image in any direction, 1.5 to 3 of them; not trained on."""
    rows, columns = torch.meshgrid(*(torch.linspace(0, 1, size) for size in images.shape[-2:]), indexing="ij")
    angle, phase = (_uniform_between(0, 2 * torch.pi, images, generator) for _ in range(2))
    waves = _uniform_between(1.5, 3, images, generator)
    wave = torch.sin(2 * torch.pi * waves * (rows * angle.cos() + columns * angle.sin()) + phase)
    return wave.expand_as(images).clone()


def drizzle(images: Tensor, generator: torch.Generator) -> Tensor:
    """Noise with exactly the pixel values of a real image, smoothed a little before; not trained on."""
    noise = torch.randn(images.shape, generator=generator)
    smooth = functional.avg_pool2d(noise, 3, stride=1, padding=1)
    return _with_values_of(images, smooth)


def checkers(images: Tensor, generator: torch.Generator) -> Tensor:
    """Checkerboards of two greys with fields of an eighth to a quarter of the side; not trained on."""
    one, other = (_uniform_between(-1, 1, images, generator) for _ in range(2))
    field = images.shape[-1] * _uniform_between(0.125, 0.25, images, generator)
    rows, columns = torch.meshgrid(*(torch.arange(size) for size in images.shape[-2:]), indexing="ij")
    odd = ((rows / field).floor() + (columns / field).floor()) % 2 > 0
    return torch.where(odd, one, other).expand_as(images).clone()


TRAINED: Mapping[str, Kind] = {
    kind.__name__: kind for kind in (uniform, saturated, sparse, flat, blobs, shuffled, phantoms, buried)
}
UNSEEN: Mapping[str, Kind] = {kind.__name__: kind for kind in (gaussian, stripes, drizzle, checkers)}


def mixture(images: Tensor, kinds: Mapping[str, Kind], generator: torch.Generator) -> Tensor:
    """Return as many images as there are real ones, evenly of each kind, in the kinds' order."""
    parts = images.tensor_split(len(kinds))
    return torch.cat([kind(part, generator) for kind, part in zip(kinds.values(), parts, strict=True)])


def _coarse(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return noise of mean 0, drawn on a grid of 2 to size / 2 cells a side (at least 5) and enlarged to full size."""
    count, channels, height, width = images.shape
    most = max(5, min(height, width) // 2)
    side = int(2 * (most / 2) ** torch.rand((), generator=generator).item())
    coarse = torch.randn(count, channels, min(side, height), min(side, width), generator=generator)
    return functional.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)


def _stretched(noise: Tensor, images: Tensor, generator: torch.Generator) -> Tensor:
    """Bring noise into [-1, 1] with a contrast and a level drawn for each image."""
    contrast, level = _uniform_between(0.5, 4, images, generator), _uniform_between(-1.5, 0.5, images, generator)
    return torch.tanh(contrast * noise + level)


def _with_values_of(images: Tensor, noise: Tensor) -> Tensor:
    """Replace the k-th brightest pixel of each noise image by the k-th brightest of the real image beside it."""
    ranks = noise.flatten(1).argsort(1).argsort(1)
    return images.flatten(1).sort(1).values.gather(1, ranks).view_as(images)

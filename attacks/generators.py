"""Generator networks: latent codes float32 [N, latent] in, images float32 [N, C, H, W] in [-1, 1] out."""

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from task.models import Shape, initialised
from task.settings import choose, expect

WANG_LATENT = 100
SMALLEST_SIDE = 8


@dataclass(frozen=True)
class Architecture:
    """A generator network by name.

    Attributes:
        latent: size of a latent code.
        make: builds the network for one shape of image.

    """

    latent: int
    make: Callable[[Shape], nn.Module]


def small(shape: Shape) -> nn.Module:
    """Fully connected 16 - 64 - 128 - pixels, for images as small as 8x8."""
    channels, height, width = shape
    return nn.Sequential(
        nn.Linear(16, 64),
        nn.LeakyReLU(0.2),
        nn.Linear(64, 128),
        nn.LeakyReLU(0.2),
        nn.Linear(128, channels * height * width),
        nn.Unflatten(1, shape),
        nn.Tanh(),
    )


def sun(shape: Shape) -> nn.Module:
    """Sun et al., Fig. 4, right: FC 1568, 32x7x7, transposed 3x3 convolutions to 14x14x32, 28x28x16 and 28x28xC.

    The paddings are not printed; those here give the printed sizes. Other square sizes that 4 divides work alike.
    """
    channels, height, width = shape
    expect(height == width and height % 4 == 0, "square images whose side 4 divides", shape, "Set task.image_size.")
    base = height // 4
    return nn.Sequential(
        nn.Linear(100, 32 * base * base),
        nn.ReLU(),
        nn.Unflatten(1, (32, base, base)),
        nn.ConvTranspose2d(32, 32, 3, stride=2, padding=1, output_padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(32, 16, 3, stride=2, padding=1, output_padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(16, channels, 3, padding=1),
        nn.Tanh(),
    )


def wang(shape: Shape, width: int = 192) -> nn.Module:
    """Wang et al., Table I: FC 3x3x384, transposed 5x5 convolutions to 7x7x192, 14x14x96 and 28x28xC.

    Batch norm and ReLU between, tanh at the end; the printed "embedding" of code and conditions comes before this, and
    is the caller's. The paddings are not printed; those here give the printed sizes. Other square sizes from 8 on that
    4 divides work alike.

    Args:
        shape: of an image.
        width: channels after the first transposed convolution; twice as many before it, half as many after the next.

    """
    side = _side(shape, 4)
    base = side // 4  # 7 of 28, from 3; an even one is twice what it is made from
    odd = base % 2
    first = nn.ConvTranspose2d(2 * width, width, 5, stride=2, padding=2 - odd, output_padding=1 - odd)
    return nn.Sequential(
        *_spread(base // 2, 2 * width), first, *_between(width), *_doubling((width, width // 2, shape[0]))
    )


def wang_faces(shape: Shape, width: int = 256) -> nn.Module:
    """Wang et al., Table II: FC 4x4x512, transposed 5x5 convolutions to 8x8x256, 16x16x128, 32x32x64 and 64x64xC.

    The printed table is garbled; this reading is the one in which the printed sizes fit together. Otherwise as `wang`;
    other square sizes that 16 divides work alike.
    """
    side = _side(shape, 16)
    layers = (2 * width, width, width // 2, width // 4, shape[0])
    return nn.Sequential(*_spread(side // 16, 2 * width), *_doubling(layers))


def _side(shape: Shape, divisor: int) -> int:
    """Return the side of square images that `divisor` divides; wang's smallest is 8, where the first map is 1x1."""
    _, height, width = shape
    fits = height == width and height % divisor == 0 and height >= SMALLEST_SIDE
    expect(fits, f"square images of at least 8x8 whose side {divisor} divides", shape, "Set task.image_size.")
    return height


def _spread(side: int, channels: int) -> list[nn.Module]:
    """Return the layers from a latent code to a first map [channels, side, side]."""
    linear = nn.Linear(WANG_LATENT, channels * side * side)
    return [linear, nn.Unflatten(1, (channels, side, side)), *_between(channels)]


def _between(channels: int) -> list[nn.Module]:
    """Return what stands between two transposed convolutions."""
    return [nn.BatchNorm2d(channels), nn.ReLU()]


def _doubling(layers: Sequence[int]) -> list[nn.Module]:
    """Return transposed 5x5 convolutions through these channels, each of which doubles the sides; tanh at the end."""
    made: list[nn.Module] = []
    for before, after in itertools.pairwise(layers):
        made += [nn.ConvTranspose2d(before, after, 5, stride=2, padding=2, output_padding=1), *_between(after)]
    return [*made[:-2], nn.Tanh()]


GENERATORS = {
    "small": Architecture(16, small),
    "sun": Architecture(100, sun),
    "wang": Architecture(WANG_LATENT, wang),
    "wang-half": Architecture(WANG_LATENT, functools.partial(wang, width=96)),
    "wang-quarter": Architecture(WANG_LATENT, functools.partial(wang, width=48)),
    "wang-faces": Architecture(WANG_LATENT, wang_faces),
    "wang-faces-half": Architecture(WANG_LATENT, functools.partial(wang_faces, width=128)),
    "wang-faces-quarter": Architecture(WANG_LATENT, functools.partial(wang_faces, width=64)),
}


def build(name: str, shape: Shape, generator: torch.Generator) -> nn.Module:
    """Build the generator network `name`, its weights drawn from `generator` alone.

    Raises:
        SettingsError: for an unknown name, or a shape of image that the network cannot make.

    """
    choose(name, GENERATORS, "a generator network")
    return initialised(lambda: GENERATORS[name].make(shape), generator)


def codes(name: str, count: int, generator: torch.Generator) -> Tensor:
    """Draw latent codes float32 [count, latent] from U(-1, 1) (Sun, section III-C)."""
    return torch.rand(count, GENERATORS[name].latent, generator=generator) * 2 - 1

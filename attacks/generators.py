"""Generator networks: latent codes float32 [N, latent] in, images float32 [N, C, H, W] in [-1, 1] out."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from task.models import Shape, initialised
from task.settings import choose, expect


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


GENERATORS = {"small": Architecture(16, small), "sun": Architecture(100, sun)}


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

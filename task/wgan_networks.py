"""Generators and critics of a Wasserstein GAN that is told the class. No batch norm: the penalty is of single images.

A generator takes a latent code with the class beside it, one-hot, float32 [N, latent + classes], and makes images
float32 [N, C, H, W] in [-1, 1]; a critic takes those and has an output for each class, float32 [N, classes].
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from task.models import LEAK, Shape
from task.settings import expect

WIDTH = 16


@dataclass(frozen=True)
class Architecture:
    """Networks by name.

    Attributes:
        latent: size of a latent code.
        generator: builds one for so many inputs and one shape of image.
        critic: builds one for one shape of image and so many outputs.

    """

    latent: int
    generator: Callable[[int, Shape], nn.Sequential]
    critic: Callable[[Shape, int], nn.Sequential]


def dense_generator(inputs: int, shape: Shape, width: int) -> nn.Sequential:
    """Fully connected: two layers of `width`, then the pixels."""
    channels, height, side = shape
    return nn.Sequential(
        nn.Linear(inputs, width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Linear(width, channels * height * side),
        nn.Unflatten(1, shape),
        nn.Tanh(),
    )


def dense_critic(shape: Shape, outputs: int, width: int) -> nn.Sequential:
    """Fully connected: two layers of `width`."""
    channels, height, side = shape
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(channels * height * side, width),
        nn.LeakyReLU(LEAK),
        nn.Linear(width, width),
        nn.LeakyReLU(LEAK),
        nn.Linear(width, outputs),
    )


def conv_generator(inputs: int, shape: Shape) -> nn.Sequential:
    """FC to a quarter of the side with 32 channels, transposed 4x4 convolutions to half of it with 16, and to it."""
    low, across = _quarter(shape)
    return nn.Sequential(
        nn.Linear(inputs, 2 * WIDTH * low * across),
        nn.ReLU(),
        nn.Unflatten(1, (2 * WIDTH, low, across)),
        nn.ConvTranspose2d(2 * WIDTH, WIDTH, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(WIDTH, shape[0], 4, stride=2, padding=1),
        nn.Tanh(),
    )


def conv_critic(shape: Shape, outputs: int) -> nn.Sequential:
    """4x4 convolutions of stride 2 to 16 and 32 channels, and a linear layer."""
    low, across = _quarter(shape)
    return nn.Sequential(
        nn.Conv2d(shape[0], WIDTH, 4, stride=2, padding=1),
        nn.LeakyReLU(LEAK),
        nn.Conv2d(WIDTH, 2 * WIDTH, 4, stride=2, padding=1),
        nn.LeakyReLU(LEAK),
        nn.Flatten(),
        nn.Linear(2 * WIDTH * low * across, outputs),
    )


def _quarter(shape: Shape) -> tuple[int, int]:
    """Return a quarter of both sides."""
    _, height, width = shape
    fits = height % 4 == 0 and width % 4 == 0
    expect(fits, "images whose sides 4 divides", shape, "Set task.image_size, or options.network to dense.")
    return height // 4, width // 4


NETWORKS = {
    "small": Architecture(
        16, functools.partial(dense_generator, width=128), functools.partial(dense_critic, width=128)
    ),
    "dense": Architecture(
        128, functools.partial(dense_generator, width=256), functools.partial(dense_critic, width=256)
    ),
    "conv": Architecture(128, conv_generator, conv_critic),
}

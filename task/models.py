"""The shared models. Each maps images float32 [N, C, H, W] in [-1, 1] to logits float32 [N, outputs].

Each is an nn.Sequential whose last module is the nn.Linear that answers with the categories: attacks that build on a
shared model take model[:-1] for its trunk and model[-1] for its head (a test holds new models to this).

Weights are drawn from an explicit generator, so that building a model leaves PyTorch's global randomness untouched.
"""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from task.settings import choose

Shape = tuple[int, int, int]
LEAK, PYTORCH_SLOPE = 0.2, math.sqrt(5)
Module = TypeVar("Module", bound=nn.Module)


def softmax_regression(shape: Shape, outputs: int) -> nn.Sequential:
    """Multinomial logistic regression on the pixels, the smallest model there is."""
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), outputs))


def digits_cnn(shape: Shape, outputs: int) -> nn.Sequential:
    """Small network for 8x8 digits: conv 3x3 16, conv 3x3 stride 2 32, FC 64."""
    channels, height, width = shape
    flat = 32 * ((height + 1) // 2) * ((width + 1) // 2)
    return nn.Sequential(
        nn.Conv2d(channels, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(flat, 64),
        nn.ReLU(),
        nn.Linear(64, outputs),
    )


def sun_cnn(shape: Shape, outputs: int) -> nn.Sequential:
    """Sun et al., Fig. 4, left: conv 3x3 stride 2 32 (13x13), conv 3x3 stride 2 64 (6x6), FC 200, FC outputs."""
    channels, height, width = shape
    flat = 64 * _valid(_valid(height)) * _valid(_valid(width))
    return nn.Sequential(
        nn.Conv2d(channels, 32, 3, stride=2),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(flat, 200),
        nn.ReLU(),
        nn.Linear(200, outputs),
    )


def wang_cnn(shape: Shape, outputs: int) -> nn.Sequential:
    """Wang et al., Table I: conv 3x3 32 (14x14), 64, 128 (7x7), 256, LeakyReLU 0.2, FC outputs."""
    return _wang(shape, outputs, ((32, 2), (64, 1), (128, 2), (256, 1)))


def wang_cnn_half(shape: Shape, outputs: int) -> nn.Sequential:
    """Wang et al., Table I, with half the channels."""
    return _wang(shape, outputs, ((16, 2), (32, 1), (64, 2), (128, 1)))


def wang_cnn_quarter(shape: Shape, outputs: int) -> nn.Sequential:
    """Wang et al., Table I, with a quarter of the channels."""
    return _wang(shape, outputs, ((8, 2), (16, 1), (32, 2), (64, 1)))


def wang_faces_cnn(shape: Shape, outputs: int) -> nn.Sequential:
    """Wang et al., Table II: conv 3x3 32 (32x32), 64, 128 (16x16), 256 (8x8), LeakyReLU 0.2, FC outputs.

    The printed table is garbled; this reading is the one in which the printed sizes fit together.
    """
    return _wang(shape, outputs, ((32, 2), (64, 1), (128, 2), (256, 2)))


def wang_faces_cnn_half(shape: Shape, outputs: int) -> nn.Sequential:
    """Wang et al., Table II, with half the channels."""
    return _wang(shape, outputs, ((16, 2), (32, 1), (64, 2), (128, 2)))


def wang_faces_cnn_quarter(shape: Shape, outputs: int) -> nn.Sequential:
    """Wang et al., Table II, with a quarter of the channels."""
    return _wang(shape, outputs, ((8, 2), (16, 1), (32, 2), (64, 2)))


def chen_cnn(shape: Shape, outputs: int) -> nn.Sequential:
    """Chen et al. 2020, Table II, MNIST: conv 5x5 16, pool, conv 5x5 32, pool, FC 1000, FC outputs.

    Neither padding nor where the activations stand is printed: here none, and a ReLU after each layer.
    """
    channels, height, width = shape
    flat = 32 * _pooled(_pooled(height)) * _pooled(_pooled(width))
    return nn.Sequential(
        nn.Conv2d(channels, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(flat, 1000),
        nn.ReLU(),
        nn.Linear(1000, outputs),
    )


def chen_deep_cnn(shape: Shape, outputs: int) -> nn.Sequential:
    """Chen et al. 2020, Table II, CIFAR-10: conv 3x3 32, 32, pool, conv 3x3 64, 64, pool, FC 512, FC outputs.

    Padded by one, which is not printed. Zhu et al. use it for Fashion-MNIST, with one channel.
    """
    channels, height, width = shape
    trunk: list[nn.Module] = []
    for wider in (32, 64):
        trunk += [nn.Conv2d(channels, wider, 3, padding=1), nn.ReLU()]
        trunk += [nn.Conv2d(wider, wider, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        channels = wider
    flat = 64 * (height // 4) * (width // 4)
    return nn.Sequential(*trunk, nn.Flatten(), nn.Linear(flat, 512), nn.ReLU(), nn.Linear(512, outputs))


MODELS: dict[str, Callable[[Shape, int], nn.Sequential]] = {
    "softmax-regression": softmax_regression,
    "digits-cnn": digits_cnn,
    "sun-cnn": sun_cnn,
    "chen-cnn": chen_cnn,
    "chen-deep-cnn": chen_deep_cnn,
    "wang-cnn": wang_cnn,
    "wang-cnn-half": wang_cnn_half,
    "wang-cnn-quarter": wang_cnn_quarter,
    "wang-faces-cnn": wang_faces_cnn,
    "wang-faces-cnn-half": wang_faces_cnn_half,
    "wang-faces-cnn-quarter": wang_faces_cnn_quarter,
}


def build(name: str, shape: Shape, outputs: int, generator: torch.Generator) -> nn.Sequential:
    """Build the model `name` for images [C, H, W] = `shape`, its weights drawn from `generator` alone.

    Raises:
        SettingsError: for an unknown name.

    """
    choose(name, MODELS, "a model", "See `oleander list models`.")
    slope = LEAK if name.startswith("wang-") else PYTORCH_SLOPE
    return initialised(lambda: MODELS[name](shape, outputs), generator, slope)


def initialised(make: Callable[[], Module], generator: torch.Generator, slope: float = PYTORCH_SLOPE) -> Module:
    """Call `make` and draw the weights of its layers from `generator`.

    Args:
        make: returns the module.
        generator: all randomness.
        slope: of the leaky ReLUs between the layers, by which He et al. (2015, arXiv:1502.01852, eq. 15) scale the
            weights; the default is what PyTorch takes whatever the network, which is smaller. Wang's four convolutions
            learn nothing in 100 rounds of their learning rate with the latter (accuracy 0.10), and 0.66 in 25 with the
            former (measured: ten clients of 100 images of three digits, half width).

    """
    with torch.device("meta"):
        module = make()
    module = module.to_empty(device="cpu")
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_uniform_(layer.weight, a=slope, generator=generator)
            if layer.bias is not None:
                fan_in = layer.weight[0].numel()
                nn.init.uniform_(layer.bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in), generator=generator)
        elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.reset_parameters()
    return module


def weights(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of the model's state by name, on the CPU."""
    return {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}


def _wang(shape: Shape, outputs: int, layers: Sequence[tuple[int, int]]) -> nn.Sequential:
    """Build 3x3 convolutions of (channels, stride) each, padded by one, with LeakyReLU(0.2), and a linear head."""
    channels, height, width = shape
    trunk: list[nn.Module] = []
    for wider, stride in layers:
        trunk += [nn.Conv2d(channels, wider, 3, stride, padding=1), nn.LeakyReLU(LEAK)]
        channels, height, width = wider, -(-height // stride), -(-width // stride)
    return nn.Sequential(*trunk, nn.Flatten(), nn.Linear(channels * height * width, outputs))


def _valid(size: int) -> int:
    """Return the output size of a 3x3 convolution with stride 2 and no padding."""
    return (size - 3) // 2 + 1


def _pooled(size: int) -> int:
    """Return the output size of a 5x5 convolution without padding and pooling by two."""
    return (size - 4) // 2

"""Tests of the shared models: sizes counted by hand, weights drawn as PyTorch draws them but from a generator."""

import itertools
import math

import pytest
import torch
from torch import nn

from task import models
from task.seeding import generator
from task.settings import SettingsError


def count(model: nn.Module) -> int:
    """Count the parameters."""
    return sum(parameter.numel() for parameter in model.parameters())


def test_sun_has_the_papers_layers() -> None:
    """Sun's D on 28x28: 3x3 convolutions to 13x13 and 6x6, 2304 features, 200, 11; its parameters counted by hand."""
    model = models.build("sun-cnn", (1, 28, 28), 11, generator(0, "test"))
    expected = (9 * 1 + 1) * 32 + (9 * 32 + 1) * 64 + (2304 + 1) * 200 + (200 + 1) * 11
    assert count(model) == expected == 482_027
    shapes = []
    hooks = [layer.register_forward_hook(lambda *args: shapes.append(tuple(args[2].shape[1:]))) for layer in model]
    model(torch.zeros(2, 1, 28, 28))
    assert len(hooks) == 8
    assert shapes[::2] == [(32, 13, 13), (64, 6, 6), (2304,), (200,)]
    assert shapes[-1] == (11,)


@pytest.mark.parametrize(("shape", "flat"), [((1, 8, 8), 32 * 4 * 4), ((3, 8, 8), 32 * 4 * 4), ((1, 9, 7), 32 * 5 * 4)])
def test_digits_cnn_fits_its_images(shape: tuple[int, int, int], flat: int) -> None:
    """The small network: 3x3 to 16, 3x3 stride 2 to 32 (sides halved, rounded up), 64, outputs."""
    model = models.build("digits-cnn", shape, 10, generator(0, "test"))
    expected = (9 * shape[0] + 1) * 16 + (9 * 16 + 1) * 32 + (flat + 1) * 64 + (64 + 1) * 10
    assert count(model) == expected
    assert model(torch.zeros(5, *shape)).shape == (5, 10)


@pytest.mark.parametrize(
    ("name", "shape", "outputs", "sizes"),
    [
        ("wang-cnn", (1, 28, 28), 10, [(32, 14, 14), (64, 14, 14), (128, 7, 7), (256, 7, 7), (12_544,), (10,)]),
        ("wang-cnn-half", (1, 28, 28), 10, [(16, 14, 14), (32, 14, 14), (64, 7, 7), (128, 7, 7), (6_272,), (10,)]),
        ("wang-faces-cnn", (1, 64, 64), 40, [(32, 32, 32), (64, 32, 32), (128, 16, 16), (256, 8, 8), (16_384,), (40,)]),
        (
            "wang-faces-cnn-half",
            (1, 64, 64),
            40,
            [(16, 32, 32), (32, 32, 32), (64, 16, 16), (128, 8, 8), (8192,), (40,)],
        ),
        ("wang-cnn", (3, 9, 7), 5, [(32, 5, 4), (64, 5, 4), (128, 3, 2), (256, 3, 2), (1536,), (5,)]),
    ],
)
def test_wang_has_the_papers_layers(
    name: str, shape: tuple[int, int, int], outputs: int, sizes: list[tuple[int, ...]]
) -> None:
    """The maps of Wang's Tables I and II, or half as many; sides are halved, rounded up; LeakyReLU(0.2) after each."""
    model = models.build(name, shape, outputs, generator(0, "test"))
    seen = []
    for layer in model:
        layer.register_forward_hook(lambda *args: seen.append(tuple(args[2].shape[1:])))
    model(torch.zeros(2, *shape))
    assert seen[0:8:2] == seen[1:8:2] == sizes[:4]
    assert seen[8:] == sizes[4:]
    channels = [shape[0], *(size[0] for size in sizes[:4])]
    convolutions = sum((9 * before + 1) * after for before, after in itertools.pairwise(channels))
    assert count(model) == convolutions + (sizes[4][0] + 1) * outputs
    assert [layer.negative_slope for layer in model if isinstance(layer, nn.LeakyReLU)] == [0.2] * 4


@pytest.mark.parametrize("name", models.MODELS)
def test_every_model_is_a_trunk_and_a_linear_head(name: str) -> None:
    """model[:-1] gives the features and model[-1], a linear layer with a bias, turns them into the categories."""
    model = models.build(name, (1, 32, 32), 11, generator(0))
    assert isinstance(model, nn.Sequential)
    head = model[-1]
    assert isinstance(head, nn.Linear)
    assert head.out_features == len(head.bias) == 11
    images = torch.rand(3, 1, 32, 32, generator=generator(1))
    assert torch.equal(head(model[:-1](images)), model(images))


@pytest.mark.parametrize("name", models.MODELS)
def test_weights_come_from_the_generator_alone(name: str) -> None:
    """The same seed gives the same weights, another seed others, and the global randomness stays untouched."""
    before = torch.get_rng_state()
    first, second, other = (models.weights(models.build(name, (1, 28, 28), 10, generator(seed))) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert list(first) == list(second)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not any(torch.equal(first[key], other[key]) for key in first)


def test_weights_are_distributed_as_pytorchs() -> None:
    """A layer of fan-in n has weights uniform in +-1/sqrt(n), so of standard deviation 1/sqrt(3n), and biases alike."""
    state = models.weights(models.build("sun-cnn", (1, 28, 28), 11, generator(0)))
    weight, bias = state["5.weight"], state["5.bias"]
    bound = 1 / math.sqrt(2304)
    for values in (weight, bias):
        assert 0.9 * bound < values.abs().max().item() <= bound
    assert abs(weight.std().item() * math.sqrt(3 * 2304) - 1) < 0.01


def test_initialised_leaves_no_garbage() -> None:
    """Every parameter and buffer is set, batch norm's and transposed convolutions' too."""

    def make() -> nn.Module:
        return nn.Sequential(nn.ConvTranspose2d(2, 3, 3, bias=False), nn.BatchNorm2d(3), nn.Linear(4, 2))

    state = models.initialised(make, generator(0)).state_dict()
    assert state["1.weight"].tolist() == [1, 1, 1]
    assert state["1.running_mean"].tolist() == [0, 0, 0]
    assert state["1.running_var"].tolist() == [1, 1, 1]
    assert state["1.num_batches_tracked"].item() == 0
    assert state["0.weight"].abs().max() <= 1 / math.sqrt(3 * 9)  # PyTorch's fan-in of [2, 3, 3, 3] is 3 * 9
    assert state["2.weight"].abs().max() <= 1 / math.sqrt(4)


def test_weights_are_a_copy() -> None:
    """Training on does not change weights that were taken before."""
    model = models.build("digits-cnn", (1, 8, 8), 10, generator(0))
    taken = models.weights(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert all(tensor.abs().sum() > 0 for tensor in taken.values())


def test_unknown_model_offers_the_nearest() -> None:
    """A misspelt name is answered with the nearest known one."""
    with pytest.raises(SettingsError, match="Did you mean 'sun-cnn'"):
        models.build("sun-cn", (1, 28, 28), 11, generator(0))


def test_chen_has_the_papers_layers() -> None:
    """Chen's Table II: 16 and 32 maps of 5x5, FC 1000 on 28x28; 32, 32, 64, 64 maps of 3x3, FC 512 on 32x32x3."""
    small = (25 * 1 + 1) * 16 + (25 * 16 + 1) * 32 + (32 * 4 * 4 + 1) * 1000 + 1001 * 10
    assert count(models.build("chen-cnn", (1, 28, 28), 10, generator(0, "test"))) == small
    convolutions = (9 * 3 + 1) * 32 + (9 * 32 + 1) * 32 + (9 * 32 + 1) * 64 + (9 * 64 + 1) * 64
    deep = convolutions + (64 * 8 * 8 + 1) * 512 + 513 * 10
    assert count(models.build("chen-deep-cnn", (3, 32, 32), 10, generator(0, "test"))) == deep

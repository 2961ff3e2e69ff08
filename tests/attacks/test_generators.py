"""The generator networks."""

import pytest
import torch
from torch import nn

from attacks import generators
from task.seeding import generator
from task.settings import SettingsError


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("small", (1, 8, 8)),
        ("sun", (1, 28, 28)),
        ("sun", (3, 32, 32)),
        ("wang", (1, 28, 28)),
        ("wang-half", (3, 32, 32)),
        ("wang-quarter", (1, 8, 8)),
        ("wang-quarter", (1, 12, 12)),
        ("wang-faces", (1, 64, 64)),
        ("wang-faces-half", (3, 32, 32)),
        ("wang-faces-quarter", (1, 16, 16)),
    ],
)
def test_images_have_the_asked_shape_and_range(name: str, shape: tuple[int, int, int]) -> None:
    """Images lie in [-1, 1]."""
    network = generators.build(name, shape, generator(0))
    images = network(generators.codes(name, 5, generator(1)))
    assert images.shape == (5, *shape)
    assert images.abs().max() <= 1


def test_suns_generator_has_the_papers_layers() -> None:
    """FC 100 x 1568, then 3x3 transposed convolutions 32-32-16-1, each with biases."""
    network = generators.build("sun", (1, 28, 28), generator(0))
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == (100 * 1568 + 1568) + (9 * 32 * 32 + 32) + (9 * 32 * 16 + 16) + (9 * 16 + 1)


def maps(network: nn.Module, kind: type[nn.Module], latent: int) -> list[tuple[int, ...]]:
    """Return the shapes that the layers of one kind put out."""
    seen: list[tuple[int, ...]] = []
    for layer in network.modules():
        if isinstance(layer, kind):
            layer.register_forward_hook(lambda *args: seen.append(tuple(args[2].shape[1:])))
    network(torch.zeros(2, latent))
    return seen


@pytest.mark.parametrize(("name", "share"), [("wang", 1), ("wang-half", 2), ("wang-quarter", 4)])
def test_wangs_generator_has_the_papers_layers(name: str, share: int) -> None:
    """Table I: 100 to 3x3x384, 5x5 to 7x7x192, 14x14x96 and 28x28x1, batch norm between; or a half, a quarter of it."""
    network = generators.build(name, (1, 28, 28), generator(0))
    wide, middle, narrow = 384 // share, 192 // share, 96 // share
    assert maps(network, nn.ConvTranspose2d, 100) == [(middle, 7, 7), (narrow, 14, 14), (1, 28, 28)]
    assert maps(network, nn.BatchNorm2d, 100) == [(wide, 3, 3), (middle, 7, 7), (narrow, 14, 14)]
    weights = 101 * 9 * wide + (25 * wide + 1) * middle + (25 * middle + 1) * narrow + (25 * narrow + 1)
    assert sum(one.numel() for one in network.parameters()) == weights + 2 * (wide + middle + narrow)
    assert isinstance(network[-1], nn.Tanh)


@pytest.mark.parametrize(("name", "share"), [("wang-faces", 1), ("wang-faces-half", 2), ("wang-faces-quarter", 4)])
def test_wangs_generator_of_faces_has_the_papers_layers(name: str, share: int) -> None:
    """Table II: 100 to 4x4x512, 5x5 to 8x8x256, 16x16x128, 32x32x64 and 64x64x1; or a half, a quarter of it."""
    network = generators.build(name, (1, 64, 64), generator(0))
    sizes = [(256 // share, 8, 8), (128 // share, 16, 16), (64 // share, 32, 32), (1, 64, 64)]
    assert maps(network, nn.ConvTranspose2d, 100) == sizes
    assert maps(network, nn.BatchNorm2d, 100) == [(512 // share, 4, 4), *sizes[:-1]]


def test_codes_are_uniform_from_minus_one_to_one() -> None:
    """Mean 0 and variance 1/3, within five standard errors of 160,000 draws."""
    codes = generators.codes("small", 10_000, generator(0)).double()
    assert codes.abs().max() <= 1
    assert codes.mean().abs().item() < 5 * (1 / 3 / 160_000) ** 0.5
    assert abs(codes.var().item() - 1 / 3) < 0.005


def test_a_shape_that_cannot_be_made_is_refused() -> None:
    """Sun's generator doubles twice, so that four must divide the side."""
    with pytest.raises(SettingsError, match="side 4 divides"):
        generators.build("sun", (1, 30, 30), generator(0))


@pytest.mark.parametrize(
    ("name", "shape", "divisor"),
    [("wang", (1, 30, 30), 4), ("wang", (1, 4, 4), 4), ("wang", (1, 28, 32), 4), ("wang-faces", (1, 56, 56), 16)],
)
def test_wangs_generator_refuses_what_it_cannot_make(name: str, shape: tuple[int, int, int], divisor: int) -> None:
    """Wang's doubles twice from a map that need not be even, that of the faces four times."""
    with pytest.raises(SettingsError, match=rf"at least 8x8 whose side {divisor} divides, got \({shape[0]}, "):
        generators.build(name, shape, generator(0))


def test_building_leaves_the_global_randomness_alone() -> None:
    """The weights come from the given generator alone."""
    torch.manual_seed(3)
    before = torch.get_rng_state()
    generators.build("sun", (1, 28, 28), generator(0))
    assert torch.equal(torch.get_rng_state(), before)

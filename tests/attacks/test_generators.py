"""The generator networks."""

import pytest
import torch

from attacks import generators
from task.seeding import generator
from task.settings import SettingsError


@pytest.mark.parametrize(("name", "shape"), [("small", (1, 8, 8)), ("sun", (1, 28, 28)), ("sun", (3, 32, 32))])
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


def test_building_leaves_the_global_randomness_alone() -> None:
    """The weights come from the given generator alone."""
    torch.manual_seed(3)
    before = torch.get_rng_state()
    generators.build("sun", (1, 28, 28), generator(0))
    assert torch.equal(torch.get_rng_state(), before)

"""Tests of private properties: turned images, and who holds them."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from task import private
from task.datasets import load, to_float
from task.partitions import held
from task.settings import PartitionSettings, PrivateSettings, TaskSettings


def noise(height: int, width: int, count: int = 3) -> Tensor:
    """Return random images."""
    return torch.randint(
        0, 256, (count, 2, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


def task(**settings: object) -> TaskSettings:
    """Return a task on the digits whose participant 1 has a property."""
    return TaskSettings(
        dataset="digits",
        model="digits-cnn",
        partition=PartitionSettings(kind="random-classes", images=30),
        private=PrivateSettings(kind="rotated", client=1, **settings),
    )


@pytest.mark.parametrize("quarters", [1, 2, 3, -1, 4])
def test_quarter_turns_of_squares_lose_nothing(quarters: int) -> None:
    """90 degrees are one quarter counter-clockwise, to the last bit, in sides even and odd."""
    for side in (8, 7):
        images = noise(side, side)
        assert torch.equal(private.turn(images, 90 * quarters), torch.rot90(images, quarters, (2, 3)))


def test_no_degrees_change_nothing() -> None:
    """The upright control holds the very images."""
    images = noise(5, 6)
    assert private.turn(images, 0) is images
    assert private.turn(images[:0], 30).shape == (0, 2, 5, 6)


@pytest.mark.parametrize(("height", "width"), [(28, 28), (21, 34)])
def test_turning_is_what_pil_does(height: int, width: int) -> None:
    """30 degrees counter-clockwise, bilinear: inside, away from the border, PIL's rotation agrees to within one."""
    image = noise(height, width, 1)[0, :1]
    ours = private.turn(image.unsqueeze(0), 30)[0, 0].numpy().astype(int)
    theirs = np.array(Image.fromarray(image[0].numpy()).rotate(30, Image.Resampling.BILINEAR)).astype(int)
    ones = torch.full_like(image, 255).unsqueeze(0)
    inside = (private.turn(ones, 30)[0, 0] == 255).numpy()
    assert inside.mean() > 0.6
    assert np.abs(ours - theirs)[inside].max() <= 1


@pytest.mark.parametrize(("height", "width"), [(9, 9), (8, 13)])
def test_each_image_is_turned_by_its_own_degrees(height: int, width: int) -> None:
    """In [-1, 1] as in bytes, to within the rounding, and whatever the sides' ratio."""
    images = noise(height, width)
    degrees = torch.tensor([30.0, -45.0, 180.0])
    ours = private.turned(to_float(images), degrees)
    whole = [private.turn(image.unsqueeze(0), angle) for image, angle in zip(images, degrees.tolist(), strict=True)]
    torch.testing.assert_close(ours, to_float(torch.cat(whole)), atol=0.005, rtol=0)


def test_outside_is_black_and_arguments_stay() -> None:
    """The corners of a white square turned by 45 degrees are black, its middle white; the square itself stays white."""
    white = torch.full((1, 1, 9, 9), 255, dtype=torch.uint8)
    turned = private.turn(white, 45)
    assert turned.dtype == torch.uint8
    assert [turned[0, 0, row, column].item() for row in (0, 8) for column in (0, 8)] == [0] * 4
    assert turned[0, 0, 2:7, 2:7].unique().tolist() == [255]
    assert white.unique().tolist() == [255]


def test_only_the_private_participant_s_images_are_turned() -> None:
    """Participant 1 has its images turned by 30 degrees; everyone else has the data set's own."""
    digits, settings = load("digits"), task()
    parts = held(digits, settings, clients=3, seed=0)
    for client, indices in parts.items():
        plain = digits.train.images[indices]
        expected = private.turn(plain, 30) if client == 1 else plain
        assert torch.equal(private.images(digits, settings, client, indices), expected)
    assert not torch.equal(private.images(digits, settings, 1, parts[1]), digits.train.images[parts[1]])
    upright = task(degrees=0.0)
    assert torch.equal(private.images(digits, upright, 1, parts[1]), digits.train.images[parts[1]])


def test_a_few_of_the_images_are_turned_as_all_of_them() -> None:
    """What a participant draws for a round is a part of what it holds."""
    digits, settings = load("digits"), task()
    indices = held(digits, settings, clients=3, seed=0)[1]
    some = private.images(digits, settings, 1, indices[[7, 2]])
    assert torch.equal(some, private.images(digits, settings, 1, indices)[[7, 2]])


def test_the_data_set_as_held() -> None:
    """The judge's data set differs from the public one in the private participant's training images alone."""
    digits, settings = load("digits"), task()
    parts = held(digits, settings, clients=3, seed=0)
    before = digits.train.images.clone()
    real = private.as_held(digits, settings, parts)
    assert torch.equal(digits.train.images, before)
    changed = (real.train.images != before).flatten(1).any(1).nonzero().flatten()
    assert set(changed.tolist()) <= set(parts[1].tolist())
    assert len(changed) > 25
    assert torch.equal(to_float(real.train.images[parts[1]]), to_float(private.turn(before[parts[1]], 30)))
    assert real.test is digits.test
    plain = TaskSettings(dataset="digits", model="digits-cnn")
    assert private.as_held(digits, plain, parts) is digits

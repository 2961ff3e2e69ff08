"""The judge of a private property."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from oleander.judge import noise, properties
from oleander.judge.properties import TurnedJudge
from task.datasets import Dataset, load, to_float
from task.private import turn
from task.seeding import generator


@pytest.fixture(scope="module")
def turned_judge(digits: Dataset) -> TurnedJudge:
    """A judge of turned digits, really trained."""
    return properties.train(to_float(digits.train.images), digits.train.labels, 10)


def right(judge: TurnedJudge, images: Tensor, labels: Tensor, *, marked: bool) -> float:
    """Return the share of images that get the right category and property."""
    found = judge.verdicts(images)
    return ((found.category == labels) & (found.marked == marked) & ~found.junk).double().mean().item()


def test_turned_digits_are_told_from_upright_ones(turned_judge: TurnedJudge, digits: Dataset) -> None:
    """Of held-out digits, 8x8 pixels, most get category and property right, in the direction of task.private.turn."""
    labels = digits.test.labels
    assert right(turned_judge, to_float(digits.test.images), labels, marked=False) > 0.8
    assert right(turned_judge, to_float(turn(digits.test.images, 30)), labels, marked=True) > 0.8
    assert right(turned_judge, to_float(turn(digits.test.images, -30)), labels, marked=True) < 0.1


def test_noise_is_neither(turned_judge: TurnedJudge, digits: Dataset) -> None:
    """Saturated noise and stripes, the latter never seen in training, are not of this data."""
    real = to_float(digits.test.images)
    for kind in (noise.saturated, noise.stripes):
        assert turned_judge.verdicts(kind(real, generator(0))).junk.double().mean() > 0.9


def test_categories_add_up_both_halves(turned_judge: TurnedJudge, digits: Dataset) -> None:
    """The probability of a category is the sum of those of its upright and its turned output."""
    images = to_float(digits.test.images[:50])
    with torch.no_grad():
        each = turned_judge.network(images).softmax(1)
        found = turned_judge.by_category(images).softmax(1)
    assert found.shape == (50, 11)
    torch.testing.assert_close(found[:, 3], each[:, 3] + each[:, 13])
    torch.testing.assert_close(found[:, 10], each[:, 20])


def test_without_a_turn_the_judge_asks_for_thirty_degrees(digits: Dataset) -> None:
    """The upright control is judged by the very judge of the turned victim, so that the two compare."""
    few, how = slice(0, 200), properties.Settings(steps=3)
    images, labels = to_float(digits.train.images[few]), digits.train.labels[few]
    control, victim = (properties.train(images, labels, 10, degrees, how) for degrees in (0.0, 30.0))
    assert all(map(torch.equal, control.network.state_dict().values(), victim.network.state_dict().values()))


def test_blur_is_not_taken_for_a_turn(data_root: str) -> None:
    """Turning blurs; a judge that went by that would call blurred upright MNIST digits turned."""
    mnist = load("mnist", data_root)
    images, labels = to_float(mnist.train.images[:4000]), mnist.train.labels[:4000]
    judge = properties.train(images, labels, 10, how=properties.Settings(steps=250))
    sharp = to_float(mnist.test.images[:1000])
    blurred = functional.avg_pool2d(functional.pad(sharp, (1, 0, 1, 0), value=-1), 2, stride=1)
    before, after = (judge.verdicts(shown).marked.double().mean().item() for shown in (sharp, blurred))
    assert abs(before - after) < 0.1

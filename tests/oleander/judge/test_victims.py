"""Who has the private property, and what is held against its loot."""

import dataclasses

import pytest
import torch

from oleander.judge import truth, victims
from task.datasets import Dataset, Split, load, to_float
from task.partitions import held
from task.private import turn
from task.settings import PartitionSettings, PrivateSettings, SettingsError, TaskSettings

ROTATED = TaskSettings(
    dataset="digits",
    model="digits-cnn",
    partition=PartitionSettings(kind="random-classes", images=30, classes_per_client=3),
    private=PrivateSettings(kind="rotated", client=1, classes=(2, 4, 7)),
)
MARKED = TaskSettings(
    dataset="image-folder",
    model="digits-cnn",
    partition=PartitionSettings(kind="whole-classes"),
    private=PrivateSettings(kind="attribute", client=0, table="hats.csv"),
)


def test_the_victim_of_a_turn_holds_turned_images(digits: Dataset) -> None:
    """Its own are turned, the others' are not; all its classes are judged."""
    holding = held(digits, ROTATED, 3, 0)
    found = victims.find(digits, ROTATED, holding)
    assert found is not None
    assert (found.client, found.classes, found.judged) == (1, (2, 4, 7), (2, 4, 7))
    assert torch.equal(found.own.images, to_float(turn(digits.train.images[holding[1]], 30)))
    assert torch.equal(found.others.images[found.others.client == 2], to_float(digits.train.images[holding[2]]))
    assert (found.words, found.without, found.asked) == ("turned by 30 degrees", "upright", 30)
    assert not found.upright


def test_the_truth_about_a_turned_victim_is_turned(digits: Dataset) -> None:
    """Its images, free ones and those of other classes: else the loot were nearer to its own for the turn alone."""
    holding = held(digits, ROTATED, 3, 0)
    found = victims.find(digits, ROTATED, holding)
    assert found is not None
    seen = truth.reveal(digits, holding, 4, None, seed=0, lens=found.lens(digits))
    plain = truth.reveal(digits, holding, 4, None, seed=0)
    assert seen.owners == (1,)
    assert len(seen.images) == 10
    rows = {image.numpy().tobytes() for image in seen.images}
    assert rows == {image.numpy().tobytes() for image in found.own.of(4)}
    assert not torch.equal(seen.others, plain.others)
    assert not torch.equal(seen.by_class[0], plain.by_class[0])
    assert not torch.equal(seen.held_out, plain.held_out)


def test_the_upright_control_is_one(digits: Dataset) -> None:
    """Nothing is turned, and the judge asks for 30 degrees all the same."""
    task = dataclasses.replace(ROTATED, private=dataclasses.replace(ROTATED.private, degrees=0.0))
    found = victims.find(digits, task, held(digits, task, 3, 0))
    assert found is not None
    assert found.upright
    assert (found.words, found.asked) == ("turned by 30 degrees", 30)


def test_the_upright_control_asks_for_the_turn_of_the_run_that_it_controls() -> None:
    """By 45 degrees where that is said; no turn at all is no question."""
    digits = load("digits")
    private = PrivateSettings(kind="rotated", client=1, classes=(2, 4, 7), degrees=0.0, asked=45.0)
    task = dataclasses.replace(ROTATED, private=private)
    found = victims.find(digits, task, held(digits, task, 3, 0))
    assert found is not None
    assert (found.upright, found.words) == (True, "turned by 45 degrees")
    with pytest.raises(SettingsError, match=r"private\.asked"):
        PrivateSettings(kind="rotated", asked=0.0)


def test_of_marked_images_only_classes_of_both_kinds_are_judged() -> None:
    """Class 0 always wears a hat, 1 sometimes, 2 never: whose 1 with a hat is, the class alone does not tell."""
    images = torch.arange(12, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 4, 4)
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
    hats = torch.tensor([1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]) > 0
    test = torch.tensor([0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 1]) > 0
    splits = [Split(images[part], labels[part], hats[part]) for part in (~test, test)]
    dataset = Dataset("hats", ("a", "b", "c"), *splits, mark="a hat")
    holding = held(dataset, MARKED, 2, 0)
    found = victims.find(dataset, MARKED, holding)
    assert found is not None
    assert (found.classes, found.judged) == ((0, 1), (1,))
    assert (found.words, found.without) == ("with a hat", "without a hat")
    seen = truth.reveal(dataset, holding, 1, None, seed=0, lens=found.lens(dataset))
    assert len(seen.images) == 2
    assert len(seen.held_out) == 0
    assert len(seen.others) == 0


def test_without_a_property_there_is_no_victim(digits: Dataset) -> None:
    """Nor where its participant holds nothing."""
    task = dataclasses.replace(ROTATED, private=None)
    assert victims.find(digits, task, held(digits, task, 3, 0)) is None
    assert victims.find(digits, ROTATED, {0: torch.arange(3)}) is None

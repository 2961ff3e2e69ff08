"""The judge of a run is appointed by what there is to judge."""

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor

from oleander.judge import independent, victims
from oleander.judge.classifier import Settings
from oleander.judge.marks import MarkedJudge
from oleander.judge.properties import TurnedJudge
from task.datasets import Dataset, Split
from task.partitions import held
from task.seeding import generator
from task.settings import PartitionSettings, PrivateSettings, TaskSettings

PERSONS, EACH, SIDE = 7, 8, 16
HATS = {0: 4, 1: 4, 2: 8, 3: 8}  # images with a hat, of each person that has some; 4 to 6 have none
TASK = TaskSettings(
    dataset="image-folder",
    model="digits-cnn",
    partition=PartitionSettings(kind="whole-classes"),
    private=PrivateSettings(kind="attribute", client=0, table="hats.csv"),
)


def people(hats: dict[int, int]) -> Dataset:
    """Persons of a texture of their own, some with a dark bar; two images of each of one kind are for testing."""
    images, labels, marked, test = [], [], [], []
    for person in range(PERSONS):
        coarse = torch.randn(1, 1, 4, 4, generator=generator(person, "person"))
        texture = torch.nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bilinear").tanh().expand(EACH, -1, -1, -1)
        shown = texture + 0.1 * torch.randn(EACH, 1, SIDE, SIDE, generator=generator(person, "noise"))
        with_hat = torch.arange(EACH) < hats.get(person, 0)
        shown[with_hat, :, 3:6] = -1
        images.append(((shown.clamp(-1, 1) + 1) * 127.5).byte())
        labels.append(torch.full((EACH,), person))
        marked.append(with_hat)
        both = 0 < hats.get(person, 0) < EACH
        test.append(torch.arange(EACH) >= EACH - (1 if both else 2))
    pixels, names, hat, tests = (torch.cat(part) for part in (images, labels, marked, test))

    def split(chosen: Tensor) -> Split:
        return Split(pixels[chosen], names[chosen], hat[chosen])

    return Dataset("people", tuple("abcdefg"), split(~tests), split(tests), mark="a hat")


def appointed(dataset: Dataset, task: TaskSettings, folder: Path) -> tuple[independent.Independent, victims.Victim]:
    """Return the judge and the victim of three participants."""
    holding = held(dataset, task, 3, 0)
    victim = victims.find(dataset, task, holding)
    assert victim is not None
    return independent.appoint(dataset, holding, victim, 0, folder), victim


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train for a second, not for a minute."""
    monkeypatch.setattr(independent, "FACES", Settings(steps=60, batch_size=32))


def test_marked_images_are_judged_by_category_and_mark(tmp_path: Path) -> None:
    """Never trained on the victim's images, tried on them; the second time all three parts come from the cache."""
    dataset = people(HATS)
    found, victim = appointed(dataset, TASK, tmp_path / "cache")
    assert isinstance(found.properties, MarkedJudge)
    assert found.missing == []
    facts = found.property_facts
    assert facts["images"] == PERSONS * EACH - len(victim.own.labels)
    assert facts["victim_images"] == 8
    assert 0 <= facts["victim_accuracy"] <= facts["victim_category_accuracy"] <= 1
    assert facts["property_accuracy"] > 0.8
    assert len(list((tmp_path / "cache").iterdir())) == 3
    again, _ = appointed(dataset, TASK, tmp_path / "cache")
    assert again.property_facts["victim_accuracy"] == facts["victim_accuracy"]
    assert again.property_facts["noise_by_kind"] == facts["noise_by_kind"]


def test_where_everyone_has_both_kinds_the_property_is_not_judged(tmp_path: Path) -> None:
    """All hats are the victim's: nothing public shows one, and the categories are judged alone."""
    found, _ = appointed(people(dict.fromkeys(range(PERSONS), 4)), TASK, tmp_path)
    assert found.properties is None
    assert found.missing[0].startswith("The property is not judged: Expected two public classes with the mark")


def test_a_turn_needs_another_judge(digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One network for both; its training images are upright ones that nobody holds."""
    monkeypatch.setattr(independent.properties, "settings", lambda _: Settings(steps=5))
    partition = PartitionSettings(kind="random-classes", images=30, classes_per_client=3)
    turned = dataclasses.replace(TASK, dataset="digits", partition=partition, private=PrivateSettings(kind="rotated"))
    found, _ = appointed(digits, turned, tmp_path)
    assert isinstance(found.properties, TurnedJudge)
    assert found.property_facts["trained_on"].endswith("no participant holds, upright and turned by 30 degrees")
    assert found.property_facts["test_images"] == 2 * len(digits.test.labels)


def test_without_a_property_categories_are_enough(
    digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As before there were servers that attack."""
    monkeypatch.setattr(independent, "Settings", lambda: Settings(steps=5))
    found = independent.appoint(digits, {0: torch.arange(50)}, None, 0, tmp_path)
    assert found.properties is None
    assert found.facts["held_images"] == 0

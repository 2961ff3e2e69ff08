"""J and its controls, from a judge whose answers are known."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from oleander.judge import disclosure, truth
from oleander.judge.attackers import Attacker
from oleander.judge.classifier import Judge, build
from oleander.judge.disclosure import Case
from oleander.judge.properties import Verdicts
from oleander.judge.victims import Belongings, Victim
from task.datasets import Dataset
from task.settings import PrivateSettings


class Reader:
    """Reads its verdicts from the pixels of images 1x1x3: category, marked, junk, each divided by 10."""

    classes = 10

    @property
    def by_category(self) -> Judge:
        """A judge that nobody asks."""
        return build((1, 8, 8), 10, 0)

    def verdicts(self, images: Tensor) -> Verdicts:
        """Return what the pixels say."""
        read = (10 * images.flatten(1)).round().long()
        return Verdicts(read[:, 0], read[:, 1] > 0, read[:, 2] > 0)


def said(*verdicts: tuple[int, int, int]) -> Tensor:
    """Return images that say these verdicts."""
    return torch.tensor(verdicts, dtype=torch.float32).view(-1, 1, 1, 3) / 10


def belongings(images: Tensor, labels: list[int], client: int) -> Belongings:
    """Return what a client holds."""
    return Belongings(images=images, labels=torch.tensor(labels), client=torch.full((len(labels),), client))


@pytest.fixture
def case(digits: Dataset) -> Case:
    """A victim of twos and sevens; another participant holds a two."""
    own = belongings(said((2, 1, 0), (2, 1, 0), (7, 0, 0)), [2, 2, 7], 0)
    others = belongings(said((2, 0, 0)), [2], 1)
    victim = Victim(
        client=0,
        settings=PrivateSettings(kind="rotated"),
        mark="",
        own=own,
        others=others,
        classes=(2, 7),
        judged=(2, 7),
    )
    unseen = truth.Truth(
        label=2, owners=(0,), images=own.images, held_out=own.images[:1], others=own.images[:0], by_class=()
    )
    attacker = Attacker(
        who="server",
        attack="toy",
        wanted=(),
        names=digits.classes,
        truth=lambda _: unseen,
        model=build((1, 8, 8), 10, 0),
        global_model=None,
        shape=(1, 1, 3),
        early_noise=False,
        seed=0,
    )
    return Case(
        attacker=attacker,
        victim=victim,
        judge=Reader(),
        facts={},
        public=belongings(said((2, 0, 0), (2, 1, 0)), [2, 2], -1),
        auxiliary=belongings(said((2, 1, 0), (2, 1, 0), (2, 1, 0), (2, 0, 0), (5, 1, 0)), [2, 2, 2, 2, 5], -1),
        turned=45.0,
    )


def test_j_counts_the_right_class_with_the_property_that_is_no_junk(case: Case) -> None:
    """Of four samples one is all that: the others are unmarked, junk, and of another class. Three show a class."""
    loot = {2: said((2, 1, 0), (2, 0, 0), (2, 1, 1)), 7: said((2, 1, 0)), 5: said((5, 1, 0), (5, 0, 0))}
    found = disclosure.in_one_round(case, loot, {2: said((2, 1, 0), (2, 0, 0), (2, 0, 0)), 5: said((5, 1, 0))}, {})
    assert found["J"] == pytest.approx(1 / 4)
    assert found["category"] == pytest.approx(2 / 4)
    assert found["noise_share"] == pytest.approx(1 / 4)
    assert found["J_other"] == pytest.approx(1 / 3)
    assert found["J_not_owned"] == pytest.approx(1 / 2)
    assert found["by_class"] == {"2": pytest.approx(1 / 3), "7": 0}


def test_classes_not_held_are_asked_for_where_the_loot_lacks_them(case: Case) -> None:
    """The file of such samples counts, what it has of the victim's classes and what the loot has of others does not."""
    loot = {2: said((2, 1, 0)), 5: said((5, 0, 0))}
    foreign = {2: said((2, 1, 0)), 6: said((6, 1, 0), (6, 1, 0), (6, 0, 0))}
    assert disclosure.in_one_round(case, loot, {}, foreign)["J_not_owned"] == pytest.approx(2 / 3)
    found = disclosure.of_property(case, {3: loot}, {}, {3: foreign})
    assert found["not_owned_classes"] == {"6": "6"}
    assert disclosure.of_property(case, {3: loot}, {}, {})["not_owned_classes"] == {"5": "5"}


def test_the_headline_is_the_mean_of_the_last_three_rounds(case: Case) -> None:
    """Twos are shown in rounds 4 and 10, not in 6 and 8, sevens in none: J is a sixth, whatever the first was."""
    yes, no = said((2, 1, 0), (2, 1, 0)), said((2, 0, 0), (2, 0, 0))
    loot = {4: {2: yes}, 6: {2: no}, 8: {2: no}, 10: {2: yes}}
    found = disclosure.of_property(case, loot, {}, {})
    assert found["rounds"] == [6, 8, 10]
    assert found["J"] == pytest.approx(1 / 6)
    assert [line["J"] for line in found["per_round"]] == [1 / 2, 0, 0, 1 / 2]
    assert math.isnan(found["J_other"])
    assert found["J_real"] == pytest.approx(2 / 3)
    assert found["J_real_public"] == pytest.approx(1 / 2)
    assert found["J_auxiliary"] == pytest.approx(3 / 4)
    assert found["turned"] == 45
    assert found["J_low"] < found["J"] < found["J_high"]
    assert found["words"] == "turned by 30 degrees"
    assert found["shown_classes"] == 1
    assert found["absent"] == {"6": [7], "8": [7], "10": [7]}


def test_nearness_compares_equal_numbers_of_the_same_class(case: Case) -> None:
    """A two that is the victim's lies on it, and away from the other's; sevens, which one side holds, say nothing."""
    victim = case.victim
    own, others = disclosure.nearness(victim, {2: said((2, 1, 0)), 7: said((7, 0, 0))}, seed=0)
    assert own == 0
    assert others == pytest.approx(math.sqrt(0.1**2 / 3))
    assert all(map(math.isnan, disclosure.nearness(victim, {7: said((7, 0, 0))}, seed=0)))


def test_without_loot_there_is_no_number(case: Case) -> None:
    """NaN, which the verdict turns into null."""
    found: dict[str, Any] = disclosure.of_property(case, {}, {}, {})
    assert all(math.isnan(found[name]) for name in ("J", "J_low", "J_high", "category"))
    assert found["rounds"] == []

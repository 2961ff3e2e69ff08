"""What is said of a server's attack claims no more than the numbers show."""

import math
from typing import Any

import pytest

from oleander.judge import server_words

PROPERTY: dict[str, Any] = {
    "kind": "rotated",
    "words": "turned by 30 degrees",
    "without": "upright",
    "control": False,
    "judged_classes": [2, 4],
    "rounds": [80, 90, 100],
    "absent": {"100": [4]},
    "per_round": [{"round": number, "by_class": {"2": 0.75, "4": 0.1}} for number in (70, 80, 90, 100)],
    "J": 0.75,
    "J_other": 0.25,
    "J_real_public": 0.05,
    "J_auxiliary": 0.05,
    "turned": 0.0,
    "J_not_owned": 0.2,
    "J_real": 0.95,
    "category": 0.9,
    "nn_rmse_victim": 0.4,
    "nn_rmse_others": 0.5,
    "nn_rmse_victim_real": 0.3,
    "nn_rmse_others_real": 0.55,
}
TARGET: dict[str, Any] = {
    "name": "2",
    "samples": 100,
    "round": 100,
    "recognised": 0.9,
    "recognised_real": 0.97,
    "nn_rmse": 0.4,
    "nn_rmse_other": 0.6,
}


def verdict(**changes: Any) -> dict[str, Any]:
    """Return a server's part of a verdict."""
    return {"attack": "mgan-ai", "victim": 0, "start_round": 60, "last_loot_round": 100, "property": PROPERTY | changes}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "shown"),
        ({"J": 0.49}, "class only"),
        ({"J_other": 0.51}, "class only"),
        ({"J_other": None, "J_real_public": 0.6}, "class only"),
        ({"J_other": None}, "shown"),
        ({"turned": 45.0}, "beside its controls"),
        ({"turned": 45.0, "J_auxiliary": 0.51}, "class only"),
        ({"J": 0.1, "category": 0.4}, "not shown"),
        ({"control": True}, "control"),
        ({"J": math.nan}, "no loot"),
    ],
)
def test_shown_is_half_and_a_quarter_above_the_controls(changes: dict[str, Any], expected: str) -> None:
    """Of J 0.75 against 0.25 for "not the victim"; a control that is as good takes it away."""
    prop = PROPERTY | changes
    assert server_words.conclusion(prop["J"], prop["category"], prop) == expected


def test_the_headline_names_shares_rounds_and_controls() -> None:
    """And that an upright run is wanting."""
    text = server_words.headline(verdict())
    assert text == (
        "The server learned what only participant 0 holds: 75 % of its samples of participant 0's classes show the "
        "class turned by 30 degrees (mean of rounds 80, 90 and 100); of its samples of “not participant 0” 25 %, of "
        "public images upright 5 %, and of participant 0's own images 95 %. What the attack invents is known only "
        "beside a run whose victim's images are upright."
    )


def test_an_attack_that_turns_its_own_images_needs_an_upright_run() -> None:
    """What copies of these would show stands beside, and nothing is plainly shown."""
    text = server_words.headline(verdict(turned=45.0, J_auxiliary=0.35))
    assert text == (
        "Beside the controls of this run, the server's samples show what only participant 0 holds: 75 % of its samples "
        "of participant 0's classes show the class turned by 30 degrees (mean of rounds 80, 90 and 100); of its "
        "samples of “not participant 0” 25 %, of the server's own images, turned by any angle, 35 %, of public "
        "images upright 5 %, and of participant 0's own images 95 %. A run whose victim's images are upright is the "
        "last word."
    )


def test_of_a_mark_no_run_without_it_stands_beside() -> None:
    """And the words say so."""
    text = server_words.headline(verdict(kind="attribute", without="without glasses"))
    assert text.endswith("No run of a victim without glasses stands beside it: what the attack invents is not known.")


def test_a_judge_that_misses_the_victims_own_images_is_no_sure_judge() -> None:
    """Of glasses, for instance, of which there are few."""
    assert "no sure judge" in server_words.headline(verdict(J_real=0.6, kind="attribute"))
    assert "no sure judge" not in server_words.headline(verdict(kind="attribute"))


def test_a_class_is_judged_by_its_own_share() -> None:
    """Of twos 75 % show it, of fours 10 %: the one is shown, of the other the class alone."""
    two = server_words.of_class(2, TARGET, PROPERTY)
    four = server_words.of_class(4, TARGET | {"name": "4"}, PROPERTY)
    assert (two["J"], two["conclusion"]) == (0.75, "shown")
    assert (four["J"], four["conclusion"]) == (pytest.approx(0.1), "class only")
    assert "75 % show it turned by 30 degrees (rounds 80, 90 and 100)" in two["words"]
    assert "is not shown" in four["words"]


def test_a_class_that_nobody_else_holds_proves_nothing() -> None:
    """Of someone who always wears glasses the glasses are the class's."""
    found = server_words.of_class(7, TARGET | {"name": "s2"}, PROPERTY | {"without": "without glasses"})
    assert found["J"] is None
    assert found["conclusion"] == "class only"
    assert found["words"].startswith("Nobody holds class s2 without glasses, so that it says nothing of the property.")


def test_without_loot_nothing_is_said() -> None:
    """Neither of a class nor of the server."""
    assert server_words.of_class(2, TARGET | {"samples": 0}, PROPERTY)["conclusion"] == "no loot"
    never = verdict() | {"start_round": None}
    assert server_words.headline(never) == "The server's attack (mgan-ai) never began."
    nothing = verdict() | {"last_loot_round": None}
    assert server_words.of_server(nothing) == "The server's attack (mgan-ai) began in round 60, but left no loot."


def test_a_class_that_the_loot_has_no_longer_is_not_judged() -> None:
    """Class 2 was drawn up to round 70, and not in the evaluations that count."""
    lines = [{"round": number, "by_class": {"4": 0.1}} for number in (80, 90, 100)]
    found = server_words.of_class(2, TARGET | {"round": 70}, PROPERTY | {"per_round": lines})
    assert (found["J"], found["conclusion"]) == (None, "no loot")
    assert "no loot for class 2" in found["words"]
    assert "In round 70, 90 %" in found["words"]


def test_the_verdict_tells_distances_without_a_claim() -> None:
    """To the victim's images and to others', with what unseen real ones reach."""
    text = server_words.of_server(verdict())
    assert "0.40 from the nearest of the victim's images, and 0.50 from" in text
    assert "Of unseen real images turned by 30 degrees these are 0.30 and 0.55." in text
    assert "In round 100 it left no samples of the victim's class 4, which count as not shown." in text
    assert "20 % show their class turned by 30 degrees, too." in text

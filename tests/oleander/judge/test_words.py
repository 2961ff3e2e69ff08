"""The verdict claims no more than the numbers show."""

from typing import Any

import pytest

from oleander.judge import words

NUMBERS: dict[str, Any] = {
    "name": "3",
    "owner": [1],
    "control": False,
    "samples": 60,
    "recognised": 0.98,
    "recognised_low": 0.91,
    "recognised_high": 1.0,
    "recognised_real": 0.97,
    "nn_rmse": 0.3,
    "nn_rmse_other": 0.6,
    "nn_rmse_real": 0.31,
    "diversity": 0.25,
    "diversity_real": 0.55,
    "owner_advantage": 0.001,
    "owner_p": 0.4,
}


@pytest.mark.parametrize(
    ("changes", "conclusion"),
    [
        ({}, "prototype"),
        ({"diversity": 0.5}, "likenesses"),
        ({"owner_p": 0.001}, "records"),
        ({"owner_p": 0.001, "nn_rmse": 0.4}, "prototype"),
        ({"owner_p": None}, "prototype"),
        ({"recognised_low": 0.5}, "not stolen"),
        ({"nn_rmse": 0.61}, "not stolen"),
        ({"nn_rmse": float("nan")}, "not stolen"),
        ({"control": True, "owner": []}, "not stolen"),
        ({"samples": 0}, "no loot"),
    ],
)
def test_a_conclusion_needs_its_evidence(changes: dict[str, Any], conclusion: str) -> None:
    """Each condition alone takes the claim back."""
    assert words.conclusion(NUMBERS | changes) == conclusion


def target(**changes: Any) -> dict[str, Any]:
    """Numbers with their conclusion and words."""
    numbers = NUMBERS | changes
    numbers["conclusion"] = words.conclusion(numbers)
    return numbers | {"words": words.of_target(numbers["name"], numbers)}


def test_a_prototype_is_not_called_a_record() -> None:
    """From whom, how sure and what is said; single records are denied."""
    text = target()["words"]
    assert text.startswith("Class 3 was stolen from participant 1: 98 % of 60 samples")
    assert "95 % interval 91 % to 100 %" in text
    assert "a prototype of the class; no single record is shown" in text


def test_a_weak_judge_says_so() -> None:
    """Of a class that it hardly knows itself, its word counts for little."""
    assert "no sure judge" in target(recognised_real=0.6)["words"]
    assert "no sure judge" not in target()["words"]


def test_of_several_owners_none_is_accused() -> None:
    """The loot cannot tell which of them it comes from."""
    assert "participants 1 and 4 (which of them, the loot cannot tell)" in target(owner=[1, 4])["words"]


def test_a_control_that_is_recognised_is_a_warning() -> None:
    """It takes away from what the shares of the others prove."""
    assert "prove less" in target(control=True, owner=[], recognised=0.3)["words"]
    assert "invents nothing" in target(control=True, owner=[], recognised=0.0)["words"]


def test_the_headline_names_what_was_stolen_and_what_was_not() -> None:
    """The weakest share, the failure and the control all stand in it."""
    targets = {
        "3": target(),
        "6": target(name="6", recognised_low=0.1),
        "9": target(name="9", control=True, owner=[], recognised=0.0),
    }
    text = words.headline({"client-5": {"targets": targets, "start_round": 4, "verdict": ""}})
    assert text == (
        "client-5: Stolen, as prototypes, no single records: 3 (from participant 1); at least 98 % of the samples are "
        "recognised by an independent judge. Not shown to be stolen: 6. Control 9, which nobody holds: 0 % recognised."
    )


def test_an_attack_that_never_began_stole_nothing() -> None:
    """Nor did one that left no loot; and without attackers there is nothing to say."""
    assert words.of_attacker("gan", None, None, []) == "The attack (gan) never began."
    assert words.of_attacker("gan", 4, None, []).endswith("began in round 4, but left no loot.")
    assert words.headline({}) == "No attacker took part; only the global model was judged."

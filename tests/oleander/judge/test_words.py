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
        "6": target(name="6", recognised=0.1, recognised_low=0.05),
        "9": target(name="9", control=True, owner=[], recognised=0.0),
    }
    assert headline(targets) == (
        "Participant 5 stole the class 3 (from participant 1), as a prototype and no single record: an independent "
        "judge recognises 98 % of the samples. That participant 5 stole the class 6 is not shown: an independent judge "
        "recognises 10 % of the samples. Of 9, which nobody holds, it made nothing recognisable (0 %)."
    )


def test_a_defence_is_named_where_it_held_and_where_it_did_not() -> None:
    """Behind the class that it belongs to, stolen or not."""
    defended = {"defenses": ["anti-gan"]}
    targets = {
        "4": target(name="4", **defended),
        "6": target(name="6", recognised=0.1, recognised_low=0.05, **defended),
    }
    said = headline(targets)
    assert "stole the class 4 (from participant 1, behind anti-gan), as" in said
    assert "stole the class 6 (behind anti-gan) is not shown" in said


def test_several_thefts_are_one_sentence() -> None:
    """By name and owner; of different shares the least is told; a recognised control takes from what they prove."""
    targets = {
        "1": target(name="Trouser"),
        "8": target(name="Bag", owner=[3], recognised=0.9),
        "9": target(name="Ankle boot", control=True, owner=[], recognised=0.3),
    }
    assert headline(targets) == (
        "Participant 5 stole the classes Trouser (from participant 1) and Bag (from participant 3), as prototypes and "
        "no single records: an independent judge recognises at least 90 % of the samples. Of Ankle boot, which nobody "
        "holds, the judge recognises 30 %, too: the other shares prove less."
    )


@pytest.mark.parametrize(("late", "conclusion"), [(0.74, "unsteady"), (0.55, "not stolen")])
def test_one_bad_round_is_no_acquittal(late: float, conclusion: str) -> None:
    """Half in the last round: unsteady where the last five together would do, and both numbers are told."""
    found = target(recognised=0.5, recognised_low=0.38, recognised_final_rounds=late, final_rounds=5)
    assert found["conclusion"] == conclusion
    if conclusion == "unsteady":
        assert "over the last 5 rounds together 74 %" in found["words"]
        assert headline({"3": found}) == (
            "Whether participant 5 stole the class 3 (from participant 1) depends on the round: an independent judge "
            "recognises 50 % of the samples of the last round, but 74 % on average over the last five rounds."
        )


def test_a_lucky_last_round_is_not_hidden() -> None:
    """98 % in the last round after worse ones: the mean stands beside it."""
    found = target(recognised_final_rounds=0.6, final_rounds=5)
    assert "98 % of the samples of the last round, but 60 % on average over the last five" in headline({"3": found})


def test_why_single_records_were_not_looked_for_is_said() -> None:
    """The participants hold the whole class, or nearly."""
    assert "since participants hold all its training images" in target(owner_p=None, owner_test_images=0)["words"]
    assert "since only 7 of its training images are free" in target(owner_p=None, owner_test_images=7)["words"]


def test_a_global_model_is_named_by_the_round_that_it_comes_after() -> None:
    """An attack that begins in round 15 finds the model of round 14; the first and the last need no number."""
    assert words.of_model("start", 14) == "before the theft (after round 14)"
    assert words.of_model("first", 0) == "untrained"
    assert words.of_model("final", None) == "at the end"


def headline(targets: dict[str, Any]) -> str:
    """Return the headline of a run with one attacker."""
    return words.headline({"client-5": {"targets": targets, "start_round": 4, "verdict": ""}})


def test_an_attack_that_never_began_stole_nothing() -> None:
    """Nor did one that left no loot; and without attackers there is nothing to say."""
    never, empty, failed, noisy = (
        words.Moments(start=None, last=None),
        words.Moments(start=4, last=None),
        words.Moments(start=None, last=None, failure="in round 2 the attack failed: no memory"),
        words.Moments(start=9, last=30, early_noise=True),
    )
    found = words.of_attacker("client-5", "gan", never, [])
    assert found == "Participant 5's attack (gan) never began: the run ended before the start that its options set."
    assert words.of_attacker("client-5", "gan", empty, []).endswith("began in round 4, but left no loot.")
    assert words.of_attacker("server", "mgan-ai", failed, []) == (
        "The server's attack (mgan-ai) left no loot: in round 2 the attack failed: no memory."
    )
    assert words.of_attacker("client-5", "gan", noisy, []).startswith(
        "The attack (gan) stole from round 9 on, and it sent noise from round 1 on: the honest accuracy is unknown"
    )
    assert words.headline({}) == "No attacker took part; only the global model was judged."

"""What flatters an attack is called an upper bound."""

from oleander import scenario as scenarios
from oleander.judge.assumptions import assumptions


def flattering(name: str, *overrides: str) -> str:
    """All upper bounds of a scenario in one text."""
    return " ".join(one["text"] for one in assumptions(scenarios.load(name, overrides)) if one["upper_bound"])


def test_the_papers_setting_is_full_of_them() -> None:
    """One class per participant, known labels, an extra output, everyone in every round."""
    text = flattering("gan-attack-mnist")
    for phrase in ("one class only", "which output", "an output more", "every round", "plain mean"):
        assert phrase in text


def test_what_a_scenario_does_not_do_is_not_held_against_it() -> None:
    """A passive attack poisons nothing; with IID data a class is nobody's in particular."""
    assert "nobody notices" not in flattering("gan-attack-passive-mnist")
    assert "holds one class" not in flattering("gan-attack-mnist", "task.partition.kind=iid")
    assert "two participants" in flattering("gan-attack-cifar10-two-users")


def test_a_single_run_is_a_single_run() -> None:
    """The last assumption is about the seed."""
    assert "one seed" in assumptions(scenarios.load("demo"))[-1]["text"]

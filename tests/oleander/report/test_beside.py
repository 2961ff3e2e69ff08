"""The papers' results beside ours."""

from typing import Any

import pytest

from oleander import scenario as scenarios
from oleander.report.beside import departures, reproduced, rows
from oleander.report.papers import PAPERS
from task.settings import SettingsError


def mnist(seed: int, *overrides: str) -> scenarios.Scenario:
    """Return the scenario after the paper."""
    return scenarios.load("gan-attack-mnist", overrides, seed)


def verdict(mse: float, after: float) -> dict[str, Any]:
    """Return a verdict with a distance, and recall that went from 0.9 to `after` at an accuracy that held."""
    least = {"mse_of_means": {"value": mse, "round": 3, "loot_rounds_seen": 110}}
    before = dict.fromkeys(("accuracy", "precision_all", "recall_all", "f1_all"), 0.9)
    return {
        "attackers": {
            "client-10": {"targets": {"1": {"mse_of_means": 0.5, "paper_style_minimum": least}, "2": {"control": True}}}
        },
        "global_model": {"start": before, "final": before | dict.fromkeys(list(before)[1:], after)},
    }


@pytest.mark.parametrize(
    ("metric", "theirs", "ours", "expected"),
    [
        ("mse_of_means", 0.1, 0.05, True),
        ("mse_of_means", 0.1, 0.109, True),
        ("mse_of_means", 0.1, 0.12, False),
        ("distance_first", 0.221, 0.21, True),
        ("distance_first", 0.221, 0.1, False),
        ("recognised", 0.9, 0.82, True),
        ("recognised", 0.9, 0.80, False),
    ],
)
def test_reproduced_is_within_a_tenth_or_better(metric: str, theirs: float, ours: float, *, expected: bool) -> None:
    """A distance may be lower, a share higher; what is neither must be within a tenth."""
    assert reproduced(metric, theirs, ours) is expected


def test_seeds_are_averaged_and_controls_left_out() -> None:
    """0.02 and 0.04 give 0.03 with their range, not reproduced against 0.00173."""
    found = {
        row.result.place: row for row in rows("sun", [(mnist(0), verdict(0.02, 0.8)), (mnist(1), verdict(0.04, 0.8))])
    }
    assert found["Fig. 8"].ours.endswith(
        "0.03 (0.02 to 0.04) (the least of 110 rounds of loot; the paper's after 49); last round: 0.5 (0.5 to 0.5)"
    )
    assert found["Fig. 8"].seeds == "0, 1"
    assert found["Fig. 8"].status == "not reproduced"


@pytest.mark.parametrize(("after", "status"), [(0.8, "reproduced"), (0.95, "not reproduced")])
def test_fig_7_asks_for_a_fall_at_an_accuracy_that_holds(after: float, status: str) -> None:
    """Precision, recall and F1 must fall while accuracy holds."""
    found = {row.result.place: row.status for row in rows("sun", [(mnist(0), verdict(0.02, after))])}
    assert found["Fig. 7"] == status


def test_other_settings_reproduce_nothing() -> None:
    """A number below the paper's, but by a regularised generator: the row names what was set otherwise."""
    changed = mnist(0, "clients.0.options.tv=0.1", "clients.0.options.start_round=3")
    assert departures(mnist(0)) == []
    assert departures(changed) == ["tv 0.1"]
    for mse, scenario, status in ((0.001, mnist(0), "reproduced"), (0.001, changed, "with other settings")):
        (row,) = (row for row in rows("sun", [(scenario, verdict(mse, 0.8))]) if row.result.place == "Fig. 8")
        assert row.status == status
    assert row.ours.endswith("with tv 0.1")


def test_what_no_run_covers_is_not_run() -> None:
    """Without a run every row says so."""
    assert {row.status for row in rows("sun", [])} == {"not run"}


def test_an_unknown_paper_names_the_known_ones() -> None:
    """The message lists every paper whose attack is here."""
    with pytest.raises(SettingsError, match=", ".join(sorted(PAPERS))):
        rows("nobody", [])

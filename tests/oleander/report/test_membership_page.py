"""The pages of runs in which nobody steals images, but asks who was in the training data."""

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oleander import scenario as scenarios
from oleander.report import write
from oleander.rundir import RunDirectory

Make = Callable[..., RunDirectory]


def numbers(auc: float) -> dict[str, Any]:
    """Return a method's numbers by one protocol."""
    return {"auc": auc, "auc_low": auc - 0.1, "auc_high": auc + 0.1, "tpr_at_1pc": 0.05, "members": 210, "others": 210}


def asked(place: str, auc: float) -> dict[str, Any]:
    """Return the verdict on one attacker, who asked from the first round on."""
    methods = {"margin-threshold": {"clean": numbers(auc)}, "label-only": {"clean": numbers(0.55)}}
    said = {"place": place, "methods": methods, "adds": {"clean": {"baseline": "label-only"}}}
    return {"attack": "margin-threshold", "start_round": 1, "targets": {}, "membership": said, "verdict": "It asked."}


@pytest.fixture
def inquire(tmp_path: Path) -> Make:
    """Return a maker of runs in which participant 7 and the server ask about the others."""

    def make(*changes: str) -> RunDirectory:
        scenario = scenarios.load("membership-digits", changes)
        run = RunDirectory.create(scenario, tmp_path / f"asked-{len(list(tmp_path.iterdir()))}")
        same = {f"{name}{end}": 0.9 for name in ("precision", "recall", "f1") for end in ("", "_all")}
        line = {"round": 1, "accuracy": 0.9, "failures": [], **same}
        (run.path / "rounds.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
        verdict = {
            "headline": "The server can tell.",
            "attackers": {"client-7": asked("participant", 0.59), "server": asked("server", 0.66)},
            "global_model": {"after_attack": line, "final": line, "auc": {"final": {"0": 0.99}}},
        }
        (run.path / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
        return run

    return make


def text_of(path: Path) -> str:
    """Return the words of a page, a space between any two pieces."""
    page = re.sub(r"<style>.*?</style>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_side_by_side_they_have_columns_of_their_own(inquire: Make, tmp_path: Path) -> None:
    """AUC, baseline and found; no column and no card of images; runs differ by folder and by defence."""
    noisy = "clients+=[{ids: [0], role: defended, defense: clip-and-noise, options: {norm: 1, noise_multiplier: 1}}]"
    text = text_of(write([inquire(), inquire(noisy)], tmp_path / "page.html")).replace("\u00a0", " ")
    assert "Run Defence Seed Engine Rounds AUC Strongest baseline Found at 1 % Accuracy, end Failures" in text
    assert re.search(r"membership-digits asked-0 none 0 unknown 1 of 6 0\.66 0\.55 5 %", text)
    assert re.search(r"membership-digits asked-1 clip-and-noise 0", text)
    for word in ("No loot.", "Recognised:", "Distance"):
        assert word not in text


def test_beside_a_theft_each_has_its_own_columns(inquire: Make, fabricate: Make, tmp_path: Path) -> None:
    """What does not apply to a run stays empty; the theft's card names the attacker."""
    text = text_of(write([inquire(), fabricate()], tmp_path / "page.html")).replace("\u00a0", " ")
    assert "Recognised Control Distance Accuracy before AUC Strongest baseline Found at 1 %" in text
    assert "1 of 6 0.66 0.55 5 % 90 %" in text
    assert "Class 1, one, by participant 2" in text


def test_nobody_steals_on_the_page_of_who_asks(inquire: Make, tmp_path: Path) -> None:
    """Attackers ask; nothing is said of fakes, of rounds before, or of loot; the cards name whom they speak of."""
    text = text_of(write([inquire()], tmp_path / "page.html"))
    for part in (
        "The attacker asked from round 1.",
        "margin-threshold of the server, by each participant's own update",
        "label-only, asked the same by the server; 95 % interval",
        "Who was in the training data? (participant 7)",
        "Attack: margin-threshold, by participant 7 It has no settings.",
        "class by class, on the server's test set: not of who was in the training data",
    ):
        assert part in text
    for part in ("stole", "theft", "fake", "all outputs", "mean before", "Held (class", "not on record;", "After Mem"):
        assert part not in text


def test_a_defended_participant_bears_its_defence(inquire: Make, tmp_path: Path) -> None:
    """The role alone would not say what it does."""
    noisy = "clients+=[{ids: [0], role: defended, defense: clip-and-noise, options: {norm: 1, noise_multiplier: 1}}]"
    assert "defended: clip-and-noise" in text_of(write([inquire(noisy)], tmp_path / "page.html"))


def test_who_left_no_scores_is_not_taken_for_a_thief(inquire: Make, tmp_path: Path) -> None:
    """Without scores there are no numbers to show, and no images to miss."""
    run = inquire()
    (run.path / "verdict.json").write_text(json.dumps({"headline": "Nobody began.", "attackers": {}}), encoding="utf-8")
    text = text_of(write([run], tmp_path / "page.html"))
    assert "No scores were judged." in text
    for part in ("stolen images", "The loot beside", "How far to trust"):
        assert part not in text

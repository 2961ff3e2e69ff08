"""The page of a server's attack, from a run made by hand and a verdict made by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import server_runs
from PIL import Image

from oleander.report import panels, write
from oleander.report.gather import gather
from oleander.report.key_numbers import key_numbers
from oleander.report.section import section
from oleander.rundir import RunDirectory

pytestmark = pytest.mark.usefixtures("toy_attack")

PROPERTY: dict[str, Any] = {
    "kind": "rotated",
    "words": "turned by 30 degrees",
    "without": "upright",
    "control": False,
    "judged_classes": [2, 4, 7],
    "shown_classes": 2,
    "rounds": [3, 4, 5],
    "J": 0.75,
    "J_low": 0.62,
    "J_high": 0.83,
    "J_other": 0.25,
    "J_not_owned": None,
    "J_real": 0.95,
    "J_real_public": 0.05,
    "category": 0.9,
    "noise_share": 0.01,
    "nn_rmse_victim": 0.4,
    "nn_rmse_others": 0.5,
    "nn_rmse_victim_real": 0.3,
    "nn_rmse_others_real": 0.55,
    "judge": {"classifier": "small", "test_accuracy": 0.93, "victim_accuracy": 0.95},
    "per_round": [{"round": number, "J": 0.2 * number, "J_other": 0.1, "noise_share": 0.0} for number in (2, 3, 4, 5)],
}
SERVER: dict[str, Any] = {
    "attack": "toy",
    "victim": 0,
    "start_round": 2,
    "last_loot_round": 5,
    "verdict": "The attack (toy) began in round 2.",
    "targets": {
        str(label): {"name": str(label), "owner": [0], "control": False, "conclusion": "shown", "words": "Shown."}
        for label in (2, 4, 7)
    },
    "per_round": [],
    "property": PROPERTY,
    "inception": {
        "samples": 72,
        "samples_real": 90,
        "is_task": 3.0,
        "is_task_std": 0.05,
        "is_task_alike": 2.9,
        "samples_alike": 72,
        "junk_share": 0.08,
        "classes": 3,
        "classes_asked": 3,
        "is_imagenet": "not computed",
    },
    "representatives": {"0": {"rmse_to_mean": 0.1, "nearest_mean": 0, "label_agreement": 0.8, "labels_held": 1.0}},
    "representatives_round": 5,
    "attack_share": 0.5,
}


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A run with a verdict and a sheet."""
    made = server_runs.make(tmp_path / "run", "victim", server_runs.scenario())
    verdict = {"headline": "The server learned it.", "attackers": {"server": SERVER}, "missing": []}
    (made.path / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
    made.figures.mkdir()
    Image.fromarray(np.full((40, 60, 3), 255, dtype=np.uint8)).save(made.figures / "sheet-server.png")
    return made


def test_the_page_tells_j_and_all_that_stands_against_it(run: RunDirectory, tmp_path: Path) -> None:
    """Shares, controls, the sheet, representatives, scores, the attack's options and its share of the time."""
    text = write([run], tmp_path / "page.html").read_text(encoding="utf-8")
    for phrase in (
        "The server learned it.",
        "What only the victim holds",
        "75 %",
        "samples of “not the victim”",
        "public images upright",
        "62 % to 83 %",
        "What the updates gave away",
        "3.00 ± 0.05",
        "not computed",
        "Of 3 of 3 classes",
        "8 %",
        "malicious: toy",
        "toy, by the server",
        "Right about class and property",
        "The attack&#39;s share of the rounds&#39; time",
        "50 %",
        "Does it show what only the victim holds?",
    ):
        assert phrase in text, phrase
    assert 'alt="By class: what the participants hold' in text


def test_only_the_victims_classes_are_targets(run: RunDirectory) -> None:
    """The loot shows ten classes; a card is made of the three that were judged."""
    assert [target.label for target in section(run, "a").targets] == [2, 4, 7]


def test_the_key_numbers_are_about_the_property() -> None:
    """J, the strongest control, and the distance: here “not the victim”, without that real images, and so on."""
    first, second, third = key_numbers({"attackers": {"server": SERVER}})
    assert (first.value, second.value, third.value) == ("75 %", "25 %", "0.40")
    assert "turned by 30 degrees" in first.label
    assert first.note.startswith("J of 2 of 3 classes, mean of the rounds 3, 4, 5; 62 % to 83 %")
    active = SERVER | {"property": PROPERTY | {"J_other": None}}
    assert key_numbers({"attackers": {"server": active}})[1].value == "5 %"
    turning = SERVER | {"property": PROPERTY | {"J_auxiliary": 0.35}}
    second = key_numbers({"attackers": {"server": turning}})[1]
    assert second.value == "35 %"
    assert "turned by any angle" in second.label


def test_a_servers_start_and_warnings_are_known(run: RunDirectory) -> None:
    """From its own log, also without a verdict."""
    (run.path / "verdict.json").unlink()
    log = run.path / "loot" / "server" / "attack.jsonl"
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    lines[3]["warnings"] = ["the victim, client 0, did not reply in this round"]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    found = gather(run)
    assert found.start == 2
    assert "An attacker noted: the victim, client 0, did not reply in this round." in found.missing


def test_a_panel_has_a_column_a_class_and_a_row_a_kind(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a passive attack the loot and “not the victim”; the real images only where the truth was kept."""
    monkeypatch.setattr(panels, "TITLES", {"digits": "Digits"})
    monkeypatch.setattr(panels.departures, "kind", lambda _: "passive")
    monkeypatch.setattr(panels.departures, "departures", lambda _: ["recipe repaired"])
    (panel,) = panels.panels([gather(run)])
    assert panel.columns == ["2", "4", "7"]
    assert [name for name, _ in panel.rows] == ["passive", "passive, “not the victim”"]
    assert panel.note.endswith("Settings: recipe repaired; 4 participants.")
    assert all(uri.startswith("data:image/png") for _, uris in panel.rows for uri in uris)
    assert panels.panels([]) == []


def test_runs_that_are_set_otherwise_have_rows_of_their_own(
    run: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By seed here; with classes that the victim does not hold, which have columns behind the judged ones."""
    other = server_runs.make(tmp_path / "other", "victim", server_runs.scenario(seed=1))
    said = SERVER | {"property": PROPERTY | {"not_owned_classes": {"3": "three", "1": "one"}}}
    (other.path / "verdict.json").write_text(json.dumps({"attackers": {"server": said}}), encoding="utf-8")
    monkeypatch.setattr(panels, "TITLES", {"digits": "Digits"})
    monkeypatch.setattr(panels.departures, "kind", lambda _: "passive")
    monkeypatch.setattr(panels.departures, "departures", lambda one: [f"seed {one.federation.seed}"])
    (panel,) = panels.panels([gather(run), gather(other)])
    assert panel.columns == ["2", "4", "7", "one", "three"]
    assert [name for name, _ in panel.rows] == [
        "passive A",
        "passive B",
        "passive, classes that the victim does not hold B",
        "passive, “not the victim” A",
        "passive, “not the victim” B",
    ]
    foreign = panel.rows[2][1]
    assert [bool(uri) for uri in foreign] == [False, False, False, True, True]
    assert "A: seed 0; 4 participants. B: seed 1; 4 participants." in panel.note

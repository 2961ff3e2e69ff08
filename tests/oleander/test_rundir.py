"""The run directory."""

from pathlib import Path

import numpy as np
import pytest
import torch

from oleander import scenario as scenarios
from oleander.rundir import RunDirectory
from task.settings import SettingsError


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """Return a new run directory of the demo."""
    return RunDirectory.create(scenarios.load("gan-attack-digits"), tmp_path / "run")


def test_the_scenario_comes_back(run: RunDirectory) -> None:
    """scenario.yaml holds the resolved scenario."""
    assert RunDirectory.open(run.path).scenario == scenarios.load("gan-attack-digits")


def test_a_taken_folder_is_refused(run: RunDirectory) -> None:
    """A second run never overwrites a first."""
    with pytest.raises(SettingsError, match="new or empty folder"):
        RunDirectory.create(scenarios.load("gan-attack-digits"), run.path)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    """The message says what a run directory is."""
    with pytest.raises(SettingsError, match="a run directory"):
        RunDirectory.open(tmp_path)


def test_two_runs_of_one_second_get_two_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default folder is made of the time and the seed, and never taken twice."""
    monkeypatch.chdir(tmp_path)
    demo = scenarios.load("gan-attack-digits", seed=4)
    first, second = RunDirectory.create(demo), RunDirectory.create(demo)
    assert first.path != second.path
    assert first.path.parent == tmp_path / "runs" / "gan-attack-digits"
    assert "-4" in first.path.name


def test_a_line_that_is_being_written_is_left_out(run: RunDirectory) -> None:
    """A reader beside a writer never sees half a round."""
    (run.path / "rounds.jsonl").write_text('{"round": 1}\n{"rou', encoding="utf-8")
    assert run.rounds() == [{"round": 1}]


def test_loot_is_found_by_attacker_and_round(run: RunDirectory) -> None:
    """Images come back as float32, labels as int64."""
    folder = run.path / "loot" / "client-5"
    folder.mkdir(parents=True)
    np.savez(folder / "samples-round-0012.npz", images=np.zeros((2, 1, 8, 8)), labels=np.array([3, 6]))
    assert list(run.loot()["client-5"]) == [12]
    images, labels = run.samples("client-5", 12)
    assert images.dtype == torch.float32
    assert labels.tolist() == [3, 6]


def test_the_environment_is_added_to(run: RunDirectory) -> None:
    """Later fields join earlier ones."""
    run.update_environment(engine="grpc")
    run.update_environment(exit=0)
    assert run.environment() == {"engine": "grpc", "exit": 0}


def test_what_is_not_there_yet_is_empty(run: RunDirectory) -> None:
    """A run that died at once can still be opened."""
    assert run.rounds() == []
    assert run.loot() == {}
    assert run.verdict() == {}
    assert run.global_model() is None


def test_what_is_published_is_read_by_participant(run: RunDirectory) -> None:
    """Images, labels and which are real; nothing of one who has published nothing."""
    folder = run.path / "published" / "client-3"
    folder.mkdir(parents=True)
    images, labels, genuine = np.zeros((2, 1, 8, 8), np.float32), np.array([3, 4]), np.array([True, False])
    np.savez(folder / "published.npz", images=images, labels=labels, genuine=genuine)
    (folder / "fit.jsonl").write_text('{"round": 1}\n')
    ((client, found),) = run.published().items()
    assert client == 3
    assert (found[0].shape, found[1].tolist(), found[2].tolist()) == ((2, 1, 8, 8), [3, 4], [True, False])
    assert run.fits(3) == [{"round": 1}]
    assert run.fits(4) == []

"""A process is killed at a seeded moment: the run ends as stated, and leaves whole files, no process and no port."""

from pathlib import Path

import pytest

from benchmarks import faults
from oleander import scenario
from oleander.rundir import RunDirectory
from task.files import append_line


@pytest.mark.parametrize("kind", faults.KINDS)
def test_a_killed_process_costs_what_is_stated_and_nothing_else(kind: str, tmp_path: Path) -> None:
    """See benchmarks/faults.py, which does the same at many moments."""
    fault = faults.inject(kind, "suite", tmp_path)
    assert fault.struck
    assert fault == faults.Fault(struck=fault.struck, error=fault.error, as_stated=True)


def test_a_round_without_its_line_or_its_model_is_lost(tmp_path: Path) -> None:
    """Four rounds are on record, the fourth without its model; Flower's log has begun a sixth, so that five are due."""
    chosen = scenario.load("gan-attack-digits", faults.SMALL)
    run = RunDirectory.create(chosen, tmp_path / "run")
    (run.path / "global").mkdir()
    run.logs.mkdir()
    for number in range(1, 5):
        append_line(run.path / "rounds.jsonl", {"round": number})
        (run.path / "global" / f"round-{number:04d}.safetensors").touch()
    assert faults.lost(run) == 0
    (run.path / "global" / "round-0004.safetensors").unlink()
    assert faults.lost(run) == 1
    (run.logs / "serverapp.log").write_text("[ROUND 1/9]\n" * 6, encoding="utf-8")
    assert faults.lost(run) == 2


def test_what_is_wrong_is_found(tmp_path: Path) -> None:
    """Planted: half a line, half an archive, weights that are none; a draft and whole files pass."""
    planted = {"rounds.jsonl": b'{"round": 1}\n{"rou', "samples.npz": b"PK\x03\x04", "final.safetensors": b"\x00" * 9}
    whole = {"a.jsonl": b'{"round": 1}\n', "b.json": b"{}", ".draft.json.17": b"{", "c.log": b"\xff"}
    for name, data in (planted | whole).items():
        (tmp_path / name).write_bytes(data)
    assert {path.name for path in tmp_path.iterdir() if faults.is_corrupt(path)} == set(planted)

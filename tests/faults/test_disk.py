"""The disk is full in mid-run: exit status 1, everything that was finished is there, and no half file."""

import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from disks import fill, small_disk

from benchmarks import faults
from oleander.cli import main
from oleander.rundir import RunDirectory

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("engine", "after"), [("grpc", 1), ("inline", 2), ("grpc", 0)])
def test_a_full_disk_ends_the_run_with_1(engine: str, after: int, tmp_path: Path) -> None:
    """It is full after a round or two, or as soon as there is a log; what was finished is judged and reported."""
    with small_disk(tmp_path / "disk", "20m") as disk:
        settings = [*faults.SMALL, "federation.rounds=500", "federation.keep_global=[1,2,3,4]"]
        command = [sys.executable, "-m", "oleander", "run", "gan-attack-digits", "--engine", engine]
        command += ["--out", str(disk / "run"), *itertools.chain(*(("--set", one) for one in settings))]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        with subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as running:
            run, ready = disk / "run", "logs/superlink.log" if not after else "rounds.jsonl"
            while not (run / ready).is_file() or len(RunDirectory(run).rounds()) < after:
                assert running.poll() is None
                time.sleep(0.02)
            fill(disk)
            said, _ = running.communicate(timeout=120)
        assert running.returncode == 1, said
        assert "The run failed:" in said
        assert "Traceback" not in said
        found = RunDirectory.open(run)
        assert [line["round"] for line in found.rounds()][:after] == list(range(1, after + 1))
        assert faults.lost(found) == 0
        assert [path for path in run.rglob("*") if path.is_file() and faults.is_corrupt(path)] == []
        assert [path for path in run.rglob(".*") if path.is_file()] == []
        assert not faults.processes(found)
        assert not (run / "flower").exists()
        (disk / "filler").unlink()
        if after:
            assert main(["judge", str(run)]) == main(["report", str(run)]) == 0
            assert found.verdict()["attackers"]["client-2"]["targets"]

"""`oleander matrix` from end to end: real runs of two rounds, judged, in one table."""

import csv
import fcntl
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest
from watching import wait_for_the_end_of

from oleander import engines
from oleander.accounting import epsilon_of
from oleander.cli import main
from oleander.engines import EngineError
from oleander.engines.processes import descendants
from oleander.matrix import work
from oleander.rundir import RunDirectory

ROOT = Path(__file__).parents[3]
Make = Callable[..., str]
QUICK: dict[str, Any] = {
    "federation.rounds": 2,
    "task.partition.images": 40,
    "clients.0.loot_images": 8,
    "clients.0.options.steps": 2,
    "clients.0.options.start_accuracy": None,
    "clients.0.options.start_round": 1,
}
DEFENSES = {"none": {}, "broken": {"set": {"task.optimizer.lr": 1e30}}}


@pytest.fixture(autouse=True)
def _no_server_is_left() -> Iterator[None]:
    """End the process that cells are forked from: other tests look for processes that are left."""
    yield
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # noqa: SLF001 - made for tests


def table(folder: Path) -> dict[str, Any]:
    """Return matrix.json."""
    read: dict[str, Any] = json.loads((folder / "matrix.json").read_text(encoding="utf-8"))
    return read


def test_a_failing_cell_stops_no_other_and_a_finished_one_is_not_repeated(
    matrix_file: Make, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Updates that are no numbers fail; the other cell is judged, stays as it is, and the table says both."""
    path, out = matrix_file(attacks={"gan": {"set": QUICK}}, defenses=DEFENSES), tmp_path / "out"
    asked = ["matrix", path, "--out", str(out), "--jobs", "2"]
    assert main(asked) == 1
    shown = capfd.readouterr()
    assert "2 cells, 0 of them finished already" in shown.out
    assert "guarantee" in shown.out
    found = table(out)
    fine, broken = found["rows"]
    assert (fine["seeds"], fine["failed"], broken["seeds"], broken["failed"]) == ([0], 0, [], 1)
    assert fine["leakage"]["count"] == 1
    assert fine["bytes"]["mean"] > 0
    assert "usable replies in round 1, got 0" in found["cells"][1]["failure"]
    with (out / "matrix.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [line["defense"] for line in lines] == ["none", "broken"]
    assert float(lines[0]["accuracy"]) == fine["accuracy"]["mean"]
    assert (lines[0]["epsilon"], lines[0]["reason"]) == ("", "there is no mechanism with a guarantee")
    run = RunDirectory.open(out / "cells" / found["cells"][0]["run"])
    assert run.environment()["engine"] == "inline"
    assert len(run.rounds()) == 2
    judged = run.path / "verdict.json"
    before = judged.stat().st_mtime_ns
    assert main([*asked, "--defenses", "none"]) == 0
    assert "1 cells, 1 of them finished already" in capfd.readouterr().out
    assert judged.stat().st_mtime_ns == before
    run.update_environment(versions={"oleander": "0.0.0"})
    assert main([*asked, "--defenses", "none"]) == 0
    assert "1 cells, 0 of them finished already" in capfd.readouterr().out


def test_epsilon_stands_in_every_form_of_the_table(
    matrix_file: Make, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two rounds of central noise z = 2 against the thief, a participant: mu = sqrt(2) / 1, epsilon 6.65."""
    private = {"server.privacy": "server-side-fixed-clipping"}
    private["server.privacy_options"] = {"noise_multiplier": 2.0, "clipping_norm": 1.0}  # type: ignore[assignment]
    path = matrix_file(attacks={"gan": {"set": QUICK}}, defenses={"central-dp": {"set": private}})
    assert main(["matrix", path, "--out", str(tmp_path / "out")]) == 0
    found = table(tmp_path / "out")
    expected = epsilon_of(1.0, 2, 1e-5)
    assert found["rows"][0]["epsilon"]["mean"] == found["cells"][0]["epsilon"] == pytest.approx(expected, rel=1e-5)
    with (tmp_path / "out" / "matrix.csv").open(encoding="utf-8") as file:
        (line,) = csv.DictReader(file)
    assert (line["delta"], line["unit"], line["reason"]) == ("1e-05", "participant", "")
    assert float(line["epsilon"]) == pytest.approx(expected, rel=1e-5)
    said = f"{expected:.3g}, delta 1e-05"
    assert said in (tmp_path / "out" / "matrix.html").read_text(encoding="utf-8")
    assert f"{expected:.3g}" in capfd.readouterr().out


def test_a_run_that_was_not_judged_is_only_judged(matrix_file: Make, tmp_path: Path) -> None:
    """Its rounds stay as they are; what never ended is run anew."""
    path, out = matrix_file(attacks={"gan": {"set": QUICK}}), tmp_path / "out"
    asked = ["matrix", path, "--out", str(out)]
    assert main(asked) == 0
    run = RunDirectory.open(next((out / "cells").iterdir()))
    (run.path / "verdict.json").unlink()
    with (run.path / "rounds.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(run.rounds()[-1] | {"round": 3}) + "\n")
    assert main(asked) == 0
    assert [line["round"] for line in run.rounds()] == [1, 2, 3]
    (run.path / "verdict.json").unlink()
    run.update_environment(exit=None)
    assert main(asked) == 0
    assert [line["round"] for line in run.rounds()] == [1, 2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_the_command(number: int, matrix_file: Make, tmp_path: Path) -> None:
    """However it ends; the cell that ran is not taken for a finished one."""
    path, out = matrix_file(attacks={"gan": {"set": QUICK | {"federation.rounds": 500}}}), tmp_path / "out"
    command = [sys.executable, "-m", "oleander", "matrix", path, "--out", str(out)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not list(out.glob("cells/*/rounds.jsonl")) and process.poll() is None:
                time.sleep(0.1)
            family = descendants(process.pid)
            process.send_signal(number)
            status = process.wait(60)
        finally:
            process.kill()
    assert status == (130 if number == signal.SIGINT else -number)
    assert len(family) >= 2
    wait_for_the_end_of(*family, seconds=10)
    assert RunDirectory.open(next((out / "cells").iterdir())).environment()["exit"] is None


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--attacks", "gun"], "Did you mean 'gan'"),
        (["--defenses", "nine"], "Did you mean 'none'"),
        (["--seeds", "0"], "--seeds > 0"),
        (["--jobs", "0"], "--jobs > 0"),
        (["--engine", "inlin"], "Did you mean 'inline'"),
        (["--set", "task.partition.images=100000"], "gan, none, seed 0: Expected"),
        (["--out", "."], "a matrix's own"),
    ],
)
def test_a_wrong_request_exits_with_2(
    arguments: list[str],
    text: str,
    *,
    matrix_file: Make,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is started, and nothing is left behind."""
    path = matrix_file()
    monkeypatch.chdir(tmp_path)
    assert main(["matrix", path, *arguments]) == 2
    assert text in capfd.readouterr().err.replace("\n", " ")
    assert [one.name for one in tmp_path.iterdir()] == ["small.yaml"]


def test_two_commands_do_not_share_a_folder(
    matrix_file: Make, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """While one has it the other is refused, and starts nothing."""
    path, out = matrix_file(), tmp_path / "out"
    (out / "cells").mkdir(parents=True)
    with (out / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert main(["matrix", path, "--out", str(out)]) == 2
    assert "that no other command works in" in capfd.readouterr().err.replace("\n", " ")
    assert not list((out / "cells").iterdir())


def test_a_cell_whose_defended_participant_was_never_there_is_not_finished(
    fabricate: Callable[..., RunDirectory], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is stolen from who fails in every round, and nothing is shown by that; one round is enough."""
    run, gone = fabricate(), {"client": 1, "reason": "Expected a finite loss"}
    monkeypatch.setattr(type(run.scenario), "defended", lambda _: {1: "anti-gan"})
    monkeypatch.setattr(RunDirectory, "rounds", lambda _: [{"round": 1, "failures": [gone]}, {"round": 2}])
    work._check_defended(run)  # noqa: SLF001
    monkeypatch.setattr(RunDirectory, "rounds", lambda _: [{"round": one, "failures": [gone]} for one in (1, 2)])
    with pytest.raises(EngineError, match="defended by anti-gan, took part in no round: Expected a finite loss"):
        work._check_defended(run)  # noqa: SLF001


def test_a_cell_whose_attack_failed_is_no_finished_one(
    fabricate: Callable[..., RunDirectory], monkeypatch: Any
) -> None:
    """The federation went on without it: what it left, if anything, is no measurement."""
    run = fabricate()
    lines = [{"round": 1}, {"round": 2, "attack_failures": ["the attack failed: RuntimeError: no memory"]}]
    monkeypatch.setattr(engines, "run", lambda *_: None)
    monkeypatch.setattr(RunDirectory, "rounds", lambda _: lines)
    run.update_environment(exit=None)
    order = work.Order(scenario=run.scenario, path=run.path, engine="inline", data=None, command=())
    with pytest.raises(EngineError, match="In round 2 the attack failed: RuntimeError: no memory"):
        work._run(run, order)  # noqa: SLF001
    assert run.environment()["exit"] == 1

"""Federations between real processes: the ways to run one give the same weights, and survive what may happen."""

import hashlib
import itertools
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import ratios
from versions import make_flower_older
from watching import left_running, wait_for_the_end_of

from oleander import engines
from oleander.engines import EngineError, Job
from oleander.engines.processes import descendants
from oleander.rundir import RunDirectory
from task.settings import SettingsError

LONG = ("task.local_epochs=60", "task.optimizer.lr=0.01")
COMMAND = """
import sys
from pathlib import Path
from oleander import engines, scenario
from oleander.rundir import RunDirectory
run = RunDirectory.open(Path(sys.argv[1]))
try:
    engines.run(sys.argv[2], engines.Job(scenario=run.scenario, run=run))
except KeyboardInterrupt:
    sys.exit(130)
"""


def weights(run: RunDirectory) -> str:
    """Return a fingerprint of the final weights."""
    return hashlib.sha256((run.path / "global" / "final.safetensors").read_bytes()).hexdigest()


def seconds(run: RunDirectory) -> float:
    """Return the seconds of the last round."""
    return float(run.rounds()[-1]["seconds"])


@pytest.fixture(scope="module")
def warm(make_job: Callable[..., Job]) -> Iterator[RunDirectory]:
    """A run of two clients and two rounds with the warm fleet."""
    job, before = make_job(2, 2), set(descendants(os.getpid()))
    engines.run("grpc", job)
    yield job.run
    assert set(descendants(os.getpid())) <= before


def test_the_warm_fleet_leaves_a_complete_run_directory(warm: RunDirectory) -> None:
    """Every round, the loot, a process and a log for each node, and nothing of Flower's own folder."""
    assert [line["round"] for line in warm.rounds()] == [1, 2]
    assert all(line["clients"] == [0, 1] and line["failures"] == [] for line in warm.rounds())
    assert set(warm.loot()["client-1"]) == {1, 2}
    environment = warm.environment()
    nodes = environment["nodes"]
    assert environment["fleet"] == "warm"
    assert [(node["client"], node["role"], node["device"]) for node in nodes] == [
        (0, "honest", "cpu"),
        (1, "malicious", "cpu"),
    ]
    assert len({node["pid"] for node in nodes} | {os.getpid()}) == 3
    assert len({node["node_id"] for node in nodes}) == 2
    logs = {path.name for path in warm.logs.iterdir()}
    assert logs >= {"superlink.log", "serverapp.log", "client-00.log", "client-01.log"}
    assert 'HTTP/1.1" 200' not in (warm.logs / "superlink.log").read_text()
    assert not (warm.path / "flower").exists()


@pytest.mark.parametrize("engine", ["ray", "inline"])
def test_the_other_engines_give_the_same_weights_bit_for_bit(
    engine: str, warm: RunDirectory, make_job: Callable[..., Job]
) -> None:
    """Virtual clients end where real processes do, and so do clients in one process; no process of Ray's is left."""
    job = make_job(2, 2)
    engines.run(engine, job)
    assert weights(job.run) == weights(warm)
    assert [node["role"] for node in job.run.environment()["nodes"]] == ["honest", "malicious"]
    assert left_running() == []


def test_a_flower_that_is_not_known_runs_stock_with_a_warning_and_the_same_weights(
    warm: RunDirectory,
    make_job: Callable[..., Job],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Under another version's name the warm fleet steps aside for Flower's own commands, which take much longer."""
    make_flower_older(tmp_path, monkeypatch)
    job = make_job(2, 2)
    with caplog.at_level(logging.WARNING, "oleander.engines"):
        engines.run("grpc", job)
    assert "Stock Flower is used" in caplog.text
    assert "this is 1.38.9" in caplog.text
    assert job.run.environment()["fleet"] == "stock"
    assert weights(job.run) == weights(warm)
    assert left_running() == []
    kept = ratios.floor("a round over gRPC, 3 SuperNodes, beside stock Flower")
    assert seconds(job.run) > kept * seconds(warm)


def test_what_dies_or_freezes_costs_its_reply_until_too_few_are_left(
    make_job: Callable[..., Job], caplog: pytest.LogCaptureFixture
) -> None:
    """A killed worker, a frozen one and a killed SuperNode are recorded by name while two of three replies will do.

    Then the ServerApp's own words reach the caller, and the rounds before stay on disk.
    """
    job = make_job(3, 50, "federation.min_replies=2", "federation.round_timeout=20", *LONG)
    times: list[float] = []
    before: set[int] = set()  # the fleet's processes when the last round ended; younger ones are this round's workers
    fleet: list[int] = []
    struck: list[tuple[int, int]] = []  # rounds done, process
    # Whom (a client's SuperNode, or None for a worker), how, and rounds to wait until the next.
    steps = [(None, signal.SIGKILL, 1), (None, signal.SIGSTOP, 2), (0, signal.SIGKILL, 1), (1, signal.SIGKILL, 1)]
    due = [1]

    def tick() -> None:
        done = len(job.run.rounds())
        if not done:
            return
        nodes = [node["pid"] for node in job.run.environment()["nodes"]]
        if not fleet:
            fleet.append(int(Path(f"/proc/{nodes[0]}/stat").read_text().rpartition(")")[2].split()[1]))
        family = set(descendants(fleet[0]))
        if done > len(times):
            times.extend([time.monotonic()] * (done - len(times)))
            before.clear()
            before.update(family)
        workers = family - before
        if steps and done >= due[0] and workers:
            client, number, pause = steps.pop(0)
            struck.append((done, max(workers) if client is None else nodes[client]))
            due[0] = done + pause
            os.kill(struck[-1][1], number)

    with (
        caplog.at_level(logging.WARNING, "oleander.engines"),
        pytest.raises(EngineError, match=r"(?s)Expected at least 2 usable replies in round \d+, got 1.*client 0"),
    ):
        engines.run("grpc", job, tick)
    rounds = job.run.rounds()
    killed, frozen, first, _ = (done for done, _ in struck)
    assert [rounds[one]["replies"] for one in (0, killed, frozen, frozen + 1, first)] == [3, 2, 2, 3, 2]
    assert "the client failed" in rounds[killed]["failures"][0]["reason"]
    assert len(rounds[frozen]["failures"]) == 1
    assert [failure["client"] for failure in rounds[first]["failures"]] == [0]
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) < 40
    assert f"Client 0 was lost: its SuperNode (process {struck[2][1]}) was ended by SIGKILL" in caplog.text
    assert "client-00.log" in caplog.text
    assert [lost["client"] for lost in job.run.environment()["lost"]] == [0, 1]
    assert left_running() == []


@pytest.mark.parametrize(
    ("engine", "number"),
    [("grpc", signal.SIGKILL), ("grpc", signal.SIGTERM), ("grpc", signal.SIGINT), ("ray", signal.SIGKILL)],
)
def test_nothing_outlives_the_command(engine: str, number: int, make_job: Callable[..., Job]) -> None:
    """However the command ends, every process of the run ends with it, and what was computed can be read."""
    run = make_job(2, 500).run
    with subprocess.Popen([sys.executable, "-c", COMMAND, str(run.path), engine]) as command:
        try:
            while not run.rounds() and command.poll() is None:
                time.sleep(0.1)
            family = descendants(command.pid)
            assert len(family) >= 4
            command.send_signal(number)
            assert command.wait(60) != 0  # seconds; a busy machine needs a few
        finally:
            command.kill()
    wait_for_the_end_of(*family, seconds=10 if number == signal.SIGKILL else 0.1)
    assert run.rounds()[0]["replies"] == 2
    gone = time.monotonic() + 5
    while (run.path / "flower").exists():
        assert time.monotonic() < gone
        time.sleep(0.05)


def test_an_unknown_engine_is_refused_with_the_nearest_name(make_job: Callable[..., Job]) -> None:
    """Expected, got and remedy, before anything is started."""
    with pytest.raises(SettingsError, match="grcp"):
        engines.run("grcp", make_job(2, 1))

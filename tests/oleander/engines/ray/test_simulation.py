"""A simulation that cannot start says why, and where its log is."""

import gc
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import ratios
from ray.cluster_utils import Cluster
from versions import make_flower_older
from watching import left_running

from benchmarks import bare_loop
from oleander import engines, scenario
from oleander.engines import EngineError, Job
from oleander.preflight import settle
from oleander.rundir import RunDirectory

pytestmark = pytest.mark.filterwarnings("ignore")  # of files that Ray does not close


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise OSError('no room for the object store')", "OSError: no room for the object store"),
        ("import os, sys; sys.stderr.write('raylet: no room\\n'); sys.stderr.flush(); os._exit(7)", "raylet: no room"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "exit code 137"),
    ],
)
def test_the_cause_and_the_log_are_named(
    body: str, said: str, make_job: Callable[..., Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Ray raises, what it raised; where it takes the process along, its end."""
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "__init__.py").write_text(body, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    job = make_job(2, 1)
    with pytest.raises(EngineError) as failure:
        engines.run("ray", job)
    assert said in str(failure.value)
    assert str(job.run.logs / "simulation.log") in str(failure.value)
    assert "Traceback" not in str(failure.value)
    assert left_running() == []


def weights(job: Job) -> bytes:
    """Return the final weights of a job that has run."""
    return (job.run.path / "global" / "final.safetensors").read_bytes()


def test_a_cluster_of_two_nodes_ends_with_the_same_weights(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With $RAY_ADDRESS, actors run on its nodes, of which each has a core here."""
    alone, together = make_job(4, 2), make_job(4, 2)
    engines.run("inline", alone)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        engines.run("ray", together)
    finally:
        cluster.shutdown()
        del cluster
        gc.collect()  # here, where it is not minded, and not in somebody else's test: it leaves files to the collector
    assert weights(together) == weights(alone)
    assert set(together.run.loot()["client-3"]) == {1, 2}
    assert [line["failures"] for line in together.run.rounds()] == [[], []]


def test_a_flower_that_is_not_known_takes_longer_and_ends_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Under another version's name Flower's own way is taken, with a warning; what comes out is the same."""
    sizes = ["federation.clients=200", "federation.rounds=2", "federation.devices=cpu"]
    chosen = scenario.load("virtual-clients", sizes)
    jobs = [Job(scenario=chosen, run=RunDirectory.create(chosen, tmp_path / name)) for name in ("quick", "slow")]
    with caplog.at_level(logging.WARNING, "oleander.engines"):
        engines.run("ray", jobs[0])
        assert not caplog.text
        make_flower_older(tmp_path, monkeypatch)
        engines.run("ray", jobs[1])
    assert "Flower's own simulation is used" in caplog.text
    assert "this is 1.38.9" in caplog.text
    assert [job.run.environment()["fleet"] for job in jobs] == ["batched", "stock"]
    assert weights(jobs[0]) == weights(jobs[1])
    quick, slow = (float(job.run.rounds()[-1]["seconds"]) for job in jobs)
    assert slow > quick * ratios.floor("a round on Ray, 200 virtual clients, beside stock Flower")
    (bare,), final = bare_loop.timed(settle(chosen, None), None)
    assert bare_loop.alike(final, jobs[0].run) == "same final weights"
    assert bare > quick * ratios.floor("a round on Ray, 200 virtual clients, beside a bare loop on one core")

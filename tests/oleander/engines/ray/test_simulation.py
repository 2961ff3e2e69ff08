"""A simulation that cannot start says why, and where its log is."""

import gc
from collections.abc import Callable
from pathlib import Path

import pytest
from deployments import LONG, NEEDS_LONG
from ray.cluster_utils import Cluster
from watching import left_running

from oleander import engines
from oleander.engines import EngineError, Job

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
    assert [line["failures"] for line in together.run.rounds()] == [[], []]


@pytest.mark.skipif(not LONG, reason=NEEDS_LONG)
def test_stock_ends_with_the_same_weights(make_job: Callable[..., Job]) -> None:
    """What is quickened is Flower's way there, and not what comes out."""
    quick, stock = make_job(3, 1), make_job(3, 1, stock=True)
    for job in (quick, stock):
        engines.run("ray", job)
    assert [job.run.environment()["fleet"] for job in (quick, stock)] == ["batched", "stock"]
    assert weights(quick) == weights(stock)

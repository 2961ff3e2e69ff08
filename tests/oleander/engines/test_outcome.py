"""What the engine keeps in environment.json beside the server, which writes the same file."""

from collections.abc import Callable
from typing import Any

from oleander.engines import Job
from oleander.engines.outcome import Outcome


def node(client: int, **fields: Any) -> dict[str, Any]:
    """Return a fleet's event about a node."""
    return {"event": "node", "client": client, "node_id": None, "role": "honest", "pid": 100 + client, **fields}


def test_the_engines_device_goes_before_the_answer_cuda_but_not_before_cpu(make_job: Callable[..., Job]) -> None:
    """A node on the second GPU says `cuda`, since it sees one only; one that cannot use its GPU says `cpu`."""
    run = make_job(2, 1).run
    outcome = Outcome(run, "fleet.log")
    for client in (0, 1):
        outcome.take(node(client, device="cuda:1"))
    told = [{"client": client, "node_id": 7 + client, "device": device} for client, device in ((0, "cuda"), (1, "cpu"))]
    run.update_environment(nodes=told)
    outcome.keep()
    nodes = run.environment()["nodes"]
    assert [(one["node_id"], one["pid"], one["device"]) for one in nodes] == [(7, 100, "cuda:1"), (8, 101, "cpu")]


def test_where_the_engine_knows_no_device_the_answer_stays(make_job: Callable[..., Job]) -> None:
    """Ray places its clients itself, and they have no process of their own."""
    run = make_job(2, 1).run
    outcome = Outcome(run, "fleet.log")
    outcome.take(node(0, pid=None))
    run.update_environment(nodes=[{"client": 0, "node_id": 7, "device": "cuda"}])
    outcome.keep()
    expected = {"client": 0, "node_id": 7, "role": "honest", "pid": None, "device": "cuda"}
    assert run.environment()["nodes"] == [expected]


def test_a_loss_that_the_server_has_overwritten_is_written_again(make_job: Callable[..., Job]) -> None:
    """The server puts back the file it read before the client was lost; the engine's last word brings the loss back."""
    run = make_job(2, 1).run
    outcome = Outcome(run, "fleet.log")
    outcome.take(node(1, device="cpu"))
    outcome.take({"event": "lost", "client": 1, "pid": 101, "how": "was ended by SIGKILL", "log": "client-01.log"})
    run.update_environment(lost=[], nodes=[{"client": 1, "node_id": 8, "device": "cpu"}])
    outcome.keep()
    assert [lost["pid"] for lost in run.environment()["lost"]] == [101]
    assert run.environment()["nodes"][0]["node_id"] == 8

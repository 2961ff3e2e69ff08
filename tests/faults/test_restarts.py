"""A SuperNode that dies, and two clients in one place, over one server on loopback."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from deployments import Deployment, ending

from oleander.deploy.issuing import issue
from oleander.engines.ports import HOST, free_ports
from oleander.rundir import RunDirectory

SETTINGS = (
    "federation.clients=2",
    "federation.rounds=1000",
    "federation.devices=cpu",
    "federation.min_replies=1",
    "federation.join_timeout=60",
    "task.partition.images=40",
    "clients=[]",
)
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(params=["plain text", "keys"])
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    """A server on this host and two clients that have replied to it."""
    issue(tmp_path / "certificates", [HOST], clients=2, days=1)
    made = Deployment(
        folder=tmp_path,
        server=f"{HOST}:{free_ports(1)[0]}",
        scenario="gan-attack-digits",
        settings=SETTINGS,
        security=("--insecure",) if request.param == "plain text" else ("--certificates", "certificates"),
    )
    with ending(made):
        made.run("run")
        for number in range(2):
            made.client(number)
        run = RunDirectory(tmp_path / "run")
        made.until(lambda: (run.path / "rounds.jsonl").is_file() and run.rounds()[-1:] and replied(run) == [0, 1], 60)
        yield made


def replied(run: RunDirectory) -> list[int]:
    """Return who replied in the last round."""
    clients: list[int] = run.rounds()[-1]["clients"]
    return clients


def test_a_killed_supernode_is_back_after_some_rounds(deployment: Deployment) -> None:
    """Its host starts it anew, twice; in plain text, too, where it comes back as another node. It misses few rounds."""
    run = RunDirectory.open(deployment.folder / "run")
    for time in range(1, 3):
        killed = int(re.findall(r"its SuperNode is process (\d+)", deployment.said("client-1"))[-1])
        before = len(run.rounds())
        os.kill(killed, signal.SIGKILL)
        deployment.until(lambda time=time: deployment.said("client-1").count("has joined") == 1 + time, 60)
        deployment.until(lambda before=before: len(run.rounds()) >= before + 3 and replied(run) == [0, 1], 60)
    reasons = [one["reason"] for line in run.rounds() for one in line["failures"]]
    assert len(reasons) < 10
    assert deployment.leave("run") == 143

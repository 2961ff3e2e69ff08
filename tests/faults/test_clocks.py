"""Participants whose clocks are wrong: their hosts say so, and the server goes on without them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from deployments import LONG, NEEDS_LONG, ROOT, Deployment, ending

from oleander.deploy.issuing import issue
from oleander.engines.ports import HOST, free_ports
from oleander.rundir import RunDirectory

SETTINGS = (
    "federation.clients=3",
    "federation.rounds=2",
    "federation.devices=cpu",
    "federation.min_replies=1",
    "federation.join_timeout=20",
    "task.partition.images=40",
    "clients=[]",
)
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(params=["keys", pytest.param("plain text", marks=pytest.mark.skipif(not LONG, reason=NEEDS_LONG))])
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    """A server on this host, and nobody who has joined it."""
    issue(tmp_path / "certificates", [HOST], clients=3, days=1)
    with ending(
        Deployment(
            folder=tmp_path,
            server=f"{HOST}:{free_ports(1)[0]}",
            scenario="gan-attack-digits",
            settings=SETTINGS,
            security=("--insecure",) if request.param == "plain text" else ("--certificates", "certificates"),
        )
    ) as made:
        yield made


def test_a_wrong_clock_is_said_on_its_host_and_the_server_goes_on(deployment: Deployment) -> None:
    """A minute ahead, and six behind, where certificates still hold."""
    deployment.run("run")
    deployment.until(lambda: "join with" in deployment.said("run"))
    deployment.client(0)
    for number, wrong_by in ((1, 60), (2, -360)):
        path = f"{ROOT / 'tests' / 'clocks'}:{ROOT}"
        deployment.client(number, environment={"PYTHONPATH": path, "WRONG_BY": str(wrong_by)})
    for name in ("client-1", "client-2"):
        assert deployment.ended(name) == 2, deployment.said(name)
        assert "from the server: Invalid timestamp" in " ".join(deployment.said(name).split())
    assert deployment.ended("run") == 0, deployment.said("run")
    assert [line["clients"] for line in RunDirectory.open(deployment.folder / "run").rounds()] == [[0], [0]]

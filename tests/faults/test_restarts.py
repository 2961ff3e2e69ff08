"""A SuperNode that dies, and two clients in one place, over one server on loopback."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_private_key
from deployments import Deployment, ending
from flwr.client.grpc_rere_client.node_auth_client_interceptor import NodeAuthClientInterceptor
from flwr.proto.fleet_pb2 import ActivateNodeRequest
from flwr.proto.fleet_pb2_grpc import FleetStub
from flwr.supercore.grpc import create_channel
from flwr.supercore.interceptors import RuntimeVersionClientInterceptor
from flwr.supercore.primitives.asymmetric import generate_key_pairs, public_key_to_bytes

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
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def security() -> str:
    """Keys, unless a test asks for plain text."""
    return "keys"


@pytest.fixture
def deployment(security: str, tmp_path: Path) -> Iterator[Deployment]:
    """A server on this host and two clients that have replied to it."""
    issue(tmp_path / "certificates", [HOST], clients=2, days=1)
    made = Deployment(
        folder=tmp_path,
        server=f"{HOST}:{free_ports(1)[0]}",
        scenario="gan-attack-digits",
        settings=SETTINGS,
        security=("--insecure",) if security == "plain text" else ("--certificates", "certificates"),
    )
    with ending(made):
        made.run("run")
        for number in range(2):
            made.client(number)
        run = RunDirectory(tmp_path / "run")
        made.until(lambda: (run.path / "rounds.jsonl").is_file() and run.rounds()[-1:] and replied(run) == [0, 1])
        yield made


def replied(run: RunDirectory) -> list[int]:
    """Return who replied in the last round."""
    clients: list[int] = run.rounds()[-1]["clients"]
    return clients


@pytest.mark.parametrize("security", ["plain text"])
def test_a_killed_supernode_is_back_after_some_rounds(deployment: Deployment) -> None:
    """Its host starts it anew, twice, and it comes back as another node, as its key is another. It misses few rounds.

    With keys of its own: tests/oleander/deploy/test_hosts.py.
    """
    run = RunDirectory.open(deployment.folder / "run")
    for time in range(1, 3):
        killed = int(re.findall(r"its SuperNode is process (\d+)", deployment.said("client-1"))[-1])
        before = len(run.rounds())
        os.kill(killed, signal.SIGKILL)
        deployment.until(lambda time=time: deployment.said("client-1").count("has joined") == 1 + time)
        deployment.until(lambda before=before: len(run.rounds()) >= before + 3 and replied(run) == [0, 1])
    reasons = [one["reason"] for line in run.rounds() for one in line["failures"]]
    assert len(reasons) < 10
    assert deployment.leave("run") == 143


def test_a_second_client_with_the_same_key_waits_for_the_first_and_a_public_key_takes_nothing(
    deployment: Deployment,
) -> None:
    """The first goes on, and when it leaves the second has its place.

    Whoever has a participant's public key is not let in with it.
    """
    run, folder = RunDirectory.open(deployment.folder / "run"), deployment.folder / "certificates"
    deployment.client(1, name="twin")
    deployment.until(lambda: "Another process has joined with the key of client 1" in deployment.said("twin"))
    before = len(run.rounds())
    deployment.until(lambda: len(run.rounds()) >= before + 3)
    assert all(line["failures"] == [] for line in run.rounds()[before:])
    assert "Two processes have the key of node" in (run.logs / "superlink.log").read_text(encoding="utf-8")
    assert "has joined as" not in deployment.said("twin")

    assert deployment.leave("client-1") == 143, deployment.said("client-1")
    deployment.until(lambda: deployment.said("twin").count("has joined as") == 1)
    before = len(run.rounds())
    deployment.until(lambda: len(run.rounds()) >= before + 3 and replied(run) == [0, 1])
    assert deployment.said("client-0").count("has joined") == 1

    public = load_ssh_private_key((folder / "client-0" / "client.key").read_bytes(), None).public_key()
    channel = create_channel(
        server_address=deployment.server,
        insecure=False,
        root_certificates=(folder / "client-0" / "ca.crt").read_bytes(),
        interceptors=[
            RuntimeVersionClientInterceptor(component_name="SuperNode"),
            NodeAuthClientInterceptor(*generate_key_pairs()),
        ],
    )
    request = ActivateNodeRequest(public_key=public_key_to_bytes(public), heartbeat_interval=1800)
    with pytest.raises(grpc.RpcError, match="signed by another key"):
        FleetStub(channel).ActivateNode(request, timeout=10)
    channel.close()
    assert deployment.leave("run") == 143

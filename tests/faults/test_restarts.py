"""A SuperNode that dies, and two clients in one place, over one server on loopback."""

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_private_key
from deployments import LONG, NEEDS_LONG, Deployment, ending
from flwr.client.grpc_rere_client.node_auth_client_interceptor import NodeAuthClientInterceptor
from flwr.proto.fleet_pb2 import ActivateNodeRequest
from flwr.proto.fleet_pb2_grpc import FleetStub
from flwr.supercore.grpc import create_channel
from flwr.supercore.interceptors import RuntimeVersionClientInterceptor
from flwr.supercore.primitives.asymmetric import generate_key_pairs, public_key_to_bytes

from oleander.deploy.issuing import issue
from oleander.engines.grpc.gate import QUIET_SECONDS
from oleander.engines.grpc.host import TRIES
from oleander.engines.grpc.supernode import GIVE_UP_SECONDS
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
RESTART_SECONDS = 30
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def security() -> str:
    """Keys, unless a test asks for plain text."""
    return "keys"


@pytest.fixture
def made(security: str, tmp_path: Path) -> Iterator[Deployment]:
    """A place on this host for a server and two clients, of whom nobody has been started."""
    issue(tmp_path / "certificates", [HOST], clients=2, days=1)
    deployment = Deployment(
        folder=tmp_path,
        server=f"{HOST}:{free_ports(1)[0]}",
        scenario="gan-attack-digits",
        settings=SETTINGS,
        security=("--insecure",) if security == "plain text" else ("--certificates", "certificates"),
    )
    with ending(deployment):
        yield deployment


@pytest.fixture
def deployment(made: Deployment) -> Deployment:
    """The same once both have replied."""
    made.run("run")
    for number in range(2):
        made.client(number)
    run = RunDirectory(made.folder / "run")
    made.until(lambda: (run.path / "rounds.jsonl").is_file() and run.rounds()[-1:] and replied(run) == [0, 1])
    return made


def replied(run: RunDirectory) -> list[int]:
    """Return who replied in the last round."""
    clients: list[int] = run.rounds()[-1]["clients"]
    return clients


@pytest.mark.parametrize("security", ["plain text"])
def test_a_killed_supernode_is_back_after_some_rounds(deployment: Deployment) -> None:
    """Its host starts it anew, twice, and it comes back as another node, as its key is another. The rounds go on.

    How many it misses is a matter of how fast they are; what is bounded is the time that they take.
    With keys of its own: tests/oleander/deploy/test_hosts.py.
    """
    run = RunDirectory.open(deployment.folder / "run")
    for count in range(1, 3):
        before = len(run.rounds())
        os.kill(pid(deployment, "client-1"), signal.SIGKILL)
        deployment.until(lambda count=count: joined(deployment, "client-1") == 1 + count)
        deployment.until(lambda before=before: len(run.rounds()) >= before + 3 and replied(run) == [0, 1])
    missed = [line for line in run.rounds() if line["failures"]]
    assert {one["client"] for line in missed for one in line["failures"]} == {1}
    assert {one["reason"] for line in missed for one in line["failures"]} <= {"lost before it replied", "not connected"}
    assert sum(line["seconds"] for line in missed) < 2 * RESTART_SECONDS
    assert deployment.leave("run") == 143


def pid(deployment: Deployment, client: str) -> int:
    """Return the process of a client's SuperNode."""
    return int(re.findall(r"its SuperNode is process (\d+)", deployment.said(client))[-1])


def joined(deployment: Deployment, client: str) -> int:
    """Return how often a client has joined."""
    return deployment.said(client).count("has joined as")


def test_a_second_client_with_the_same_key_waits_for_the_first_and_a_public_key_takes_nothing(
    deployment: Deployment,
) -> None:
    """The first goes on, and comes back if its SuperNode is killed; when it leaves the second has its place.

    Whoever has a participant's public key is not let in with it.
    """
    run, folder = RunDirectory.open(deployment.folder / "run"), deployment.folder / "certificates"
    before = len(run.rounds())
    deployment.client(1, name="twin")
    deployment.until(lambda: "Another process has joined with the key that client 1 has" in deployment.said("twin"))
    seen = len(run.rounds())
    deployment.until(lambda: len(run.rounds()) >= seen + 3)
    assert all(line["failures"] == [] for line in run.rounds()[before:])
    assert "Two processes have the key of node" in (run.logs / "superlink.log").read_text(encoding="utf-8")

    os.kill(pid(deployment, "client-1"), signal.SIGKILL)
    deployment.until(lambda: joined(deployment, "client-1") == 2)
    assert joined(deployment, "twin") == 0

    assert deployment.leave("client-1") == 143, deployment.said("client-1")
    deployment.until(lambda: joined(deployment, "twin") == 1)
    before = len(run.rounds())
    deployment.until(lambda: len(run.rounds()) >= before + 3 and replied(run) == [0, 1])
    assert joined(deployment, "client-0") == 1

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


def test_the_server_says_for_whom_it_waits_and_refuses_what_it_could_not_use_afterwards(made: Deployment) -> None:
    """The list shrinks when a client joins, and grows when it leaves; loot that is nowhere and a taken port: exit 2."""
    made.run("nowhere", "--loot", "no-such-folder")
    assert made.ended("nowhere") == 2
    assert "a folder in --loot" in made.said("nowhere")
    made.run("run")
    made.client(0)
    for waiting in ("clients 0, 1", "client 1"):
        made.until(lambda waiting=waiting: f"Waiting for {waiting} to join." in made.said("run"))
    made.run("second")
    assert made.ended("second") == 2, made.said("second")
    assert "Waiting" not in made.said("second")
    made.leave("client-0")
    made.until(lambda: made.said("run").count("Waiting for clients 0, 1 to join.") == 2)
    assert made.leave("run") == 143


@pytest.mark.skipif(not LONG, reason=NEEDS_LONG)
def test_a_silent_client_loses_its_place_and_waits_for_it(deployment: Deployment) -> None:
    """Not at once; who waits does so from one run to the next, and for longer than a server that is lost is tried."""
    deployment.client(1, name="twin")
    deployment.until(lambda: "Another process" in deployment.said("twin"))
    silent = pid(deployment, "client-1")
    os.kill(silent, signal.SIGSTOP)
    since = time.monotonic()
    deployment.until(lambda: joined(deployment, "twin") == 1)
    assert time.monotonic() - since > QUIET_SECONDS - 25  # it may have been silent since its last heartbeat
    os.kill(silent, signal.SIGCONT)
    deployment.until(lambda: "Another process" in deployment.said("client-1"))
    time.sleep(GIVE_UP_SECONDS + 5)
    assert deployment.leave("run") == 143
    for number in range(TRIES + 1):
        deployment.run(f"run-{number}")
        run = RunDirectory(deployment.folder / f"run-{number}")
        deployment.until(lambda run=run: (run.path / "rounds.jsonl").is_file() and replied(run) == [0, 1])
        assert deployment.leave(f"run-{number}") == 143
    assert all(process.poll() is None for name, process in deployment.processes.items() if not name.startswith("run"))

"""A federation over a server and three clients with addresses of their own (IPv6), with TLS and authentication."""

import hashlib
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator

import numpy as np
import pytest
from deployments import Deployment, ending
from namespaces import Network, network

from oleander import engines, scenario
from oleander.deploy.issuing import issue
from oleander.engines import Job
from oleander.rundir import RunDirectory

PORT = 9092
ROUNDS = 4
SETTINGS = (
    "federation.clients=3",
    "federation.devices=cpu",
    "federation.min_replies=1",
    "federation.join_timeout=100",
    "task.partition.images=40",
    "clients.0.ids=[2]",
    "clients.0.options.steps=5",
    "clients.0.options.start_accuracy=null",
    "clients.0.options.start_round=1",
    "clients.0.loot_images=4",
)
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    """Five hosts: the server's, those of clients 0 to 2, and a stranger's."""
    with network(5) as made:
        made.slow(1, milliseconds=20, loss=1)
        yield made


@pytest.fixture(scope="module")
def deployment(net: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Three clients that wait for a server; all that was started is ended afterwards."""
    folder = tmp_path_factory.mktemp("deployment")
    server = f"[{net.long_address(1)}]:{PORT}"
    issue(folder / "certificates", [net.long_address(1)], clients=3, days=1)
    made = Deployment(folder=folder, server=server, scenario="gan-attack-digits", settings=SETTINGS, on=net.on)
    with ending(made):
        for number in range(3):
            made.client(number)
        yield made


@pytest.fixture(scope="module")
def first(deployment: Deployment) -> RunDirectory:
    """A finished run; the server's cable delays for 20 ms each way and loses every hundredth packet."""
    deployment.run("first", "--set", f"federation.rounds={ROUNDS}")
    assert deployment.ended("first") == 0, deployment.said("first")
    return RunDirectory.open(deployment.folder / "first")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """The same run in one process."""
    chosen = scenario.load("gan-attack-digits", [*SETTINGS, f"federation.rounds={ROUNDS}"])
    run = RunDirectory.create(chosen, tmp_path_factory.mktemp("alone") / "run")
    engines.run("inline", Job(scenario=chosen, run=run))
    return run


def fingerprint(run: RunDirectory) -> str:
    """Return a digest of the final weights."""
    return hashlib.sha256((run.path / "global" / "final.safetensors").read_bytes()).hexdigest()


def test_the_weights_are_those_of_one_machine(deployment: Deployment, first: RunDirectory, alone: RunDirectory) -> None:
    """Bit for bit, over latency and loss; every client replied in every round."""
    assert [(line["clients"], line["failures"]) for line in first.rounds()] == [([0, 1, 2], [])] * ROUNDS
    assert fingerprint(first) == fingerprint(alone)
    environment = first.environment()
    assert (environment["address"], environment["tls"], environment["exit"]) == (deployment.server, True, 0)
    assert [node["role"] for node in environment["nodes"]] == ["honest", "honest", "malicious"]


def test_the_loot_stays_on_its_own_host_until_it_is_brought(
    deployment: Deployment, first: RunDirectory, alone: RunDirectory
) -> None:
    """The server's host has none; the thief's has what one machine would have had, which is copied when asked."""
    assert first.loot() == {}
    assert "lies on its own host" in (first.path / "verdict.json").read_text(encoding="utf-8")
    first.bring(deployment.folder / "client-2")
    assert set(first.loot()["client-2"]) == set(range(1, ROUNDS + 1))
    for number in range(1, ROUNDS + 1):
        for brought, made in zip(first.samples("client-2", number), alone.samples("client-2", number), strict=True):
            assert np.array_equal(brought.numpy(), made.numpy())
    assert not list((deployment.folder / "client-0").glob("*/loot"))


def test_strangers_are_refused_and_a_second_run_survives_a_cut_a_death_and_a_latecomer(
    net: Network, deployment: Deployment, first: RunDirectory
) -> None:
    """The clients were not restarted; client 1 left, and comes back in mid-run.

    - A key that the server does not know, one of client 1 with which somebody says to be client 0, and a client 1 that
      means to attack, of which the server's scenario knows nothing: exit 2.
    - A cable that is cut for five seconds costs its client nothing, and the run its time.
    - A SuperNode that is killed is started anew by its host, and costs its client a round or two.
    """
    assert first.environment()["exit"] == 0
    folder = deployment.folder
    assert deployment.leave("client-1") == 143
    issue(folder / "unknown", [net.long_address(1)], clients=1, days=1)
    shutil.copy(folder / "certificates" / "client-0" / "ca.crt", folder / "unknown" / "client-0" / "ca.crt")
    shutil.copytree(folder / "certificates" / "client-1", folder / "stolen" / "client-0")
    deployment.run("second", "--set", "federation.rounds=1000")
    for name in ("unknown", "stolen"):
        deployment.client(0, "--certificates", name, name=name, host=5)
    assert [deployment.ended(name) for name in ("unknown", "stolen")] == [2, 2]
    assert "Expected a key that the server knows as client 0's" in deployment.said("unknown")
    assert "That is the key of client 1." in deployment.said("stolen")
    deployment.client(1, name="another", settings=("clients.0.ids=[1]",))
    assert deployment.ended("another") == 2
    assert "Expected of client 1 what it does in the server's scenario" in deployment.said("another")
    deployment.client(1)

    run = RunDirectory.open(folder / "second")
    deployment.until(lambda: any(1 in line["clients"] for line in run.rounds()))
    before = len(run.rounds())
    with net.cut(4):  # client 2's
        time.sleep(5)
    deployment.until(lambda: len(run.rounds()) >= before + 2)
    assert all(2 in line["clients"] for line in run.rounds())

    killed = int(re.findall(r"its SuperNode is process (\d+)", deployment.said("client-0"))[-1])
    before = len(run.rounds())
    os.kill(killed, signal.SIGKILL)
    deployment.until(lambda: deployment.said("client-0").count("has joined") == 3)
    deployment.until(lambda: run.rounds()[-1]["clients"] == [0, 1, 2] and len(run.rounds()) >= before + 3)
    assert "it is started anew" in deployment.said("client-0")
    missed = [line["round"] for line in run.rounds() if 0 not in line["clients"]]
    assert len(missed) <= 3
    assert deployment.processes["second"].poll() is None
    assert deployment.leave("second") == 143
    assert all(process.poll() is None for name, process in deployment.processes.items() if name.startswith("client"))

"""The demo with a host for everybody: a server and six participants, with TLS and keys, over IPv4 and over IPv6."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from deployments import LONG, NEEDS_LONG, Deployment, ending
from namespaces import Network, network
from safetensors.torch import load_file

from oleander import engines, scenario
from oleander.deploy.issuing import issue
from oleander.engines import Job
from oleander.rundir import RunDirectory

CLIENTS, PORT = 6, 9092
SETTINGS = ("federation.devices=cpu",)
pytestmark = [pytest.mark.timeout(1200), pytest.mark.skipif(not LONG, reason=NEEDS_LONG)]


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    """The hosts."""
    with network(1 + CLIENTS) as made:
        yield made


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """The same run in one process."""
    chosen = scenario.load("demo", SETTINGS)
    run = RunDirectory.create(chosen, tmp_path_factory.mktemp("alone") / "run")
    engines.run("inline", Job(scenario=chosen, run=run))
    return run


def deploy(net: Network, folder: Path, address: str, settings: tuple[str, ...] = SETTINGS) -> Deployment:
    """Make certificates and start everybody, each on a host of its own."""
    issue(folder / "certificates", [address.strip("[]")], clients=CLIENTS, days=1)
    made = Deployment(folder=folder, server=f"{address}:{PORT}", scenario="demo", settings=settings, on=net.on)
    for number in range(CLIENTS):
        made.client(number)
    made.run("run")
    return made


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_the_demo_ends_as_on_one_machine(family: str, net: Network, tmp_path: Path, alone: RunDirectory) -> None:
    """With the same final weights, bit for bit, and the same loot on the thief's host; the report is there."""
    address = net.address(1) if family == "IPv4" else f"[{net.long_address(1)}]"
    with ending(deploy(net, tmp_path, address)) as made:
        assert made.ended("run", seconds=600) == 0, made.said("run")
        run = RunDirectory.open(tmp_path / "run")
        ours, theirs = (load_file(each.path / "global" / "final.safetensors") for each in (run, alone))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
        assert run.environment()["tls"]
        assert (run.path / "report.html").is_file()
        run.bring(tmp_path / "client-5")
        last = alone.scenario.federation.rounds
        for brought, kept in zip(run.samples("client-5", last), alone.samples("client-5", last), strict=True):
            assert torch.equal(torch.as_tensor(brought), torch.as_tensor(kept))


def test_a_long_cut_and_the_death_of_a_host_cost_a_round_or_two_and_the_run_nothing(
    net: Network, tmp_path: Path
) -> None:
    """A cable is cut for 20 s in mid-run; another one for good, as when a host loses its power."""
    with ending(deploy(net, tmp_path, net.address(1), (*SETTINGS, "federation.rounds=100000"))) as made:
        run = RunDirectory(tmp_path / "run")
        made.until(lambda: run.path.is_dir() and len(run.rounds()) > 3)
        with net.cut(2):  # client 0's
            time.sleep(20)
        before = len(run.rounds())
        made.until(lambda: len(run.rounds()) > before + 3)
        assert sum(0 not in line["clients"] for line in run.rounds()) <= 1
        with net.cut(3):  # client 1's
            before, since = len(run.rounds()), time.monotonic()
            made.until(lambda: len(run.rounds()) > before + 3)
            assert time.monotonic() - since < 120
            assert 1 not in run.rounds()[-1]["clients"]
        assert made.processes["run"].poll() is None
        assert made.leave("run") == 143

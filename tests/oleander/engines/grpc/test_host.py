"""A participant's host; where it starts SuperNodes, processes that do nothing take their place."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from oleander.engines.grpc import supernode
from oleander.engines.grpc.greeting import Door
from oleander.engines.grpc.host import TRIES, Host
from oleander.engines.grpc.nodes import FleetError
from oleander.engines.grpc.plan import Node, Plan

CODE = """
import socket, sys, time
from oleander.engines.grpc.host import Host
from oleander.engines.grpc.plan import Plan
from oleander.engines.lifeline import Lifeline

socket.getaddrinfo = lambda *_: time.sleep(600)
home, nobody = sys.argv[1], {"task": {}, "data": "", "clients": 1, "seed": 0, "timeout": 1, "nodes": ()}
plan = Plan(home=home, logs=home, fleet="server.example:9092", **nobody)
Host(plan, Lifeline(plan.home)).run()
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A host of one client in plain text; what it took over of this process is given back."""
    node = Node(client=0, role="honest", port=1, gpu=None, config="")
    plan = Plan(
        home="",
        logs=str(tmp_path),
        fleet="127.0.0.1:1",
        task={},
        data="",
        clients=1,
        seed=0,
        timeout=1.0,
        nodes=(node,),
    )
    heard, rung = os.pipe()
    before = signal.getsignal(signal.SIGCHLD)
    yield Host(plan, SimpleNamespace(descriptor=heard, tell=lambda *_, **__: None))  # type: ignore[arg-type]  # as much as it uses
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, before)
    os.close(heard)
    os.close(rung)


def start(host: Host) -> None:
    """Start the SuperNode, as when the server is found."""
    host._see(Door.OPEN)  # noqa: SLF001
    (client,) = host._nodes.clients.values()  # noqa: SLF001
    assert client.pid


def wait_for_its_end(host: Host) -> None:
    """Wait until it has been collected."""
    (client,) = host._nodes.clients.values()  # noqa: SLF001
    while client.pid:
        host._nodes.wait(1.0)  # noqa: SLF001


def test_a_name_whose_address_does_not_come_holds_nothing_up(tmp_path: Path) -> None:
    """The host still hears that the command has ended, while some other process waits for the name's address."""
    command = [sys.executable, "-c", CODE, str(tmp_path)]
    ended = subprocess.run(command, input=b"", capture_output=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr.decode()


def test_a_server_that_comes_and_goes_does_not_end_its_clients(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A SuperNode that the host itself ends before the server knows it has not failed to start, however often."""
    monkeypatch.setattr(supernode, "main", lambda *_: time.sleep(60))
    for _ in range(TRIES + 1):
        start(host)
        host._see(Door.SHUT)  # noqa: SLF001
        wait_for_its_end(host)


def test_a_supernode_that_ends_by_itself_again_and_again_does(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the fifth time."""
    monkeypatch.setattr(supernode, "main", lambda *_: sys.exit(3))
    for _ in range(TRIES - 1):
        start(host)
        wait_for_its_end(host)
    start(host)
    with pytest.raises(FleetError, match="client 0 did not start: it ended with exit code 3"):
        wait_for_its_end(host)


def test_in_plain_text_each_start_has_a_key_of_its_own(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flower lets each of them in once."""
    monkeypatch.setattr(supernode, "main", lambda *_: sys.exit(3))
    (client,) = host._nodes.clients.values()  # noqa: SLF001
    keys = set()
    for _ in range(3):
        start(host)
        keys.add(client.keys[1].public_numbers().x)
        wait_for_its_end(host)
    assert len(keys) == 3

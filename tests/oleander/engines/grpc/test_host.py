"""A participant's host."""

import subprocess
import sys
from pathlib import Path

CODE = """
import socket, sys, time
from oleander.engines.grpc.host import Host
from oleander.engines.grpc.plan import Plan
from oleander.engines.lifeline import Lifeline

socket.getaddrinfo = lambda *_: time.sleep(600)
plan = Plan(home=sys.argv[1], logs=sys.argv[1], fleet="server.example:9092", task={}, data="", timeout=1, nodes=())
Host(plan, Lifeline(plan.home)).run()
"""


def test_a_name_whose_address_does_not_come_holds_nothing_up(tmp_path: Path) -> None:
    """The host still hears that the command has ended, while some other process waits for the name's address."""
    command = [sys.executable, "-c", CODE, str(tmp_path)]
    ended = subprocess.run(command, input=b"", capture_output=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr.decode()

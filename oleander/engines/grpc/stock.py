"""The stock fleet's program: Flower's own commands as separate processes, nothing replaced.

Run as `python -m oleander.engines.grpc.stock PLAN`. Slow (each message starts a fresh Python that imports torch), and a
dead SuperNode is noticed by Flower only when its heartbeats have been missing for most of a minute.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from functools import partial

from oleander.engines.grpc import LOG, superlink, supernode
from oleander.engines.grpc.nodes import FleetError, how
from oleander.engines.grpc.plan import Node, Plan
from oleander.engines.grpc.supervisor import START_SECONDS
from oleander.engines.lifeline import Lifeline
from oleander.engines.ports import listening
from oleander.engines.processes import die_with_parent

POLL_SECONDS = 0.1


class Stock:
    """Flower's commands, started in order."""

    def __init__(self, plan: Plan, lifeline: Lifeline) -> None:
        assert plan.server is not None  # noqa: S101 - for the type checker: only the warm fleet joins a server elsewhere
        self._plan, self._server, self._lifeline = plan, plan.server, lifeline
        self._nodes: dict[int, subprocess.Popen[bytes]] = {}

    def run(self) -> None:
        """Run the fleet until the run has ended.

        Raises:
            FleetError: if a process that all need did not start or has died, or if the run failed.

        """
        plan, server = self._plan, self._server
        link = self._start(superlink.arguments(plan, server, "subprocess"), "superlink.log", server.gpu)
        end = time.monotonic() + START_SECONDS
        while not listening((server.address, plan.fleet)):
            time.sleep(POLL_SECONDS)
            if link.poll() is not None or time.monotonic() > end:
                raise FleetError("The SuperLink did not start.", "superlink.log")
        for node in plan.nodes:
            started = self._start(supernode.arguments(plan, node, "subprocess"), node.log_name, node.gpu)
            self._nodes[node.client] = started
            # Only the server will know the node's id: it asks each node who it is.
            self._lifeline.tell(
                "node", client=node.client, node_id=None, role=node.role, pid=started.pid, device=node.device
            )
        run = self._start(["flwr", "run", server.app, "local", "--stream"], "serverapp.log")
        while run.poll() is None:
            time.sleep(POLL_SECONDS)
            for node in plan.nodes:
                self._look_after(node)
            if link.poll() is not None:
                raise FleetError(f"The SuperLink {how(link.returncode)}.", "superlink.log")
        _check()

    def _start(self, command: Sequence[str], log: str, gpu: str | None = None) -> "subprocess.Popen[bytes]":
        """Start one of Flower's commands, which dies with this process; its own may use a GPU, or none."""
        environment = os.environ | {"CUDA_VISIBLE_DEVICES": gpu or ""}
        with self._plan.log(log).open("ab") as output:
            return subprocess.Popen(  # noqa: S603 - Flower's commands; nothing in them is from a stranger
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - no threads here
            )

    def _look_after(self, node: Node) -> None:
        """Tell of a SuperNode that has died."""
        started = self._nodes.get(node.client)
        if started is not None and started.poll() is not None:
            del self._nodes[node.client]
            self._lifeline.tell(
                "lost", client=node.client, pid=started.pid, how=how(started.returncode), log=node.log_name
            )


def _check() -> None:
    """Ask the SuperLink how the run ended; `flwr run` leaves with 0 when it failed, too."""
    command = ["flwr", "list", "local", "--format", "json"]
    runs: list[dict[str, str]] = []
    try:
        answer = subprocess.run(  # noqa: S603 - as above
            command, capture_output=True, text=True, check=False, timeout=START_SECONDS
        )
        said = f"{answer.stdout.strip()} {answer.stderr.strip()}"
        with contextlib.suppress(json.JSONDecodeError, KeyError):
            runs = json.loads(answer.stdout)["runs"]
    except subprocess.TimeoutExpired:
        said = f"`flwr list` gave no answer within {START_SECONDS:.0f} s"
    status = runs[0]["status"] if runs else f"unknown ({said})"
    if status != "finished:completed":
        raise FleetError(f"The run ended as {status!r}.", "serverapp.log")


def main(plan: Plan) -> None:
    """Run a plan's fleet to its end."""
    lifeline = Lifeline(plan.home)
    lifeline.watch()
    try:
        Stock(plan, lifeline).run()
    except FleetError as error:
        lifeline.tell("failed", reason=str(error), log=error.log)
    except BaseException:
        with contextlib.suppress(OSError):  # a full disk takes no log
            traceback.print_exc()  # into fleet.log; `end` leaves before Python would print it
        lifeline.tell("failed", reason="The fleet's own program failed.", log=LOG)
        raise
    finally:
        lifeline.end(0)


if __name__ == "__main__":
    main(Plan.load(sys.argv[1]))

"""The server's host: starts SuperLink, SuperNodes and ServerApp in order, and watches over them until the last ends."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from oleander.engines.grpc import farewell, serverapp, superlink
from oleander.engines.grpc.forks import fork
from oleander.engines.grpc.nodes import Client, FleetError, Nodes, how
from oleander.engines.grpc.plan import Plan, Server
from oleander.engines.lifeline import Lifeline
from oleander.engines.ports import listening

START_SECONDS = 60.0


class Supervisor:
    """The parent of the server's processes, and of all SuperNodes that run on its host."""

    def __init__(self, plan: Plan, server: Server, lifeline: Lifeline) -> None:
        """Make what the processes will share; nothing is started yet."""
        self._plan, self._server, self._lifeline = plan, server, lifeline
        self._nodes = Nodes(plan, lifeline, said=self._hear, ended=self._ended)
        self._registered: dict[int, int] = {}  # whom a node's key stands for, by the node's id
        self._superlink = self._serverapp = 0
        self._reason = ""

    def run(self) -> None:
        """Run the fleet until the ServerApp has ended.

        Raises:
            FleetError: if a process that all need did not start or has died, or if the ServerApp failed.

        """
        plan, server, nodes = self._plan, self._server, self._nodes
        self._superlink = fork(partial(superlink.main, plan, server, self._know, self._meet), plan.log("superlink.log"))
        addresses = (server.address, plan.fleet)
        self._until(lambda: listening(addresses), "superlink.log", "The SuperLink did not start.")
        for client in nodes.clients.values():
            nodes.start(client)
        everybody = "Not every SuperNode has reached the SuperLink."
        self._until(self._all_known, "superlink.log", everybody)
        messages = [client.bells.message for client in nodes.clients.values()]
        failed = partial(nodes.say, "failed")
        registered = self._registered
        work = partial(
            serverapp.main, plan, server, nodes=messages, sent=nodes.sent, registered=registered, failed=failed
        )
        self._serverapp = fork(work, plan.log("serverapp.log"), server.gpu)
        while self._serverapp:
            self._wait(1.0)

    def _know(self, client: int, node_id: int) -> None:
        """Tell from the SuperLink's process whose key a node has."""
        self._nodes.say("registered", client, node_id)

    def _meet(self, node_id: int, there: bool) -> None:  # noqa: FBT001 - as it is called
        """Tell from the SuperLink's process that a node has joined, or has taken leave."""
        self._nodes.say("met", node_id, there)

    def _all_known(self) -> bool:
        """Return whether every key that is let in has its node's id, and every SuperNode of this host has one."""
        here = all(client.node_id is not None for client in self._nodes.clients.values())
        return here and len(self._registered) == len(self._server.known)

    def _until(self, ready: Callable[[], bool], log: str, complaint: str) -> None:
        """Wait for a step of the start."""
        end = time.monotonic() + START_SECONDS
        while not ready():
            self._wait(0.05)
            if time.monotonic() > end:
                raise FleetError(f"{complaint} Waited {START_SECONDS:.0f} s.", log)

    def _wait(self, seconds: float) -> None:
        """Handle what happens next, or nothing if the time is up."""
        if self._nodes.wait(seconds):
            self._lifeline.end(1)

    def _hear(self, words: list[Any]) -> None:
        """Take the words of a process."""
        match words:
            case ["registered", client, node_id]:
                self._registered[node_id] = client
            case ["met", node_id, there] if node_id in self._registered and not self._nodes.clients:
                self._lifeline.tell("met", client=self._registered[node_id], joined=there)
            case ["failed", reason] | ["refused", _, reason]:
                self._reason = reason

    def _ended(self, pid: int, code: int) -> None:
        """Act on the end of a process."""
        if pid == self._serverapp:
            self._serverapp = 0
            if code:
                reason = self._reason or f"The ServerApp {how(code)}."
                raise FleetError(reason, "" if self._reason else "serverapp.log")
        elif pid == self._superlink:
            raise FleetError(f"The SuperLink {how(code)}.", "superlink.log")
        for client in self._nodes.clients.values():
            if pid == client.pid:
                self._lose(client, code)

    def _lose(self, client: Client, code: int) -> None:
        """A SuperNode has died: say so at once to the SuperLink, and to people."""
        node, pid = client.node, client.pid
        self._nodes.drop(client)
        if client.node_id is None:
            raise FleetError(f"The SuperNode of client {node.client} did not start: it {how(code)}.", node.log_name)
        work = partial(farewell.main, self._plan, client, self._nodes.sent)
        fork(work, self._plan.log("fleet.log"))
        self._lifeline.tell("lost", client=node.client, pid=pid, how=how(code), log=node.log_name)

"""A participant's host: keeps its SuperNodes connected to a server on another host, over one run after the other."""

import os
import signal
import time
from functools import partial
from typing import Any

from oleander.engines.grpc import farewell
from oleander.engines.grpc.forks import fork
from oleander.engines.grpc.greeting import Door, glance, knock
from oleander.engines.grpc.nodes import Client, FleetError, Nodes, how
from oleander.engines.grpc.plan import Plan
from oleander.engines.lifeline import Lifeline
from task.settings import SettingsError

LOOK_SECONDS, LEAVE_SECONDS = 2.0, 5.0
TRIES = 5
"""So often in a row a SuperNode may end before the server knows it; then something here is wrong."""


class Host:
    """The parent of a host's SuperNodes.

    It starts them when the server is there, ends them when it has gone, and starts anew what has died.
    """

    def __init__(self, plan: Plan, lifeline: Lifeline) -> None:
        """Make what the processes will share; nothing is started yet."""
        self._plan, self._lifeline = plan, lifeline
        self._nodes = Nodes(plan, lifeline, said=self._hear, ended=self._ended)
        self._door = Door.SILENT
        self._looking = 0
        self._leaving = False
        self._failed = dict.fromkeys(self._nodes.clients, 0)

    def run(self) -> None:
        """Serve until the command wants an end.

        Raises:
            SettingsError: if the server refuses a node, or is not the one that its certificate should be of.
            FleetError: if a SuperNode cannot be started.

        """
        try:
            self._serve()
        finally:
            self._leave()

    def _serve(self) -> None:
        """Look for the server again and again."""
        while True:
            if not self._looking:
                self._looking = fork(self._look, self._plan.log("fleet.log"))
            end = time.monotonic() + LOOK_SECONDS
            while (left := end - time.monotonic()) > 0:
                if self._nodes.wait(left):
                    return

    def _look(self) -> None:
        """Look for the right server, in a process of its own: a name's address alone may take many seconds to find."""
        if all(client.pid for client in self._nodes.clients.values()):
            self._nodes.say("door", glance(self._plan.fleet).value)
            return
        try:
            self._nodes.say("door", knock(self._plan.fleet, self._plan.ca).value)
        except SettingsError as error:
            self._nodes.say("refused", None, str(error))

    def _hear(self, words: list[Any]) -> None:
        """Take the words of a process."""
        match words:
            case ["door", found]:
                self._see(Door(found))
            case ["waiting", client]:
                self._failed[client] = 0  # it has found the server, and may wait for several runs
                self._lifeline.tell("waiting", client=client)
            case ["refused", _, reason] if not self._leaving:
                raise SettingsError(reason)

    def _see(self, found: Door) -> None:
        """Start SuperNodes where the server is; end them where it is no more: a link that is cut would be silent."""
        if self._leaving:
            return
        before, self._door = self._door, found
        if found is not before and Door.OPEN in (before, found):
            self._lifeline.tell("server", door=found.value)
        for client in self._nodes.clients.values():
            if self._door is Door.OPEN and not client.pid:
                client.node_id = None
                self._nodes.start(client)
            elif self._door is Door.SHUT and client.pid:
                os.kill(client.pid, signal.SIGKILL)

    def _ended(self, pid: int, code: int) -> None:
        """A process has ended; a SuperNode is started anew as soon as the server is found again."""
        if pid == self._looking:
            self._looking = 0
        for client in self._nodes.clients.values():
            if pid == client.pid:
                self._nodes.drop(client)
                self._tell(client, pid, code)

    def _tell(self, client: Client, pid: int, code: int) -> None:
        """Tell of a SuperNode that has ended while the server was there."""
        node = client.node
        if self._door is not Door.OPEN:
            return
        if client.node_id is None:
            self._failed[node.client] += 1
            if self._failed[node.client] >= TRIES:
                raise FleetError(f"The SuperNode of client {node.client} did not start: it {how(code)}.", node.log_name)
            return
        self._failed[node.client] = 0
        self._lifeline.tell("lost", client=node.client, pid=pid, how=how(code), log=node.log_name)
        if not node.key:  # it comes back under another key, as another node: nobody need wait for this one
            goodbye = partial(farewell.main, self._plan, client, self._nodes.sent)
            fork(goodbye, self._plan.log("fleet.log"))

    def _leave(self) -> None:
        """Let the SuperNodes say goodbye, so that nobody waits for them."""
        self._leaving, self._door = True, Door.SHUT
        for client in self._nodes.clients.values():
            if client.pid:
                os.kill(client.pid, signal.SIGTERM)
        end = time.monotonic() + LEAVE_SECONDS
        while any(client.pid for client in self._nodes.clients.values()) and time.monotonic() < end:
            self._nodes.wait(0.1)

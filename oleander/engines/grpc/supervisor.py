"""Starts the warm fleet's processes in order, and watches over them until the ServerApp has ended."""

import json
import os
import selectors
import signal
import time
from functools import partial
from typing import Any

from oleander.engines.grpc import farewell, serverapp, superlink, supernode, worker
from oleander.engines.grpc.fitness import inner
from oleander.engines.grpc.forks import fork
from oleander.engines.grpc.pipes import Bell
from oleander.engines.grpc.plan import Node, Plan
from oleander.engines.grpc.supernode import DIED, NodeBells
from oleander.engines.lifeline import Lifeline
from oleander.engines.ports import listening

START_SECONDS = 60.0
DELIVERY_SECONDS = 10.0


class FleetError(Exception):
    """The fleet could not start or go on; `log` is the log to look at, in the run directory's logs."""

    def __init__(self, reason: str, log: str) -> None:
        super().__init__(reason)
        self.log = log


class _Client:
    """A client's processes as the supervisor sees them."""

    def __init__(self, node: Node, keys: Any) -> None:
        self.node, self.keys, self.bells = node, keys, NodeBells()
        self.pid = 0
        self.node_id: int | None = None
        self.worker = 0
        self.deadline = 0.0  # by the monotonic clock, when its worker has had its time
        self.waiting = False  # a task is there while the worker of the task before has not ended yet
        self.lost = False


class Supervisor:
    """The parent of the fleet."""

    def __init__(self, plan: Plan, lifeline: Lifeline) -> None:
        """Make what the processes will share; nothing is started yet."""
        draw = inner("flwr.supercore.primitives.asymmetric").generate_key_pairs
        self._plan, self._lifeline = plan, lifeline
        self._sent, self._words, self._child = Bell(), Bell(), Bell()
        self._clients = {node.client: _Client(node, draw()) for node in plan.nodes}
        self._superlink = self._serverapp = 0
        self._reason = ""
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Run the fleet until the ServerApp has ended.

        Raises:
            FleetError: if a process that all need did not start or has died, or if the ServerApp failed.

        """
        signal.set_wakeup_fd(self._child.rung, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # the wake-up is enough
        for source in (self._lifeline.descriptor, self._child, self._words):
            self._selector.register(source, selectors.EVENT_READ)
        plan = self._plan
        self._superlink = fork(partial(superlink.main, plan), plan.log("superlink.log"))
        self._until(self._listening, "superlink.log", "The SuperLink did not start.")
        for client in self._clients.values():
            self._start_node(client)
        self._until(self._registered, "superlink.log", "Not every SuperNode has reached the SuperLink.")
        messages = [client.bells.message for client in self._clients.values()]
        failed = partial(self._say, "failed")
        work = partial(serverapp.main, plan, messages, self._sent, failed)
        self._serverapp = fork(work, plan.log("serverapp.log"), hide_gpus=False)
        while self._serverapp:
            self._wait(1.0)
            self._end_the_overdue()

    def _start_node(self, client: _Client) -> None:
        """Fork a SuperNode."""
        node = client.node
        identity = supernode.Identity(keys=client.keys, known=partial(self._say, "node", node.client))
        work = partial(supernode.main, self._plan, node, identity, client.bells, self._sent)
        client.pid = fork(work, self._plan.log(node.log_name))
        self._selector.register(client.bells.task, selectors.EVENT_READ, client)

    def _start_worker(self, client: _Client) -> None:
        """Fork a worker for a task."""
        client.waiting = False
        client.deadline = time.monotonic() + self._plan.timeout
        work = partial(worker.main, client.node.address, client.bells.reply)
        client.worker = fork(work, self._plan.log(client.node.log_name), client.node.gpu)

    def _say(self, *words: Any) -> None:
        """Tell the supervisor something from another process."""
        self._words.ring(json.dumps(words).encode() + b"\n")

    def _until(self, ready: Any, log: str, complaint: str) -> None:
        """Wait for a step of the start."""
        end = time.monotonic() + START_SECONDS
        while not ready():
            self._wait(0.05)
            if time.monotonic() > end:
                raise FleetError(f"{complaint} Waited {START_SECONDS:.0f} s.", log)

    def _listening(self) -> bool:
        """Return whether the SuperLink takes connections."""
        return listening((self._plan.control, self._plan.fleet))

    def _registered(self) -> bool:
        """Return whether every SuperNode has its id."""
        return all(client.node_id is not None for client in self._clients.values())

    def _wait(self, seconds: float) -> None:
        """Handle what happens next, or nothing if the time is up."""
        for key, _ in self._selector.select(seconds):
            if key.fd == self._lifeline.descriptor:
                self._lifeline.end(1)
            elif key.fileobj is self._words:
                self._hear()
            elif key.fileobj is self._child:
                self._child.hear()
            else:
                client: _Client = key.data
                client.bells.task.hear()
                if client.worker:
                    # It delivers the client's state, which comes after the reply, or the SuperNode has given it up.
                    client.waiting = True
                    client.deadline = min(client.deadline, time.monotonic() + DELIVERY_SECONDS)
                else:
                    self._start_worker(client)
        self._reap()

    def _end_the_overdue(self) -> None:
        """End frozen workers, those that nobody waits for any longer; an error takes the place of a reply not given."""
        now = time.monotonic()
        for client in self._clients.values():
            if client.worker and now > client.deadline:
                os.kill(client.worker, signal.SIGKILL)

    def _hear(self) -> None:
        """Take the words of other processes."""
        for line in self._words.hear().splitlines():
            match json.loads(line):
                case ["node", client, node_id]:
                    it = self._clients[client]
                    it.node_id = node_id
                    device = "cpu" if it.node.gpu is None else f"cuda:{it.node.gpu}"
                    self._lifeline.tell(
                        "node", client=client, node_id=node_id, role=it.node.role, pid=it.pid, device=device
                    )
                case ["failed", reason]:
                    self._reason = reason

    def _reap(self) -> None:
        """Collect what has ended, and act on it."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._ended(pid, os.waitstatus_to_exitcode(status))

    def _ended(self, pid: int, code: int) -> None:
        """Act on the end of a process."""
        if pid == self._serverapp:
            self._hear()
            self._serverapp = 0
            if code:
                reason = self._reason or f"The ServerApp {how(code)}."
                raise FleetError(reason, "" if self._reason else "serverapp.log")
        elif pid == self._superlink:
            raise FleetError(f"The SuperLink {how(code)}.", "superlink.log")
        for client in self._clients.values():
            if pid == client.pid:
                self._lose(client, code)
            elif pid == client.worker:
                client.worker = 0
                if client.waiting:
                    self._start_worker(client)
                elif code:
                    client.bells.reply.ring(DIED)

    def _lose(self, client: _Client, code: int) -> None:
        """A SuperNode has died: say so at once to the SuperLink, and to people."""
        client.lost = True
        self._selector.unregister(client.bells.task)
        if client.worker:
            os.kill(client.worker, signal.SIGKILL)
        node = client.node
        if client.node_id is None:
            raise FleetError(f"The SuperNode of client {node.client} did not start: it {how(code)}.", node.log_name)
        work = partial(farewell.main, self._plan, client.node_id, client.keys, self._sent)
        fork(work, self._plan.log("fleet.log"))
        self._lifeline.tell("lost", client=node.client, pid=client.pid, how=how(code), log=node.log_name)


def how(code: int) -> str:
    """Return in words how a process ended."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

"""This host's SuperNodes and their workers: forked here, woken by bells, and watched over."""

import json
import os
import secrets
import selectors
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from oleander.engines.grpc import supernode, worker
from oleander.engines.grpc.forks import fork
from oleander.engines.grpc.pipes import Bell, line
from oleander.engines.grpc.plan import Node, Plan
from oleander.engines.grpc.supernode import DIED, NodeBells
from oleander.engines.lifeline import Lifeline

DELIVERY_SECONDS = 10.0


class FleetError(Exception):
    """The fleet could not start or go on; `log` is the log to look at, in the run directory's logs."""

    def __init__(self, reason: str, log: str) -> None:
        super().__init__(reason)
        self.log = log


class Client:
    """A client's processes as their parent sees them.

    Attributes:
        node: its SuperNode as planned.
        keys: its key pair; one that is drawn is another at every start.
        process: name of its SuperNode among all that have its keys, as of `oleander.engines.grpc.gate.HEADER`.
        bells: its SuperNode's.
        pid: of its SuperNode; 0 while it has none.
        node_id: Flower's; None until the SuperLink has given one.

    """

    def __init__(self, node: Node) -> None:
        self.node, self.keys, self.bells = node, supernode.key_pair(node), NodeBells()
        self.process = ""
        self.pid = 0
        self.node_id: int | None = None
        self.worker = 0
        self.deadline = 0.0  # by the monotonic clock, when its worker has had its time
        self.waiting = False  # a task is there while the worker of the task before has not ended yet


class Nodes:
    """The SuperNodes of a host, and what its processes say.

    Args:
        plan: what is to run.
        lifeline: to the command.
        said: called with the words of a process that are not a node's.
        ended: called with the process id and the exit code of what has ended and was no worker.

    Attributes:
        clients: by id.
        sent: rung when a reply lies on the SuperLink.

    """

    def __init__(
        self, plan: Plan, lifeline: Lifeline, *, said: Callable[[list[Any]], None], ended: Callable[[int, int], None]
    ) -> None:
        self._plan, self._lifeline, self._said, self._ended = plan, lifeline, said, ended
        self.clients = {node.client: Client(node) for node in plan.nodes}
        self.sent = Bell()
        self._name = secrets.token_hex(8)
        self._words, self._child = Bell(), Bell()
        self._heard = b""  # the beginning of a line
        self._selector = selectors.DefaultSelector()
        signal.set_wakeup_fd(self._child.rung, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # the wake-up is enough
        for source in (lifeline.descriptor, self._child, self._words):
            self._selector.register(source, selectors.EVENT_READ)

    def start(self, client: Client) -> None:
        """Fork a SuperNode."""
        node = client.node
        if not node.key:  # Flower lets a drawn key in once
            client.keys = supernode.key_pair(node)
        client.process = f"{self._name}-{secrets.token_hex(8)}-{node.client}"
        identity = supernode.Identity(
            keys=client.keys,
            process=client.process,
            known=partial(self.say, "node", node.client),
            refused=partial(self.say, "refused", node.client),
            waiting=partial(self.say, "waiting", node.client),
        )
        work = partial(supernode.main, self._plan, node, identity, client.bells, self.sent)
        client.pid = fork(work, self._plan.log(node.log_name))
        self._selector.register(client.bells.task, selectors.EVENT_READ, client)

    def say(self, *words: Any) -> None:
        """Tell this process something from another."""
        self._words.ring(line(list(words)))

    def wait(self, seconds: float) -> bool:
        """Handle what happens next, or nothing if the time is up; return whether the command wants an end."""
        leaving = False
        for key, _ in self._selector.select(seconds):
            if key.fd == self._lifeline.descriptor:
                leaving = True
            elif key.fileobj is self._words:
                self.hear()
            elif key.fileobj is self._child:
                self._child.hear()
            else:
                self._task(key.data)
        self._reap()
        now = time.monotonic()
        for client in self.clients.values():
            if client.worker and now > client.deadline:  # frozen: an error takes the place of a reply not given
                os.kill(client.worker, signal.SIGKILL)
        return leaving

    def hear(self) -> None:
        """Take the words of other processes."""
        *lines, self._heard = (self._heard + self._words.hear()).split(b"\n")
        for said in lines:
            match json.loads(said):
                case ["node", client, node_id]:
                    it = self.clients[client]
                    it.node_id = node_id
                    node = it.node
                    self._lifeline.tell(
                        "node", client=client, node_id=node_id, role=node.role, pid=it.pid, device=node.device
                    )
                case words:
                    self._said(words)

    def drop(self, client: Client) -> None:
        """A SuperNode has ended: its worker works for nobody."""
        self._selector.unregister(client.bells.task)
        client.pid, client.waiting = 0, False
        if client.worker:
            os.kill(client.worker, signal.SIGKILL)

    def _task(self, client: Client) -> None:
        """A SuperNode has a task for a worker."""
        client.bells.task.hear()
        if client.worker:
            # It delivers the client's state, which comes after the reply, or the SuperNode has given it up.
            client.waiting = True
            client.deadline = min(client.deadline, time.monotonic() + DELIVERY_SECONDS)
        else:
            self._start_worker(client)

    def _start_worker(self, client: Client) -> None:
        """Fork a worker for a task."""
        client.waiting = False
        client.deadline = time.monotonic() + self._plan.timeout
        refused = partial(self.say, "refused", client.node.client)
        work = partial(worker.main, client.node.address, client.bells.reply, refused)
        client.worker = fork(work, self._plan.log(client.node.log_name), client.node.gpu)

    def _reap(self) -> None:
        """Collect what has ended, and act on it."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._take(pid, os.waitstatus_to_exitcode(status))

    def _take(self, pid: int, code: int) -> None:
        """Act on the end of a process."""
        self.hear()
        client = next((one for one in self.clients.values() if one.worker == pid), None)
        if client is None:
            self._ended(pid, code)
            return
        client.worker = 0
        if client.waiting:
            self._start_worker(client)
        elif code:
            client.bells.reply.ring(DIED)


def how(code: int) -> str:
    """Return in words how a process ended."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

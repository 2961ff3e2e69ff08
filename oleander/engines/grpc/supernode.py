"""The stock SuperNode in this process, woken by bells where it would poll, and told when its worker has died."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from oleander.engines.grpc.fitness import inner
from oleander.engines.grpc.pipes import Bell, Clock
from oleander.engines.grpc.plan import Node, Plan
from oleander.engines.ports import HOST

DIED = b"x"


@dataclass(frozen=True, kw_only=True)
class NodeBells:
    """A SuperNode's bells.

    Attributes:
        message: the SuperLink has something for it.
        task: it has a task for a worker.
        reply: the worker has replied, or (`DIED`) has died.

    """

    message: Bell = field(default_factory=Bell)
    task: Bell = field(default_factory=Bell)
    reply: Bell = field(default_factory=Bell)


def arguments(plan: Plan, node: Node, isolation: str) -> list[str]:
    """Return the command line of `flower-supernode`."""
    return [
        "flower-supernode",
        "--insecure",
        *("--superlink", plan.fleet_address),
        *("--host", HOST, "--port", str(node.port)),
        *("--isolation", isolation, "--node-config", node.config),
    ]


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a SuperNode is to the SuperLink.

    Attributes:
        keys: its key pair; stock draws one that nobody else knows, ours lets the supervisor speak for a dead node.
        known: called with the node's id as soon as the SuperLink has given one.

    """

    keys: Any
    known: Callable[[int], None]


def main(plan: Plan, node: Node, identity: Identity, bells: NodeBells, sent: Bell) -> None:
    """Serve until this process is ended.

    Args:
        plan: the fleet.
        node: which of its nodes this is.
        identity: who it is to the SuperLink.
        bells: its bells.
        sent: rung when a reply lies on the SuperLink.

    """
    connection = inner("flwr.client.grpc_rere_client.connection")
    loop = inner("flwr.supernode.start_client_internal")
    state_class = inner("flwr.supernode.nodestate.in_memory_nodestate").InMemoryNodeState
    push, keep = loop._push_messages, state_class.set_node_id  # noqa: SLF001 - inner names, hence `inner`

    def push_messages(state: Any, **arguments: Any) -> None:
        bells.reply.hear()  # of the message before
        bells.task.ring()
        loop.time.state = state
        push(state=state, **arguments)
        sent.ring()

    def set_node_id(self: Any, node_id: int | None) -> None:
        keep(self, node_id)
        if node_id is not None:
            identity.known(node_id)

    connection.generate_key_pairs = lambda: identity.keys
    loop._push_messages = push_messages  # noqa: SLF001
    loop.time = _NodeClock(bells)
    state_class.set_node_id = set_node_id
    sys.argv = arguments(plan, node, "process")
    inner("flwr.supernode.cli").flower_supernode()


class _NodeClock(Clock):
    """The SuperNode's clock: 3 s is its wait for a message, 0.5 s that for its worker."""

    def __init__(self, bells: NodeBells) -> None:
        """Start without a state: there is one once a message is there."""
        super().__init__({3: bells.message})
        self._reply = bells.reply
        self.state: Any = None

    def sleep(self, seconds: float) -> None:
        """Wait for a bell; if the worker has died, put an error in the place of its reply."""
        if seconds != 0.5:  # noqa: PLR2004 - the literal in Flower's loop
            super().sleep(seconds)
        elif DIED in self._reply.wait(seconds):
            _answer_with_an_error(self.state)


def _answer_with_an_error(state: Any) -> None:
    """Reply to the message at hand as Flower does when a ClientApp's heartbeats have been missing for a minute."""
    error = inner("flwr.supernode.nodestate.in_memory_nodestate").CLIENT_APP_CRASHED_ERROR
    if state.get_messages(is_reply=True):
        raise RuntimeError("The worker died while it uploaded its reply.")
    runs = {message.metadata.run_id for message in state.get_messages(is_reply=False)} | set(state.run_store)
    state._store_error_replies(runs, error)  # noqa: SLF001

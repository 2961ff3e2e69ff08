"""The stock SuperNode in this process, woken by bells where it would poll, and told when its worker has died."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oleander.engines.grpc import gate
from oleander.engines.grpc.fitness import inner
from oleander.engines.grpc.pipes import Bell, Clock
from oleander.engines.grpc.plan import Node, Plan
from oleander.engines.ports import HOST
from task.strangers import printable

DIED = b"x"
_OTHER_FLOWER = (
    "Expected a server with the Flower of this host, got one whose release does not go with it. "
    "Install flwr[simulation]==1.39.* on both."
)
GIVE_UP_SECONDS = 60
"""Between hosts: a SuperNode that has not reached the SuperLink for so long ends, and is started anew once it can."""
ASK_AGAIN_SECONDS = 2.0
"""While another process has its key."""


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
        *(("--root-certificates", plan.ca) if plan.ca else ("--insecure",)),
        *(("--auth-supernode-private-key", node.key) if node.key else ()),
        *("--superlink", plan.fleet),
        *("--host", HOST, "--port", str(node.port)),
        *("--isolation", isolation, "--node-config", node.config),
        *(() if plan.server else ("--max-wait-time", str(GIVE_UP_SECONDS))),
    ]


def key_pair(node: Node) -> Any:
    """Return the key pair that a node proves itself by: its own, or one that is drawn."""
    if not node.key:
        return inner("flwr.supercore.primitives.asymmetric").generate_key_pairs()
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key  # noqa: PLC0415 - as Flower does

    private = load_ssh_private_key(Path(node.key).read_bytes(), None)
    return private, private.public_key()


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a SuperNode is to the SuperLink.

    Attributes:
        keys: its key pair; stock draws one that nobody else knows, ours lets its parent speak for a dead node.
        process: its name among all that have the keys.
        known: called with the node's id as soon as the SuperLink has given one.
        refused: called with the reason if the SuperLink lets it not in.
        waiting: called if it has to wait, since another process has its key.

    """

    keys: Any
    process: str
    known: Callable[[int], None]
    refused: Callable[[str], None]
    waiting: Callable[[], None]


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
    wrap = connection.wrap_stub

    def push_messages(state: Any, **arguments: Any) -> None:
        loop.time.begin(state)
        bells.task.ring()
        push(state=state, **arguments)
        sent.ring()

    def set_node_id(self: Any, node_id: int | None) -> None:
        keep(self, node_id)
        if node_id is not None:
            identity.known(node_id)

    def wrap_stub(stub: Any, retry_invoker: Any) -> None:
        for request in ("RegisterNode", "ActivateNode"):  # the former in plain text only
            setattr(stub, request, _asking(getattr(stub, request), node, identity))
        wrap(stub, retry_invoker)

    gate.introduce(identity.process, lambda: os._exit(1))  # its parent starts it anew, and it waits
    connection.generate_key_pairs = lambda: identity.keys
    connection.wrap_stub = wrap_stub
    loop._push_messages = push_messages  # noqa: SLF001
    loop.time = NodeClock(bells, plan.poll)
    state_class.set_node_id = set_node_id
    sys.argv = arguments(plan, node, "process")
    inner("flwr.supernode.cli").flower_supernode()


def _asking(request: Callable[..., Any], node: Node, identity: Identity) -> Callable[..., Any]:
    """Return a request by which a SuperNode asks to be let in; a refusal is told in words, and waited for if it may."""
    import grpc  # noqa: PLC0415 - loaded with Flower

    def ask(*arguments: Any, **options: Any) -> Any:
        waiting = False
        while True:
            try:
                return request(*arguments, **options)
            except grpc.RpcError as error:
                if not gate.is_taken(error):
                    reason = refusal(node, error.code().name, error.details() or "")
                    if reason:
                        identity.refused(reason)
                    raise
            except SystemExit:  # Flower's answer to a server that does not take its version
                identity.refused(_OTHER_FLOWER)
                raise
            if not waiting:
                identity.waiting()
            waiting = True
            time.sleep(ASK_AGAIN_SECONDS)

    return ask


def refusal(node: Node, status: str, said: str) -> str:
    """Return in words why a server does not let a node in; empty where it may be asked again.

    Args:
        node: that asked.
        status: name of gRPC's code.
        said: what the server says of it, which is JSON where Flower has written it.

    """
    errors = inner("flwr.supercore.error")
    problem = errors.FlowerError.from_json(said)
    if status == "FAILED_PRECONDITION" and problem is not None:
        if problem.code == errors.ApiErrorCode.RUNTIME_VERSION_INCOMPATIBLE:
            return _OTHER_FLOWER
        if problem.code == errors.ApiErrorCode.FLEET_NODE_ACTIVATION_FAILED and node.key:
            return (
                f"Expected a key that the server knows as client {node.client}'s, got {node.key}, which it does "
                "not know. Use the folder of certificates that the server was started with."
            )
        if problem.code == errors.ApiErrorCode.PUBLIC_KEY_ALREADY_IN_USE:
            return (
                f"Expected a key that nobody has joined with, got one that the server knows already, for client "
                f"{node.client}. Join again: without certificates a new key is drawn each time."
            )
    words = printable(problem.message if problem is not None else said)
    hints = {
        "FAILED_PRECONDITION": "",
        "PERMISSION_DENIED": f" The key is {node.key}: start the node with its own folder of certificates.",
        "UNAUTHENTICATED": ". An invalid timestamp is a clock that is wrong by more than five seconds: set both.",
    }
    if status not in hints:
        return ""
    return f"Expected to be let in as client {node.client}, got this from the server: {words}{hints[status]}"


class NodeClock(Clock):
    """The SuperNode's clock: 3 s is its wait for a message, 0.5 s that for its worker."""

    def __init__(self, bells: NodeBells, poll: float) -> None:
        """Start without a message; `bells` are the node's, `poll` is the longest wait for a message in seconds."""
        super().__init__({3: bells.message}, poll)
        self._reply = bells.reply
        self._state: Any = None
        self._died = False

    def begin(self, state: Any) -> None:
        """A message is at hand, and no worker has it yet: what has been said of the one before counts no more.

        Args:
            state: the SuperNode's; a reply in it came from a worker that died, after an error had taken its place.

        """
        self._reply.hear()
        self._state, self._died = state, False
        state.delete_messages(message_ids=[reply.message.metadata.message_id for reply in _replies(state)])

    def sleep(self, seconds: float) -> None:
        """Wait for a bell; if the worker has died, put an error in the place of its reply.

        Raises:
            RuntimeError: if the reply is being sent, and the rest of it will not come; Flower gives it up then.

        """
        if seconds != 0.5:  # noqa: PLR2004 - the literal in Flower's loop
            super().sleep(seconds)
            return
        # What the worker asked for last may be done after its death is known: that it has died stays true.
        self._died |= DIED in self._reply.wait(self._SOON if self._died else seconds)
        if self._died:
            _answer_with_an_error(self._state)

    _SOON = 0.05


def _replies(state: Any) -> list[Any]:
    """Return the entries of all replies that a SuperNode has."""
    with state.lock_msg_store:
        return [one for one in state.msg_store.values() if one.message.metadata.reply_to_message_id]


def _answer_with_an_error(state: Any) -> None:
    """Reply to the message at hand as Flower does when a ClientApp's heartbeats have been missing for a minute."""
    error = inner("flwr.supernode.nodestate.in_memory_nodestate").CLIENT_APP_CRASHED_ERROR
    if any(reply.is_retrieved for reply in _replies(state)):
        raise RuntimeError("The worker died while it uploaded its reply.")
    runs = {message.metadata.run_id for message in state.get_messages(is_reply=False)} | set(state.run_store)
    state._store_error_replies(runs, error)  # noqa: SLF001 - an inner name, hence `inner`; does nothing if answered

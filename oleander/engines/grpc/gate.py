"""Who may ask what of the SuperLink, where Flower's own check leaves something open.

Flower makes sure that a request is signed by the key of the node that it is for, with two exceptions, and does not mind
who else has that key. Here:

- a node is registered and activated by the owner of its key only, not by whoever knows the public half;
- a reply names as its sender the node that brings it;
- of two processes with the same key, the first is the node for as long as it is heard from. The other is told so, and
  waits: both together would take each other's messages, and neither would reply. (Flower's stock SuperNodes do not say
  which process they are, and are not told apart.)
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from oleander.engines.grpc.fitness import inner

HEADER = "oleander-process"
"""Of each request of a node: LINE-START-CLIENT, the command that has started it, the time that it did, and for whom."""
LONGEST_NAME = 64
TAKEN, NOT_YOURS = "Another process has this key.", "That is the key of client "
QUIET_SECONDS = 45.0
"""After so long without a word another may take its place; one that computes still sends a heartbeat every 20 s."""


@dataclass(kw_only=True)
class Holder:
    """The process that is a node.

    Attributes:
        process: as it says in HEADER.
        node: Flower's id.
        heard: seconds on the monotonic clock when it last asked for something.
        told: it was said that there is another.

    """

    process: str
    node: int
    heard: float
    told: bool = False


class Gate:
    """Knows which process each node is.

    Args:
        owners: the participants, by their public keys.

    Attributes:
        holders: the same of the processes that are their nodes.

    """

    def __init__(self, owners: Mapping[bytes, int] | None = None) -> None:
        self.owners = owners or {}
        self.holders: dict[bytes, Holder] = {}
        self._turn = threading.Lock()

    def problem(self, request: Any, key: bytes, process: str) -> str:
        """Return what is wrong with a request; empty if nothing is.

        Args:
            request: to the Fleet API.
            key: public key by which it is signed.
            process: that it comes from.

        """
        if hasattr(request, "public_key"):
            if request.public_key != key:
                return "The request is signed by another key than it is for."
            return self._claim(key, process) if _is(request, "ActivateNodeRequest") else ""
        holder = self.holders.get(key)  # none has said goodbye
        if holder:
            if holder.process != process:
                return _taken(holder)
            holder.heard = time.monotonic()
        node = request.node.node_id if hasattr(request, "node") else request.node_id  # the key's, as Flower has seen to
        senders = {message.metadata.src_node_id for message in getattr(request, "messages_list", ())}
        return "" if senders <= {node} else "The reply is another node's."

    def _claim(self, key: bytes, process: str) -> str:
        """Return why a process may not be a node; a command that starts its node anew has the place at once."""
        owner, claimed = self.owners.get(key), process.rpartition("-")[2]
        if owner is not None and claimed != str(owner) and "-" in process:
            return f"{NOT_YOURS}{owner}."
        holder = self.holders.get(key)
        if holder is None or _line(holder.process) == _line(process):
            return ""
        return "" if time.monotonic() > holder.heard + QUIET_SECONDS else _taken(holder)

    def enter(self, key: bytes, process: str, node: int) -> None:
        """Take note of who is a node."""
        self.holders[key] = Holder(process=process, node=node, heard=time.monotonic())

    def wrap(self, handler: Any, key: bytes) -> Any:
        """Return a handler of gRPC's that answers what has no problem."""
        import grpc  # noqa: PLC0415 - loaded with Flower

        def answer(request: Any, context: Any) -> Any:
            process = str(dict(context.invocation_metadata()).get(HEADER, ""))[:LONGEST_NAME]
            alone = _is(request, "ActivateNodeRequest", "DeactivateNodeRequest")
            with self._turn if alone else contextlib.nullcontext():
                problem = self.problem(request, key, process)
                if problem == TAKEN:
                    context.abort(grpc.StatusCode.ABORTED, problem)
                if problem.startswith(NOT_YOURS):
                    context.abort(grpc.StatusCode.PERMISSION_DENIED, problem)
                if problem:
                    context.abort(grpc.StatusCode.UNAUTHENTICATED, problem)
                if _is(request, "DeactivateNodeRequest", "UnregisterNodeFleetRequest"):
                    self.holders.pop(key, None)  # also where Flower has missed its heartbeats already
                response = handler.unary_unary(request, context)
                if _is(request, "ActivateNodeRequest"):
                    self.enter(key, process, response.node_id)
            return response

        return grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def install(owners: Mapping[bytes, int]) -> None:
    """Put a gate behind Flower's check of keys, in the SuperLink's process; see `Gate`."""
    interceptor = inner("flwr.server.superlink.fleet.grpc_rere.node_auth_server_interceptor").NodeAuthServerInterceptor
    check, gate = interceptor._wrap_method_handler, Gate(owners)  # noqa: SLF001 - inner names, hence `inner`
    interceptor._wrap_method_handler = lambda self, handler, key: check(self, gate.wrap(handler, key), key)  # noqa: SLF001


def _is(request: Any, *names: str) -> bool:
    """Return whether a request is of one of some types."""
    return request.DESCRIPTOR.name in names


def _line(process: str) -> str:
    """Return the command that has started a process."""
    return process.partition("-")[0]


def _taken(holder: Holder) -> str:
    """Return that there is another with the same key, and say so once."""
    if not holder.told:
        logging.getLogger("flwr").warning("Two processes have the key of node %s; the first one stays.", holder.node)
    holder.told = True
    return TAKEN


def introduce(process: str, taken: Callable[[], None]) -> None:
    """Let all requests of this process, which is a node or speaks for one, say which process it is.

    Args:
        process: its name, as of `HEADER`.
        taken: called when another has got its place.

    """
    interceptor = inner("flwr.client.grpc_rere_client.node_auth_client_interceptor").NodeAuthClientInterceptor
    sign = interceptor.intercept_unary_unary

    def intercept(self: Any, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        named = details._replace(metadata=[*(details.metadata or ()), (HEADER, process)])
        call = sign(self, continuation, named, request)
        if is_taken(call) and not _is(request, "ActivateNodeRequest"):
            taken()
        return call

    interceptor.intercept_unary_unary = intercept


def is_taken(call: Any) -> bool:
    """Return whether a call of gRPC's was refused because another process has the node's place."""
    import grpc  # noqa: PLC0415 - loaded with Flower

    return isinstance(call, grpc.RpcError) and call.code() == grpc.StatusCode.ABORTED and call.details() == TAKEN

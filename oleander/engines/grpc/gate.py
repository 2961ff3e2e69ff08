"""Who may ask what of the SuperLink, where Flower's own check leaves something open.

Flower makes sure that a request is signed by the key of the node that it is for, with two exceptions, and does not mind
who else has that key. Here:

- a node is registered and activated by the owner of its key only, not by whoever knows the public half;
- a reply names as its sender the node that brings it;
- of two processes with the same key, the one that has joined last is the node. The other is told so, and ends: both
  together would take each other's messages, and neither would reply.
"""

import logging
from collections.abc import Callable
from typing import Any

from oleander.engines.grpc.fitness import inner

HEADER = "oleander-process"
"""Of each request of a node: which process it is; drawn anew at each start."""
_TAKEN = "Another process has joined with this key since."


class Gate:
    """Knows which process each node is.

    Attributes:
        processes: by the nodes' ids; that which has activated the node last.

    """

    def __init__(self) -> None:
        self.processes: dict[int, str] = {}
        self._told: set[int] = set()  # nodes of which it was said that there are two

    def problem(self, request: Any, key: bytes, process: str) -> str:
        """Return what is wrong with a request; empty if nothing is.

        Args:
            request: to the Fleet API; the node's id in it is that of the key, unless it asks for a node by a key.
            key: public key by which the request is signed.
            process: that it comes from.

        """
        if hasattr(request, "public_key"):
            return "" if request.public_key == key else "The request is signed by another key than it is for."
        node = request.node.node_id if hasattr(request, "node") else request.node_id
        if self.processes.get(node, process) != process:
            if node not in self._told:
                logging.getLogger("flwr").warning("Two processes have the key of node %s; the later one stays.", node)
            self._told.add(node)
            return _TAKEN
        senders = {message.metadata.src_node_id for message in getattr(request, "messages_list", ())}
        return "" if senders <= {node} else "The reply is another node's."

    def wrap(self, handler: Any, key: bytes) -> Any:
        """Return a handler of gRPC's that answers what has no problem."""
        import grpc  # noqa: PLC0415 - loaded with Flower

        def answer(request: Any, context: Any) -> Any:
            process = str(dict(context.invocation_metadata()).get(HEADER, ""))
            problem = self.problem(request, key, process)
            if problem:
                code = grpc.StatusCode.ABORTED if problem == _TAKEN else grpc.StatusCode.UNAUTHENTICATED
                context.abort(code, problem)
            response = handler.unary_unary(request, context)
            if hasattr(request, "heartbeat_interval") and hasattr(request, "public_key"):
                self.processes[response.node_id] = process
                self._told.discard(response.node_id)
            return response

        return grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def install() -> None:
    """Put a gate behind Flower's check of keys, in the SuperLink's process."""
    interceptor = inner("flwr.server.superlink.fleet.grpc_rere.node_auth_server_interceptor").NodeAuthServerInterceptor
    check, gate = interceptor._wrap_method_handler, Gate()  # noqa: SLF001 - inner names, hence `inner`
    interceptor._wrap_method_handler = lambda self, handler, key: check(self, gate.wrap(handler, key), key)  # noqa: SLF001


def introduce(process: str, taken: Callable[[], None]) -> None:
    """Let all requests of this process, which is a node or speaks for one, say which process it is.

    Args:
        process: its name.
        taken: called when another has taken its place.

    """
    import grpc  # noqa: PLC0415 - loaded with Flower

    interceptor = inner("flwr.client.grpc_rere_client.node_auth_client_interceptor").NodeAuthClientInterceptor
    sign = interceptor.intercept_unary_unary

    def intercept(self: Any, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        named = details._replace(metadata=[*(details.metadata or ()), (HEADER, process)])
        call = sign(self, continuation, named, request)
        if isinstance(call, grpc.RpcError) and call.code() == grpc.StatusCode.ABORTED and call.details() == _TAKEN:
            taken()
        return call

    interceptor.intercept_unary_unary = intercept

"""The stock SuperLink in this process."""

import logging
import sys
from collections.abc import Callable
from typing import Any

from oleander.engines.grpc import gate
from oleander.engines.grpc.fitness import inner
from oleander.engines.grpc.plan import Plan, Server
from oleander.engines.ports import HOST


def arguments(plan: Plan, server: Server, isolation: str) -> list[str]:
    """Return the command line of `flower-superlink`."""
    files = ("--ssl-ca-certfile", plan.ca, "--ssl-certfile", server.certificate, "--ssl-keyfile", server.key)
    return [
        "flower-superlink",
        *(files if server.certificate else ("--insecure",)),
        *(("--enable-supernode-auth",) if server.known else ()),
        *("--host", HOST, "--port", str(server.control)),
        *("--fleet-api-type", "grpc-rere", "--fleet-api-address", plan.fleet),
        *("--isolation", isolation, "--disable-runtime-dependency-installation"),
    ]


def main(plan: Plan, server: Server, registered: Callable[[int, int], None], met: Callable[[int, bool], None]) -> None:
    """Serve until this process is ended.

    Args:
        plan: the fleet.
        server: the server's part of it.
        registered: called with a participant whose key is let in, and the id of its node.
        met: called with the id of a node that has joined, and whether it is there; again when it has taken leave.

    """
    sys.argv = arguments(plan, server, "process")
    # Each message takes several requests: the log is for those that failed.
    logging.getLogger("uvicorn.access").addFilter(_failed)
    gate.install({key.encode("ascii"): int(client) for client, key in server.known.items()})
    _come_back(met)
    _let_in(server.known, registered)
    inner("flwr.superlink.cli").flower_superlink()


def _failed(record: logging.LogRecord) -> bool:
    """Return whether a line of uvicorn's access log, whose last argument is the HTTP status, is of a failed request."""
    status = record.args[-1] if isinstance(record.args, tuple) and record.args else None
    return not isinstance(status, int) or status >= 400  # noqa: PLR2004 - HTTP


def _let_in(known: dict[str, str], registered: Callable[[int, int], None]) -> None:
    """Register the participants' keys as soon as there is a place for them, before anybody can knock."""
    state_class = inner("flwr.server.superlink.linkstate.in_memory_linkstate").InMemoryLinkState
    constants = inner("flwr.common.constant")
    make = state_class.__init__

    def register(self: Any, *arguments: Any, **options: Any) -> None:
        make(self, *arguments, **options)
        for client, key in known.items():
            owner = (constants.NOOP_FLWR_AID, constants.NOOP_ACCOUNT_NAME)
            registered(int(client), self.create_node(*owner, key.encode("ascii"), 0, name=f"client-{client}"))

    state_class.__init__ = register


def _come_back(met: Callable[[int, bool], None]) -> None:
    """Let a node that was cut off or killed come back, and lose as little as can be.

    - Flower lets it in again only when its heartbeats have been missing for a minute; here it may come back at once.
    - Flower hands a reply to the ServerApp while its tensors are still on the way, which then wait in vain for a node
      that is cut off, and which finds its question gone when it tries again. Here a reply counts when it is complete.
    - A node asks for a message only when it has none at hand. What it was given before and has not answered then is
      lost, and Flower waits for it until the round's time is up; here an error takes the place of the reply.
    """
    state_class = inner("flwr.server.superlink.linkstate.in_memory_linkstate").InMemoryLinkState
    give, take = state_class.get_message_ins, state_class.get_message_res
    activate, deactivate = state_class.activate_node, state_class.deactivate_node

    def uploading(self: Any, name: str) -> bool:
        reply = self.message_ins_id_to_message_res_id.get(name)
        return reply in self._object_push_session_by_root  # an entry for as long as something is missing

    def get_message_ins(self: Any, node_id: int, *arguments: Any, **options: Any) -> Any:
        with self.lock:
            for name, message in self.message_ins_store.items():
                given = message.metadata.dst_node_id == node_id and message.metadata.delivered_at
                if given and (name not in self.message_ins_id_to_message_res_id or uploading(self, name)):
                    message.metadata.ttl = 0.0
        return give(self, node_id, *arguments, **options)

    def get_message_res(self: Any, message_ids: set[str], run_id: int) -> Any:
        with self.lock:
            known = {name for name in message_ids if name in self.message_ins_store}
            online = set(self.get_nodes(run_id))
            wait = {name for name in known if self.message_ins_store[name].metadata.dst_node_id in online}
            return take(self, message_ids - {name for name in wait if uploading(self, name)}, run_id)

    def activate_node(self: Any, node_id: int, heartbeat_interval: float) -> bool:
        with self.lock:
            deactivate(self, node_id)
            there = bool(activate(self, node_id, heartbeat_interval))
            met(node_id, there)
        return there

    def deactivate_node(self: Any, node_id: int) -> bool:
        with self.lock:
            met(node_id, False)  # noqa: FBT003 - not there any more
            return bool(deactivate(self, node_id))

    state_class.get_message_ins, state_class.get_message_res = get_message_ins, get_message_res
    state_class.activate_node, state_class.deactivate_node = activate_node, deactivate_node

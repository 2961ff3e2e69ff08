"""Which node is which participant: every node is asked once, with a query message."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flwr.app import ConfigRecord, Message, MessageType, RecordDict
from flwr.serverapp import Grid

QUERY_TIMEOUT = 120.0
POLL = 0.05


@dataclass(frozen=True, kw_only=True)
class Node:
    """What a node says of itself.

    Attributes:
        client: the participant's id (Flower's partition-id).
        node_id: Flower's id of the node.
        device: that it trains on, `cpu` or `cuda`.

    """

    client: int
    node_id: int
    device: str


class RollCall:
    """Knows the participants by their nodes.

    Args:
        clients: participants that the federation waits for before its first round.
        timeout: seconds that it waits.
        registered: whom a node's key stands for, by the node's id; None where nodes have no keys of their own.

    """

    def __init__(self, clients: int, timeout: float = 120.0, registered: Mapping[int, int] | None = None) -> None:
        self.clients, self.timeout, self.registered = clients, timeout, registered or {}
        self.nodes: dict[int, Node] = {}
        self.refused: dict[int, dict[str, Any]] = {}
        self._online: set[int] = set()

    def update(self, grid: Grid) -> None:
        """Ask new nodes who they are; the first call waits for all participants, at most `timeout` seconds."""
        if not self.nodes:
            deadline = time.monotonic() + self.timeout
            while len(list(grid.get_node_ids())) < self.clients and time.monotonic() < deadline:
                time.sleep(POLL)
        self._online = set(grid.get_node_ids())
        new = sorted(self._online - set(self.nodes) - set(self.refused))
        queries = [Message(RecordDict({"config": self._question(node)}), node, MessageType.QUERY) for node in new]
        replies = list(grid.send_and_receive(queries, timeout=QUERY_TIMEOUT)) if queries else []
        for reply in sorted(replies, key=lambda reply: reply.metadata.src_node_id):
            if not reply.has_error():
                self._enter(reply)

    def present(self) -> list[Node]:
        """Return the known nodes that are connected, in the order of the participants' ids."""
        return sorted((self.nodes[node] for node in self._online & set(self.nodes)), key=lambda node: node.client)

    def failures(self) -> list[dict[str, Any]]:
        """Return who is missing, and which connected nodes are not taken for who they say they are."""
        present = {node.client for node in self.present()}
        missing = [client for client in range(self.clients) if client not in present]
        refused = [refusal for node, refusal in self.refused.items() if node in self._online]
        return [*({"client": client, "reason": "not connected"} for client in missing), *refused]

    def _question(self, node: int) -> ConfigRecord:
        """Return what a node is asked: whether it is the participant whose key it has."""
        return ConfigRecord({"partition-id": self.registered[node]} if node in self.registered else {})

    def _enter(self, reply: Message) -> None:
        """Enter a node's answer; the first connected node that names an id keeps it."""
        node = reply.metadata.src_node_id
        answer = dict(reply.content.config_records.get("config", {}))
        client = answer.get("partition-id")
        holder = next((one.node_id for one in self.present() if one.client == client), None)
        if not isinstance(client, int) or client not in range(self.clients):
            reason = f"node {node} is none of the participants 0 to {self.clients - 1}: it says {client!r}"
            self.refused[node] = {"client": client, "reason": reason}
        elif self.registered.get(node, client) != client:
            reason = f"node {node} claims that id with the key of client {self.registered[node]}"
            self.refused[node] = {"client": client, "reason": reason}
        elif holder is not None:
            self.refused[node] = {"client": client, "reason": f"node {node} claims an id that node {holder} has"}
        else:
            self.nodes[node] = Node(client=client, node_id=node, device=str(answer.get("device", "unknown")))

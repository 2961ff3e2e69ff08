"""Which node is which participant: every node is asked once, with a query message."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flwr.app import ConfigRecord, Message, MessageType, RecordDict
from flwr.serverapp import Grid

from task.strangers import printable

QUERY_TIMEOUT = 120.0
LATE_TIMEOUT = 20.0
"""Seconds that answers are waited for: as long as nobody is known, and afterwards, when a round waits for it."""
POLL = 0.05
LONGEST_NAME = 40


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

    A node that does not answer is asked again after two rounds, then after four more, eight more and so on.

    Args:
        clients: participants that the federation waits for before its first round.
        timeout: seconds that it waits.
        registered: whom a node's key stands for, by the node's id; None where nodes have no keys of their own.
        parts: fingerprints of what participants do in the server's scenario; whoever has another is not let in.

    """

    def __init__(
        self,
        clients: int,
        timeout: float = 120.0,
        registered: Mapping[int, int] | None = None,
        parts: Mapping[int, str] | None = None,
    ) -> None:
        self.clients, self.timeout, self.registered, self.parts = clients, timeout, registered or {}, parts or {}
        self.nodes: dict[int, Node] = {}
        self._node_of: dict[int, int] = {}  # the last one that was a client's
        self.refused: dict[int, dict[str, Any]] = {}
        self._online: set[int] = set()
        self._holders: dict[int, int] = {}  # the node that has the id which a refused one claims
        self._calls = 0
        self._silences: dict[int, int] = {}  # questions in a row that a node has not answered
        self._due: dict[int, int] = {}  # the call in which it is asked again

    def update(self, grid: Grid) -> None:
        """Ask new nodes who they are; the first call waits for all participants, at most `timeout` seconds."""
        first = not self.nodes
        if first:
            deadline = time.monotonic() + self.timeout
            while len(list(grid.get_node_ids())) < self.clients and time.monotonic() < deadline:
                time.sleep(POLL)
        self._look(set(grid.get_node_ids()))
        self._calls += 1
        unknown = self._online - set(self.nodes) - set(self.refused)
        asked = [node for node in sorted(unknown) if self._due.get(node, 0) <= self._calls]
        if not asked:
            return
        queries = [Message(RecordDict({"config": self._question(node)}), node, MessageType.QUERY) for node in asked]
        replies = list(grid.send_and_receive(queries, timeout=QUERY_TIMEOUT if first else LATE_TIMEOUT))
        for reply in sorted(replies, key=lambda reply: reply.metadata.src_node_id):
            if not reply.has_error():
                self._enter(reply)
        answered = {reply.metadata.src_node_id for reply in replies}
        for node in asked:
            if node in answered:
                self._silences.pop(node, None)
            else:
                self._silences[node] = self._silences.get(node, 0) + 1
                self._due[node] = self._calls + 2 ** self._silences[node]

    def present(self) -> list[Node]:
        """Return the known nodes that are connected, in the order of the participants' ids."""
        return sorted((self.nodes[node] for node in self._online & set(self.nodes)), key=lambda node: node.client)

    def failures(self) -> list[dict[str, Any]]:
        """Return who is missing, and which connected nodes are not taken for who they say they are."""
        present = {node.client for node in self.present()}
        silent = {self.registered.get(node): node for node in self._silences}
        missing = [client for client in range(self.clients) if client not in present]
        why = {client: f"node {silent[client]} does not answer who it is" for client in missing if client in silent}
        refused = [refusal for node, refusal in self.refused.items() if node in self._online]
        return [*({"client": client, "reason": why.get(client, "not connected")} for client in missing), *refused]

    def _look(self, online: set[int]) -> None:
        """Take note of who is connected; whoever claims the id of a node that has gone may be asked again."""
        self._online = online
        for node in [node for node, holder in self._holders.items() if holder not in online or node not in online]:
            del self.refused[node], self._holders[node]
        for node in set(self._silences) - online:
            del self._silences[node]
            del self._due[node]

    def _question(self, node: int) -> ConfigRecord:
        """Return what a node is asked: whether it is the participant whose key it has, and does what that one does."""
        client = self.registered.get(node)
        if client is None:
            return ConfigRecord({})
        return ConfigRecord({"partition-id": client, **({"part": self.parts[client]} if client in self.parts else {})})

    def _enter(self, reply: Message) -> None:
        """Enter a node's answer; the first connected node that names an id keeps it."""
        node = reply.metadata.src_node_id
        answer = dict(reply.content.config_records.get("config", {}))
        client = answer.get("partition-id")
        if type(client) is not int or client not in range(self.clients):
            says = printable(repr(client), LONGEST_NAME)
            reason = f"node {node} is none of the participants 0 to {self.clients - 1}: it says {says}"
            self._refuse(node, client if type(client) is int else self.registered.get(node), reason)
            return
        before = self._node_of.get(client)
        holder = before if before in self._online else None
        if self.registered.get(node, client) != client:
            self._refuse(node, client, f"node {node} claims that id with the key of client {self.registered[node]}")
        elif answer.get("part") != self.parts.get(client, answer.get("part")):
            self._refuse(node, client, f"node {node} has another scenario, or other settings of its own in it")
        elif holder is not None:
            self._refuse(node, client, f"node {node} claims an id that node {holder} has")
            self._holders[node] = holder
        else:
            if before is not None:
                self.nodes.pop(before, None)
            device = printable(str(answer.get("device", "unknown")), LONGEST_NAME)
            self.nodes[node], self._node_of[client] = Node(client=client, node_id=node, device=device), node

    def _refuse(self, node: int, client: int | None, reason: str) -> None:
        """Do not take a node for whom it says it is."""
        self.refused[node] = {"client": client, "reason": reason}

"""Which node is which participant: every node is asked once, with a query message."""

import time
from dataclasses import dataclass

from flwr.app import ConfigRecord, Message, MessageType, RecordDict
from flwr.serverapp import Grid

JOIN_TIMEOUT = 120.0
QUERY_TIMEOUT = 120.0
POLL = 0.05


@dataclass(frozen=True, kw_only=True)
class Node:
    """What a node says of itself.

    Attributes:
        client: the participant's id (Flower's partition-id).
        node_id: Flower's id of the node.
        device: that it trains on, `cpu` or `cuda:N`.

    """

    client: int
    node_id: int
    device: str


class RollCall:
    """Knows the participants by their nodes.

    Args:
        clients: participants that the federation waits for before its first round.

    """

    def __init__(self, clients: int) -> None:
        self.clients = clients
        self.nodes: dict[int, Node] = {}
        self._online: set[int] = set()

    def update(self, grid: Grid) -> None:
        """Ask new nodes who they are; the first call waits for all participants, at most JOIN_TIMEOUT seconds."""
        if not self.nodes:
            deadline = time.monotonic() + JOIN_TIMEOUT
            while len(list(grid.get_node_ids())) < self.clients and time.monotonic() < deadline:
                time.sleep(POLL)
        self._online = set(grid.get_node_ids())
        new = sorted(self._online - set(self.nodes))
        queries = [Message(RecordDict({"config": ConfigRecord()}), node, MessageType.QUERY) for node in new]
        for reply in grid.send_and_receive(queries, timeout=QUERY_TIMEOUT) if queries else ():
            if not reply.has_error():
                answer = reply.content.config_records["config"]
                node, client, device = reply.metadata.src_node_id, answer["partition-id"], answer["device"]
                self.nodes[node] = Node(client=int(str(client)), node_id=node, device=str(device))

    def absent(self) -> list[int]:
        """Return the participants that are not connected, by the last update."""
        present = {known.client for node, known in self.nodes.items() if node in self._online}
        return [client for client in range(self.clients) if client not in present]

"""Replies and grids for tests of strategies, without a federation around them."""

from typing import Any

import numpy as np
from flwr.app import Array, ArrayRecord, Error, Message, MessageType, MetricRecord, RecordDict
from flwr.supercore.task_identity import TaskIdentity

from strategies.roll_call import Node, RollCall


def take_identity() -> None:
    """Give messages the identity that a running Flower app has."""
    TaskIdentity.run_id = TaskIdentity.node_id = TaskIdentity.task_id = 1


def reply_from(client: int, arrays: dict[str, Any] | None = None, **metrics: Any) -> Message:
    """Return the reply of a client, on node 100 + client; the update is [client, 1] unless given."""
    sent = Message(RecordDict({}), 100 + client, MessageType.TRAIN)
    sent.metadata.__dict__["_message_id"] = str(client)
    values = arrays if arrays is not None else {"w": np.array([client, 1.0], dtype=np.float32)}
    content = RecordDict(
        {
            "arrays": ArrayRecord({name: Array(value) for name, value in values.items()}),
            "metrics": MetricRecord({"num-examples": 1, "loss": 0.0, "seconds": 0.1} | metrics),
        }
    )
    reply = Message(content, reply_to=sent)
    reply.metadata.__dict__["_src_node_id"] = 100 + client
    return reply


def failed(client: int) -> Message:
    """Return an error reply of a client."""
    sent = Message(RecordDict({}), 100 + client, MessageType.TRAIN)
    sent.metadata.__dict__["_message_id"] = str(client)
    reply = Message(Error(code=2, reason="out of memory"), reply_to=sent)
    reply.metadata.__dict__["_src_node_id"] = 100 + client
    return reply


def known_roll_call(clients: int) -> RollCall:
    """Return a roll call that knows the clients on nodes 100 + client."""
    roll_call = RollCall(clients)
    roll_call.nodes = {100 + one: Node(client=one, node_id=100 + one, device="cpu") for one in range(clients)}
    return roll_call


class KnownGrid:
    """As much of a Grid as a strategy needs to choose nodes."""

    def __init__(self, nodes: list[int]) -> None:
        """Connect these nodes."""
        self.nodes = nodes

    def get_node_ids(self) -> list[int]:
        """Return the connected nodes."""
        return self.nodes

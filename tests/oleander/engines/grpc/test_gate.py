"""What the SuperLink refuses though it is signed."""

import logging
from typing import Any

import pytest
from flwr.proto import fleet_pb2, heartbeat_pb2, message_pb2
from flwr.proto.node_pb2 import Node

from oleander.engines.grpc.gate import Gate

OURS, THEIRS = b"our public key", b"their public key"


@pytest.mark.parametrize(
    "request_of",
    [
        fleet_pb2.RegisterNodeFleetRequest,
        lambda public_key: fleet_pb2.ActivateNodeRequest(public_key=public_key, heartbeat_interval=1800),
    ],
)
def test_a_public_key_alone_lets_nobody_in(request_of: Any) -> None:
    """A node is registered and activated by who has signed with its key."""
    assert Gate().problem(request_of(public_key=OURS), OURS, "") == ""
    assert "another key" in Gate().problem(request_of(public_key=OURS), THEIRS, "")


def test_nobody_replies_for_another() -> None:
    """A reply's sender is the node that brings it."""

    def replies(*senders: int) -> fleet_pb2.PushMessagesRequest:
        messages = [message_pb2.Message(metadata=message_pb2.Metadata(src_node_id=sender)) for sender in senders]
        return fleet_pb2.PushMessagesRequest(node=Node(node_id=7), messages_list=messages)

    assert Gate().problem(replies(7), OURS, "") == ""
    assert "another node" in Gate().problem(replies(8), OURS, "")
    assert "another node" in Gate().problem(replies(7, 8), OURS, "")


def test_of_two_processes_with_one_key_the_later_is_the_node(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the earlier one asks is refused, its farewell, too; the server is warned once, and others are let be."""
    gate = Gate()
    node = Node(node_id=7)
    asked = [
        fleet_pb2.PullMessagesRequest(node=node),
        heartbeat_pb2.SendNodeHeartbeatRequest(node=node, heartbeat_interval=30),
        message_pb2.PushObjectRequest(node=node),
        fleet_pb2.DeactivateNodeRequest(node_id=7),
    ]
    assert [gate.problem(one, OURS, "first") for one in asked] == [""] * 4
    gate.processes[7] = "second"
    monkeypatch.setattr(logging.getLogger("flwr"), "propagate", True)
    with caplog.at_level(logging.WARNING):
        assert all("Another process" in gate.problem(one, OURS, "first") for one in asked)
    assert [gate.problem(one, OURS, "second") for one in asked] == [""] * 4
    assert gate.problem(fleet_pb2.PullMessagesRequest(node=Node(node_id=8)), THEIRS, "first") == ""
    assert [record.message for record in caplog.records] == [
        "Two processes have the key of node 7; the later one stays."
    ]

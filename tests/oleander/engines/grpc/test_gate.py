"""What the SuperLink refuses though it is signed."""

import contextlib
import logging
import time
from typing import Any

import grpc
import pytest
from flwr.proto import fleet_pb2, heartbeat_pb2, message_pb2
from flwr.proto.node_pb2 import Node

from oleander.engines.grpc.gate import HEADER, QUIET_SECONDS, TAKEN, Gate

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


@pytest.fixture
def seven() -> tuple[Gate, list[Any]]:
    """Return a gate through which a process, the first of a first line, is node 7, and what a node asks for."""
    gate, node = Gate(), Node(node_id=7)
    enter(gate, "first-1")
    return gate, [
        fleet_pb2.PullMessagesRequest(node=node),
        heartbeat_pb2.SendNodeHeartbeatRequest(node=node, heartbeat_interval=30),
        message_pb2.PushObjectRequest(node=node),
        fleet_pb2.DeactivateNodeRequest(node_id=7),
    ]


def enter(gate: Gate, process: str) -> str:
    """Have a process join with our key; return why it may not."""
    request = fleet_pb2.ActivateNodeRequest(public_key=OURS, heartbeat_interval=30)
    problem = gate.problem(request, OURS, process)
    if not problem:
        gate.enter(OURS, process, 7)
    return problem


def test_of_two_processes_with_one_key_the_first_is_the_node(
    seven: tuple[Gate, list[Any]], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other gets nothing, and cannot say goodbye for it; the server is warned once, and others are let be."""
    gate, asked = seven
    monkeypatch.setattr(logging.getLogger("flwr"), "propagate", True)
    with caplog.at_level(logging.WARNING):
        assert enter(gate, "second-1") == TAKEN
        assert [gate.problem(one, OURS, "second-1") for one in asked] == [TAKEN] * 4
    assert [gate.problem(one, OURS, "first-1") for one in asked] == [""] * 4
    assert gate.problem(fleet_pb2.PullMessagesRequest(node=Node(node_id=8)), THEIRS, "second-1") == ""
    assert [record.message for record in caplog.records] == [
        "Two processes have the key of node 7; the first one stays."
    ]


class AbortedError(Exception):
    """What gRPC's `abort` raises."""


class Caller:
    """A request's context.

    Args:
        process: that asks.

    """

    def __init__(self, process: str) -> None:
        self.process = process

    def invocation_metadata(self) -> list[tuple[str, str]]:
        """Return what comes with the request."""
        return [(HEADER, self.process)]

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        """Refuse it."""
        raise AbortedError(f"{code.name}: {details}")


@pytest.mark.parametrize("gone", ["", "it has gone"])
def test_the_other_may_come_when_the_first_has_taken_leave(gone: str) -> None:
    """Also if Flower has missed its heartbeats, and finds nobody who leaves. That the other leaves frees nothing."""

    def handle(request: Any, _: Any) -> Any:
        if request.DESCRIPTOR.name == "ActivateNodeRequest":
            return fleet_pb2.ActivateNodeResponse(node_id=7)
        if gone:
            raise ValueError(gone)
        return fleet_pb2.DeactivateNodeResponse()

    answer = Gate().wrap(grpc.unary_unary_rpc_method_handler(handle), OURS).unary_unary
    entering = fleet_pb2.ActivateNodeRequest(public_key=OURS, heartbeat_interval=30)
    leaving = fleet_pb2.DeactivateNodeRequest(node_id=7)
    assert answer(entering, Caller("first-1")).node_id == 7
    for request in (leaving, entering):
        with pytest.raises(AbortedError, match=f"ABORTED: {TAKEN}"):
            answer(request, Caller("second-1"))
    with pytest.raises(ValueError, match=gone) if gone else contextlib.nullcontext():
        answer(leaving, Caller("first-1"))
    assert answer(entering, Caller("second-1")).node_id == 7
    with pytest.raises(AbortedError):
        answer(entering, Caller("first-2"))


def test_a_key_of_another_participant_is_refused_at_once() -> None:
    """Whoever says for whom it asks is held to it; Flower's stock SuperNodes do not say."""
    gate = Gate({OURS: 1})
    request = fleet_pb2.ActivateNodeRequest(public_key=OURS, heartbeat_interval=30)
    assert gate.problem(request, OURS, "line-start-2") == "That is the key of client 1."
    assert gate.problem(request, OURS, "line-start-1") == ""
    assert gate.problem(request, OURS, "") == ""


def test_the_other_may_come_when_the_first_is_silent(
    seven: tuple[Gate, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it asks for is a sign of life, but not what others ask; when it is back, the place is the other's."""
    gate, asked = seven
    now = time.monotonic()

    def after(seconds: float) -> None:
        monkeypatch.setattr(time, "monotonic", lambda: now + seconds)

    after(QUIET_SECONDS - 1)
    assert gate.problem(asked[1], OURS, "first-1") == ""
    after(2 * QUIET_SECONDS - 2)
    assert enter(gate, "second-1") == TAKEN
    after(2 * QUIET_SECONDS)
    assert enter(gate, "second-1") == ""
    assert [gate.problem(one, OURS, "first-1") for one in asked] == [TAKEN] * 4
    assert [gate.problem(one, OURS, "second-1") for one in asked] == [""] * 4


def test_a_line_takes_the_place_of_its_own_earlier_start(seven: tuple[Gate, list[Any]]) -> None:
    """A SuperNode that was killed is started anew, and need not wait for its own silence."""
    gate, asked = seven
    assert enter(gate, "first-2") == ""
    assert [gate.problem(one, OURS, "first-1") for one in asked] == [TAKEN] * 4

"""A worker that dies at any moment of its reply costs the SuperNode that reply, and never its time."""

from collections.abc import Callable
from typing import Any

import pytest
from flwr.app import Message, MessageType, RecordDict
from flwr.supercore.inflatable.inflatable_object import get_all_nested_objects, get_object_tree
from flwr.supercore.object_store import ObjectStoreFactory
from flwr.supercore.run import Run
from flwr.supernode import start_client_internal as loop
from flwr.supernode.nodestate.in_memory_nodestate import InMemoryNodeState
from messages import reply_from, take_identity

from oleander.engines.grpc.supernode import DIED, NodeBells, NodeClock


class Node:
    """What of a SuperNode a reply goes through: Flower's own, with our clock.

    Attributes:
        sent: the replies that went out whole.
        given_up: those that were begun only.

    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Start without a message."""
        take_identity()
        self.store = ObjectStoreFactory().store()
        self.state = InMemoryNodeState(self.store)
        self.state.store_run(Run.create_empty(1))
        self.bells = NodeBells()
        self.clock = NodeClock(self.bells, poll=0.1)
        self.sent: list[Message] = []
        self.given_up: list[Message] = []
        self._meanwhile: list[Callable[[], object]] = []
        monkeypatch.setattr(loop, "time", self)

    def sleep(self, seconds: float) -> None:
        """Where Flower would sleep, the next thing happens, and the clock goes on; it must not wait for nothing."""
        assert self._meanwhile, "the SuperNode waits for what will never come"
        self._meanwhile.pop(0)()
        self.clock.sleep(seconds)

    def ask(self) -> Message:
        """Take a message from the SuperLink."""
        message = Message(RecordDict({}), 101, MessageType.TRAIN)
        message.metadata.__dict__["_message_id"] = message.object_id
        self.state.store_message(message)
        return message

    def reply(self, to: Message, *, whole: bool) -> Message:
        """Do as a worker: name the parts of a reply, and upload them if it is to be whole."""
        self.state.get_messages(is_reply=False)
        reply = Message(reply_from(1).content, reply_to=to)
        reply.metadata.__dict__["_message_id"] = reply.object_id
        self.store.preregister(1, get_object_tree(reply))
        self.state.store_message(reply)
        for name, one in get_all_nested_objects(reply).items():
            if whole or name == reply.object_id:
                self.store.put(name, one.deflate())
        return reply

    def die(self) -> None:
        """The worker's parent says that it has died."""
        self.bells.reply.ring(DIED)

    def answer(self, *meanwhile: Callable[[], object]) -> None:
        """Send the reply to the message at hand, while this happens."""
        self._meanwhile = list(meanwhile)
        self.clock.begin(self.state)
        begun: list[Message] = []
        arrived: set[str] = set()

        def send(message: Message, tree: Any, _: float) -> tuple[set[str], str]:
            begun.append(message)
            return {one.object_id for one in loop.iterate_object_tree(tree)}, ""

        def push(_run: int, _session: str, name: str, _content: bytes) -> None:
            arrived.update(name.split(","))

        loop._push_messages(self.state, self.store, send, push)  # noqa: SLF001 - what a SuperNode runs
        for message in begun:
            (self.sent if set(get_all_nested_objects(message)) <= arrived else self.given_up).append(message)


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Node:
    """Return a SuperNode without a message."""
    return Node(monkeypatch)


def nothing() -> None:
    """Let time pass."""


def test_a_reply_is_sent(node: Node) -> None:
    """A worker that lives: its reply goes out when it is there, and is waited for while it is uploaded."""
    asked = node.ask()
    parts: list[Message] = []

    def finish() -> None:
        for name, one in get_all_nested_objects(parts[0]).items():
            node.store.put(name, one.deflate())

    node.answer(nothing, lambda: parts.append(node.reply(asked, whole=False)), finish)
    assert [one.has_error() for one in node.sent] == [False]


def test_a_worker_that_dies_before_its_reply_is_answered_for_at_once(node: Node) -> None:
    """Whether it had taken the message or not."""
    for take in (True, False):
        node.ask()
        node.answer(*([lambda: node.state.get_messages(is_reply=False)] if take else []), node.die)
    assert [one.error.reason for one in node.sent] == ["ClientApp stopped responding."] * 2
    assert not node.state.msg_store


def test_a_worker_that_dies_while_it_uploads_loses_that_reply_only(node: Node) -> None:
    """Half a reply is there, and its sender dead: nothing of it is waited for, and the next message is answered."""
    asked = node.ask()
    node.answer(lambda: node.reply(asked, whole=False), node.die)
    assert (len(node.given_up), node.sent) == (1, [])
    after = node.ask()
    node.answer(lambda: node.reply(after, whole=True))
    assert [one.metadata.reply_to_message_id for one in node.sent] == [after.metadata.message_id]


def test_a_request_that_outlives_its_sender_holds_nobody_up(node: Node) -> None:
    """The death is known first, and then the beginning of a reply comes: before an error took its place, or after."""
    asked = node.ask()
    set_error = node.state._store_error_replies  # noqa: SLF001

    def late(*arguments: Any) -> None:
        node.reply(asked, whole=False)
        set_error(*arguments)

    node.state._store_error_replies = late  # type: ignore[method-assign]  # noqa: SLF001
    node.answer(node.die, nothing)
    assert (len(node.given_up), node.sent) == (1, [])

    node.state._store_error_replies = set_error  # type: ignore[method-assign]  # noqa: SLF001
    asked = node.ask()
    node.answer(node.die)
    assert [one.has_error() for one in node.sent] == [True]
    node.reply(asked, whole=False)  # of a message that is answered
    after = node.ask()
    node.answer(lambda: node.reply(after, whole=True))
    assert [one.metadata.reply_to_message_id for one in node.sent[1:]] == [after.metadata.message_id]
    assert len(node.given_up) == 1

"""The roll call: who is taken for whom, who is asked again, and what a stranger may say."""

import json
from typing import Any

import pytest
from flwr.app import ConfigRecord, Message, MessageType, RecordDict
from messages import KnownGrid, take_identity

from strategies.roll_call import LATE_TIMEOUT, QUERY_TIMEOUT, RollCall


@pytest.fixture(autouse=True)
def identity() -> None:
    """Give messages the identity that a running Flower app has."""
    take_identity()


def answer_of(node: int, client: Any, device: str = "cpu") -> Message:
    """Return what a node answers that says it is a client."""
    sent = Message(RecordDict({}), node, MessageType.QUERY)
    sent.metadata.__dict__["_message_id"] = str(node)
    answer = Message(RecordDict({"config": ConfigRecord({"partition-id": client, "device": device})}), reply_to=sent)
    answer.metadata.__dict__["_src_node_id"] = node
    return answer


class AnsweringGrid(KnownGrid):
    """Nodes that say who they are, or nothing; notes who was asked, and how long it would have waited."""

    def __init__(self, **clients: int) -> None:
        """Connect nodes `node_1=0` and so on, by the clients that they say to be."""
        self.says = {int(name.removeprefix("node_")): client for name, client in clients.items()}
        super().__init__(list(self.says))
        self.asked: list[tuple[list[int], float]] = []

    def send_and_receive(self, messages: list[Message], *, timeout: float) -> list[Message]:
        """Answer for those who do."""
        nodes = [message.metadata.dst_node_id for message in messages]
        self.asked.append((nodes, timeout))
        return [answer_of(node, self.says[node]) for node in nodes if node in self.says]


def test_a_second_node_of_the_same_name_is_refused() -> None:
    """The first keeps the id; the second is on record, and its update is not taken."""
    roll_call = RollCall(2)
    roll_call._online = {1, 2, 3}  # noqa: SLF001 - as after asking the grid
    for node, client in ((1, 0), (2, 0), (3, 7)):
        roll_call._enter(answer_of(node, client))  # noqa: SLF001
    assert [node.node_id for node in roll_call.present()] == [1]
    reasons = [failure["reason"] for failure in roll_call.failures()]
    assert reasons[0] == "not connected"
    assert "claims an id that node 1 has" in reasons[1]
    assert "none of the participants 0 to 1" in reasons[2]


def test_a_node_is_who_its_key_says() -> None:
    """It is asked under the name that its key stands for, and another that it gives is refused, on record."""
    roll_call = RollCall(2, registered={1: 0, 2: 1})
    roll_call._online = {1, 2}  # noqa: SLF001 - as after asking the grid
    assert [dict(roll_call._question(node)) for node in (1, 2, 3)] == [{"partition-id": 0}, {"partition-id": 1}, {}]  # noqa: SLF001
    for node in (1, 2):
        roll_call._enter(answer_of(node, 1))  # noqa: SLF001
    assert [(node.node_id, node.client) for node in roll_call.present()] == [(2, 1)]
    reasons = [failure["reason"] for failure in roll_call.failures()]
    assert reasons == ["not connected", "node 1 claims that id with the key of client 0"]


@pytest.mark.parametrize("registered", [{1: 0, 2: 1}, {}])
def test_who_does_something_else_than_the_server_s_scenario_says_takes_no_part(registered: dict[int, int]) -> None:
    """With keys it is told what is wanted of it, and ends by itself; what it answers counts with and without."""
    roll_call = RollCall(2, registered=registered, parts={0: "honest", 1: "a thief"})
    roll_call._online = {1, 2}  # noqa: SLF001 - as after asking the grid
    asked = dict(roll_call._question(1))  # noqa: SLF001
    assert asked == ({"partition-id": 0, "part": "honest"} if registered else {})
    for node, client, part in ((1, 0, "a thief"), (2, 1, "a thief")):
        answer = answer_of(node, client)
        answer.content["config"]["part"] = part
        roll_call._enter(answer)  # noqa: SLF001
    assert [(node.node_id, node.client) for node in roll_call.present()] == [(2, 1)]
    reasons = [failure["reason"] for failure in roll_call.failures()]
    assert reasons == ["not connected", "node 1 has another scenario, or other settings of its own in it"]


def test_a_node_may_take_the_place_of_one_that_has_gone() -> None:
    """It is refused as long as the other is connected, and asked again afterwards; the other has to ask, too, then."""
    grid, roll_call = AnsweringGrid(node_1=0), RollCall(1)
    roll_call.update(grid)  # type: ignore[arg-type]  # as much as it uses
    grid.says[2] = 0
    held = []
    for nodes in ([1, 2], [1, 2], [2], [1, 2]):
        grid.nodes = nodes
        roll_call.update(grid)  # type: ignore[arg-type]
        held.append([node.node_id for node in roll_call.present()])
    assert held == [[1], [1], [2], [2]]
    assert [nodes for nodes, _ in grid.asked] == [[1], [2], [2], [1]]
    assert roll_call.failures() == [{"client": 0, "reason": "node 1 claims an id that node 2 has"}]


def test_a_node_that_does_not_answer_is_asked_ever_more_seldom() -> None:
    """In the calls 1, 3, 7 and 15 of 20; only the first of them may take two minutes. It is named, where its key is."""
    grid, roll_call = AnsweringGrid(node_1=0), RollCall(2, registered={1: 0, 2: 1})
    grid.nodes = [1, 2]
    calls = []
    for call in range(1, 21):
        before = len(grid.asked)
        roll_call.update(grid)  # type: ignore[arg-type]
        calls += [call] * (len(grid.asked) - before)
        assert roll_call.failures() == [{"client": 1, "reason": "node 2 does not answer who it is"}]
    assert calls == [1, 3, 7, 15]
    assert [seconds for _, seconds in grid.asked] == [QUERY_TIMEOUT] + [LATE_TIMEOUT] * 3
    grid.nodes = [1]
    roll_call.update(grid)  # type: ignore[arg-type]
    assert roll_call.failures() == [{"client": 1, "reason": "not connected"}]
    grid.nodes, grid.says[2] = [1, 2], 1  # it comes back, and is asked at once
    roll_call.update(grid)  # type: ignore[arg-type]
    assert [node.client for node in roll_call.present()] == [0, 1]


@pytest.mark.parametrize("said", [b"0" * 5000, "\x1b[2J" * 5000, 0.0, True, [0], -1, None])
def test_whatever_a_node_says_it_is_can_be_written_down(said: Any) -> None:
    """Only a whole number names a participant; the rest is refused in words that are short, plain and fit for JSON."""
    roll_call = RollCall(2, registered={1: 1})
    answer = answer_of(1, 0)
    if said is None:
        del answer.content.config_records["config"]
    else:
        answer.content.config_records["config"]["partition-id"] = said
    roll_call._online = {1}  # noqa: SLF001 - as after asking the grid
    roll_call._enter(answer)  # noqa: SLF001
    assert roll_call.present() == []
    *_, refusal = json.loads(json.dumps(roll_call.failures()))
    assert refusal["client"] == (-1 if said == -1 else 1)
    assert refusal["reason"].startswith("node 1 is none of the participants 0 to 1: it says ")
    assert len(refusal["reason"]) < 100
    assert refusal["reason"].isprintable()


def test_what_a_node_calls_its_device_is_short_and_plain() -> None:
    """It is shown on the server's terminal and kept in environment.json."""
    roll_call = RollCall(1)
    roll_call._online = {1}  # noqa: SLF001 - as after asking the grid
    roll_call._enter(answer_of(1, 0, device="cpu\x1b[2J" + "x" * 5000))  # noqa: SLF001
    (node,) = roll_call.present()
    assert node.device == "cpu [2J" + "x" * 33

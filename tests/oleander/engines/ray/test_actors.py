"""Actors that answer many virtual clients at a call: one that dies costs nobody but the client that killed it.

They are on a cluster of two nodes with a core each; after the last test, it is one node.
"""

import gc
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import ray
from deployments import LONG, NEEDS_LONG
from flwr.app import ConfigRecord, Context, Message, MessageType, RecordDict
from flwr.clientapp import ClientApp
from flwr.supercore.task_identity import TaskIdentity
from ray.cluster_utils import Cluster

from oleander.engines.ray.actors import Answer, BatchBackend

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore"),  # of files that Ray does not close, and of its own future
]


def load() -> ClientApp:
    """Return an app that does what its message says, and counts its messages."""
    app = ClientApp()

    @app.train()
    def train(message: Message, context: Context) -> Message:
        order = message.content.config_records.pop("order")  # from a copy of its own
        if context.node_config["partition-id"] == order["who"]:
            {"die": lambda: os._exit(1), "hang": lambda: time.sleep(60), "fail": lambda: 1 / 0}[str(order["what"])]()
        count = int(str(context.state.config_records.get("count", {}).get("messages", 0))) + 1
        context.state["count"] = ConfigRecord({"messages": count})
        return Message(RecordDict({"count": ConfigRecord({"messages": count})}), reply_to=message)

    return app


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Two nodes; that one is lost is known after five seconds, not fifteen."""
    checks = {"_system_config": {"health_check_period_ms": 1000}}
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "num_gpus": 0, **checks})
    made.add_node(num_cpus=1, num_gpus=0)
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def backend(cluster: Cluster) -> Iterator[BatchBackend]:
    """Two actors, which wait for three seconds."""

    class Hasty(BatchBackend):
        patience = 3.0

    TaskIdentity.task_id, TaskIdentity.run_id, TaskIdentity.node_id = 1, 1, 1
    os.environ.pop("RAY_ADDRESS", None)
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # an actor's process does not find the tests
    there = {"address": cluster.address, "log_to_driver": False}
    made = Hasty({"init_args": there, "client_resources": {"num_cpus": 1, "num_gpus": 0.0}})
    made.build(load)
    yield made
    made.terminate()
    gc.collect()  # here, where they are not minded: the files


def jobs(what: str, count: int = 6) -> list[tuple[Message, Context]]:
    """Return a message for each of some clients with one content, which tells client 2 what to do."""
    content = RecordDict({"order": ConfigRecord({"who": 2, "what": what})})
    made = []
    for client in range(count):
        message = Message(content, dst_node_id=client + 10, message_type=MessageType.TRAIN)
        message.metadata.__dict__["_message_id"] = str(client)
        node = {"partition-id": client, "num-partitions": count}
        made.append((message, Context(1, client + 10, node, RecordDict(), {})))
    return made


def failed(asked: list[tuple[Message, Context]], answers: list[Answer]) -> list[int]:
    """Return the clients that have no reply; all others have their own."""
    missing = []
    for (message, context), answer in zip(asked, answers, strict=True):
        if answer.error is not None:
            missing.append(int(str(context.node_config["partition-id"])))
        else:
            assert answer.reply is not None
            assert answer.reply.metadata.src_node_id == message.metadata.dst_node_id
            assert answer.state is not None
            context.state = answer.state
    return missing


@pytest.mark.parametrize("what", ["nothing", "fail", "die"])
def test_all_others_are_answered(what: str, backend: BatchBackend) -> None:
    """Client 2 fails, or takes its process along; a second call finds actors again."""
    asked = jobs(what)
    if what == "nothing":
        asked = [job for job in asked if job[1].node_config["partition-id"] != 2]
    for _ in range(2):
        answers = backend.answer(asked)
        assert failed(asked, answers) == ([] if what == "nothing" else [2])
    counted = {answer.state["count"]["messages"] for answer in answers if answer.state is not None}
    assert counted == {2}


def test_whoever_was_in_the_same_actor_is_answered(backend: BatchBackend) -> None:
    """Calls of one message each, some of them beside the one that kills: they are asked again where that is not."""
    asked = jobs("die", 8)
    with ThreadPoolExecutor(backend.num_workers) as threads:
        for _ in range(2):
            answers = [answer for [answer] in threads.map(backend.answer, [[job] for job in asked])]
            assert failed(asked, answers) == [2]


@pytest.mark.skipif(not LONG, reason=NEEDS_LONG)
def test_a_call_that_hangs_is_given_up(backend: BatchBackend) -> None:
    """All of it, once; the next is answered."""
    assert failed(jobs("hang"), backend.answer(jobs("hang"))) == [0, 1, 2, 3, 4, 5]
    assert failed(jobs("fail"), backend.answer(jobs("fail"))) == [2]


def test_an_actor_that_ray_ends_for_want_of_memory_is_replaced(
    backend: BatchBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Ray raises then is no error of an actor's; whoever was asked is asked again."""
    get, before = ray.get, list(backend._actors)  # noqa: SLF001

    def exhausted(*arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr("oleander.engines.ray.actors.ray.get", get)
        get(*arguments, **named)
        raise ray.exceptions.OutOfMemoryError("")

    monkeypatch.setattr("oleander.engines.ray.actors.ray.get", exhausted)
    assert failed(jobs("nothing"), backend.answer(jobs("fail"))) == [2]
    assert len(set(before) - set(backend._actors)) == 1  # noqa: SLF001
    assert len(backend._actors) == len(before)  # noqa: SLF001


def test_the_nodes_that_are_left_answer_for_one_that_is_lost(backend: BatchBackend, cluster: Cluster) -> None:
    """Nobody waits for an actor that there is no room for, not even before Ray knows of it."""
    [lost] = cluster.worker_nodes
    cluster.remove_node(lost, allow_graceful=False)
    end = time.monotonic() + 60
    with ThreadPoolExecutor(backend.num_workers) as threads:
        while len(backend._actors) > 1:  # noqa: SLF001
            asked = [jobs("fail") for _ in range(8)]
            answers = threads.map(backend.answer, asked)
            assert [failed(*call) for call in zip(asked, answers, strict=True)] == [[2]] * 8
            assert time.monotonic() < end
    assert failed(jobs("die"), backend.answer(jobs("die"))) == [2]

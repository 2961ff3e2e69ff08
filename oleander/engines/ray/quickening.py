"""Flower's Simulation Runtime without its searches: for each client, stock looks through all messages.

Three of its functions, its backend and its pool of threads are replaced; the rest is stock, and so is what comes out,
byte for byte.
"""

import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from logging import ERROR
from queue import Empty, Queue
from typing import Any
from uuid import uuid4

from flwr.app import Context, Message
from flwr.app.error import Error
from flwr.clientapp.client_app import ClientAppException
from flwr.common.constant import ErrorCode
from flwr.compat.client import run_info_store
from flwr.server.superlink.fleet.vce import vce_api
from flwr.server.superlink.fleet.vce.backend import raybackend
from flwr.supercore import log
from flwr.supercore.date import now

from oleander.engines.ray.actors import Answer, BatchBackend

MOST = 64
"""Messages of a call, at most."""
CALL_SECONDS = 1.0
"""That a call should take, at most: the replies of a call come all at once."""
WAIT_SECONDS = 0.2
FULL_LOOK_SECONDS = 10.0
"""After which the server looks at messages without a reply, too."""


def install(patience: float) -> None:
    """Replace what is slow in this process; call it before the simulation is started.

    Args:
        patience: seconds after which a client that does not answer is given up.

    """
    load = "get_fused_config_from_dir"
    for module, name, ours in (
        (vce_api, "add_messages_to_queue", hand_over),
        (vce_api, "worker", work),
        # A thread for each worker, which are started as they are needed: stock's threads are as few as this machine's
        # cores ask for, whatever the cluster has, and no worker ends before the run does.
        (vce_api, "ThreadPoolExecutor", partial(ThreadPoolExecutor, sys.maxsize)),
        (run_info_store, load, _once(getattr(run_info_store, load))),
        (raybackend, "RayBackend", type("PatientBackend", (BatchBackend,), {"patience": patience})),
    ):
        setattr(module, name, ours)


def _once(load: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return a loader of the app's run config that reads its file once: stock does so for each client."""
    found: list[dict[str, Any]] = []

    def get(*arguments: Any) -> dict[str, Any]:
        if not found:
            found.append(load(*arguments))
        return found[0]

    return get


def hand_over(state: Any, queue: "Queue[Message]", nodes: Mapping[int, int], stop: threading.Event) -> None:
    """Put each message on the queue as it is stored; see Flower's `add_messages_to_queue`."""
    keep = state.store_message_ins

    def deliver(message: Message) -> None:
        if not message.metadata.delivered_at and message.metadata.dst_node_id in nodes:
            message.metadata.delivered_at = now().isoformat()
            queue.put(message)

    def store_message_ins(message: Message) -> str | None:
        number: str | None = keep(message)
        if number is not None:
            deliver(message)
        return number

    with state.lock:
        state.store_message_ins, state.get_message_res = store_message_ins, _ready(state)
        for message in list(state.message_ins_store.values()):
            deliver(message)
    stop.wait()


def _ready(state: Any) -> Callable[..., list[Message]]:
    """Return a look at the replies that leaves alone what has none yet: stock checks each message every time it looks.

    Every so often it looks at all, as stock does, for those whose time is up.
    """
    look, replied = state.get_message_res, state.message_ins_id_to_message_res_id
    full = time.monotonic()

    def get_message_res(message_ids: set[str], run_id: int) -> list[Message]:
        nonlocal full
        chosen = {name for name in message_ids if name in replied}
        if time.monotonic() > full + FULL_LOOK_SECONDS:
            full, chosen = time.monotonic(), message_ids
        return look(message_ids=chosen, run_id=run_id) if chosen else []

    return get_message_res


def work(  # noqa: PLR0917 - as Flower calls it
    incoming: "Queue[Message]",
    outgoing: "Queue[Message]",
    stores: Mapping[int, Any],
    backend: BatchBackend,
    stop: threading.Event,
    metrics: Any,
) -> None:
    """Let the backend answer messages, many at a call; see Flower's `worker`, of which several run as threads."""
    most = 1
    while not stop.is_set():
        messages = _take(incoming, most, backend.num_workers)
        contexts = [stores[one.metadata.dst_node_id].retrieve_context(run_id=one.metadata.run_id) for one in messages]
        jobs = list(zip(messages, contexts, strict=True))
        try:
            answers = backend.answer(jobs) if jobs else []
        except Exception as error:  # noqa: BLE001 - what breaks a call is told to the server, which waits for replies
            answers = [Answer(error=error)] * len(jobs)
        for (message, context), answer in zip(jobs, answers, strict=True):
            metrics.add_clientapp_runtime(answer.seconds)
            outgoing.put(_reply(message, context, answer))
        took = sum(answer.seconds for answer in answers)
        if took:
            most = max(1, min(MOST, int(CALL_SECONDS * len(answers) / took)))


def _take(queue: "Queue[Message]", most: int, workers: int) -> list[Message]:
    """Take messages for a call: this worker's share of what is there, so that none idles at the end of a round."""
    taken: list[Message] = []
    try:
        taken.append(queue.get(timeout=WAIT_SECONDS))
        for _ in range(min(most, 1 + queue.qsize() // workers) - 1):
            taken.append(queue.get_nowait())  # noqa: PERF401 - the queue may be empty sooner
    except Empty:
        pass
    return taken


def _reply(message: Message, context: Context, answer: Answer) -> Message:
    """Return the reply to a message, and keep the client's state; a failure is told as stock does."""
    if answer.reply is not None and answer.state is not None:
        reply, context.state = answer.reply, answer.state
    else:
        log(ERROR, answer.error)
        raised = isinstance(answer.error, ClientAppException)
        code = ErrorCode.CLIENT_APP_RAISED_EXCEPTION if raised else ErrorCode.UNKNOWN
        reason = f"{type(answer.error)}:<'{answer.error}'>"
        reply = Message(Error(code=code, reason=reason), reply_to=message)
    reply.metadata.__dict__["_message_id"] = str(uuid4())
    return reply

"""With this folder in PYTHONPATH, client 1 breaks one reply after the other, as `breaks` says for each round.

Python imports it before anything else; only tests/faults/test_clients.py sets the variable that switches it on.
"""

import os
import time
from collections.abc import Callable
from typing import Any


def install(timeout: float) -> None:
    """Break the replies from now on; the late one comes when the round's time has been up for a while."""
    import numpy as np  # noqa: PLC0415 - seconds, which only the fleet's program spends
    from flwr.app import Array, ArrayRecord, Context, Message, RecordDict  # noqa: PLC0415
    from flwr.clientapp import ClientApp  # noqa: PLC0415

    def with_arrays(reply: RecordDict, change: Callable[[dict[str, Any]], dict[str, Any]]) -> RecordDict:
        arrays = change({name: array.numpy().copy() for name, array in reply["arrays"].items()})
        return RecordDict(
            {"arrays": ArrayRecord({key: Array(one) for key, one in arrays.items()}), "metrics": reply["metrics"]}
        )

    def filled(value: float) -> Callable[..., RecordDict]:
        return lambda reply, *_: with_arrays(reply, lambda arrays: arrays | {BIAS: np.full_like(arrays[BIAS], value)})

    def hundredfold(reply: RecordDict, sent: RecordDict, _: Context) -> RecordDict:
        before = {name: array.numpy() for name, array in sent["arrays"].items()}
        return with_arrays(
            reply, lambda arrays: {name: before[name] + 100 * (arrays[name] - before[name]) for name in arrays}
        )

    def kept(reply: RecordDict, _: RecordDict, context: Context) -> RecordDict:
        context.state["arrays"], context.state["metrics"] = reply["arrays"], reply["metrics"]
        return reply

    def old(_: RecordDict, __: RecordDict, context: Context) -> RecordDict:
        return RecordDict({"arrays": context.state["arrays"], "metrics": context.state["metrics"]})

    def late(reply: RecordDict, *_: Any) -> RecordDict:
        time.sleep(timeout + 5)
        return reply

    breaks: dict[int, Callable[..., RecordDict]] = {
        1: kept,
        2: filled(np.nan),
        3: filled(np.inf),
        4: lambda reply, *_: with_arrays(reply, lambda arrays: arrays | {BIAS: np.append(arrays[BIAS], arrays[BIAS])}),
        5: lambda reply, *_: with_arrays(reply, lambda arrays: {key: arrays[key] for key in arrays if key != BIAS}),
        6: lambda reply, *_: with_arrays(reply, lambda arrays: arrays | {"surprise": arrays[BIAS]}),
        7: old,
        8: lambda *_: RecordDict({}),
        9: late,
        10: hundredfold,
    }
    empty = type("Message", (Message,), {"children": None})  # as it travels: neither content nor error
    call = ClientApp.__call__

    def broken(self: ClientApp, message: Message, context: Context) -> Message:
        reply = call(self, message, context)
        if message.metadata.message_type == "train" and context.node_config["partition-id"] == 1:
            number = int(str(message.content["config"]["server-round"]))
            reply.content = breaks.get(number, lambda content, *_: content)(reply.content, message.content, context)
            if number == HOLLOW:
                reply.__class__ = empty
        return reply

    ClientApp.__call__ = broken  # type: ignore[method-assign]  # what a broken client would do by itself


HOLLOW = 11
BIAS = os.environ.get("OLEANDER_BREAKS", "")
if BIAS:
    install(float(os.environ["OLEANDER_TIMEOUT"]))

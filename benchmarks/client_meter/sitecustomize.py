"""Measures at the participants: with this folder in PYTHONPATH, every call of Flower's ClientApp leaves a line.

Python imports it before anything else. Lines go to $OLEANDER_METER: client, round, bytes received and sent (as Flower
counts what a message holds), a fingerprint of what was received, the CPU seconds of the call, and when it began and
ended. Only `benchmarks/stealth.py` sets that variable.
"""

import hashlib
import json
import os
import time
from typing import Any


def install(path: str) -> None:
    """Count the calls from now on; the lines go to `path`."""
    from flwr.app import Context, Message, RecordDict  # noqa: PLC0415 - seconds, which only the fleet's program spends
    from flwr.clientapp import ClientApp  # noqa: PLC0415

    call = ClientApp.__call__

    def metered(self: ClientApp, message: Message, context: Context) -> Message:
        began, cpu = time.time(), time.process_time()
        reply = call(self, message, context)
        cpu, ended = time.process_time() - cpu, time.time()
        if message.metadata.message_type == "train":
            line = {
                "client": int(context.node_config["partition-id"]),
                "round": int(str(message.content.config_records["config"]["server-round"])),
                "received": size(message.content),
                "sent": size(reply.content),
                "content": fingerprint(message.content),
                "cpu": cpu,
                "began": began,
                "ended": ended,
            }
            with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123 - one write, which the system keeps whole
                file.write(json.dumps(line) + "\n")
        return reply

    def size(content: RecordDict) -> int:
        return sum(record.count_bytes() for record in content.values())

    def fingerprint(content: RecordDict) -> str:
        told: Any = {name: dict(record) for name, record in content.config_records.items()}
        arrays = [
            (name, key, array.data) for name, record in content.array_records.items() for key, array in record.items()
        ]
        return hashlib.sha256(repr((told, arrays)).encode()).hexdigest()

    ClientApp.__call__ = metered  # type: ignore[method-assign]  # to measure what Flower does not


if "OLEANDER_METER" in os.environ:
    install(os.environ["OLEANDER_METER"])

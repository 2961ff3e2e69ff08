"""The ServerApp's process: hands the run to the SuperLink, takes the task, and runs the stock `flwr-serverapp`."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from queue import Queue
from typing import Any

from oleander.engines.grpc.fitness import inner
from oleander.engines.grpc.pipes import Bell, Clock
from oleander.engines.grpc.plan import Plan, Server
from oleander.engines.grpc.worker import acquire

ACQUIRE_SECONDS = 60.0


def main(
    plan: Plan,
    server: Server,
    *,
    nodes: Sequence[Bell],
    sent: Bell,
    registered: Mapping[int, int],
    failed: Callable[[str], None],
) -> None:
    """Run the ServerApp to its end.

    Args:
        plan: the fleet.
        server: the server's part of it.
        nodes: rung for each SuperNode when there may be a message for it.
        sent: rung by SuperNodes when a reply lies on the SuperLink.
        registered: whom a node's key stands for, by the node's id; empty where everybody is let in.
        failed: called with the reason if the ServerApp fails.

    """
    runtime = inner("flwr.superlink.runtime.run_serverapp")
    os.environ["OLEANDER_NODES"] = json.dumps(registered)
    os.environ["OLEANDER_PARTS"] = json.dumps(server.parts)
    _quicken(nodes, sent, plan.poll)
    app = runtime.run_

    def run_app(**arguments: Any) -> Any:
        try:
            return app(**arguments)
        except Exception as error:
            failed(f"{error}")
            raise

    runtime.run_ = run_app
    inner("flwr.cli.run").run(
        app=str(Path(server.app)),
        superlink="local",
        federation=None,
        run_config_overrides=None,
        federation_config_overrides=None,
        stream=False,
        output_format="default",
    )
    authority = plan.authority()
    token = acquire(server.address, "SERVER_APP", ACQUIRE_SECONDS, authority)
    runtime.run_serverapp(
        runtime_api_address=server.address,
        log_queue=Queue(),
        token=token,
        insecure=authority is None,
        certificates=authority,
    )


def _quicken(nodes: Sequence[Bell], sent: Bell, poll: float) -> None:
    """Wake the nodes when messages are there, and the Grid when a reply is."""
    grid = inner("flwr.superlink.grid.http_grid")
    push = grid.HttpGrid.push_messages

    def push_messages(self: Any, messages: Any) -> Any:
        ids = push(self, messages)
        for bell in nodes:
            bell.ring()
        return ids

    grid.HttpGrid.push_messages = push_messages
    grid.time = Clock({3: sent}, poll)

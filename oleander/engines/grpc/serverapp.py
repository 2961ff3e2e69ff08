"""The ServerApp's process: hands the run to the SuperLink, takes the task, and runs the stock `flwr-serverapp`."""

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Queue
from typing import Any

from oleander.engines.grpc.pipes import Bell, Clock
from oleander.engines.grpc.plan import Plan
from oleander.engines.grpc.worker import acquire

ACQUIRE_SECONDS = 60.0


def main(plan: Plan, nodes: Sequence[Bell], sent: Bell, failed: Callable[[str], None]) -> None:
    """Run the ServerApp to its end.

    Args:
        plan: the fleet.
        nodes: rung for each SuperNode when there may be a message for it.
        sent: rung by SuperNodes when a reply lies on the SuperLink.
        failed: called with the reason if the ServerApp fails.

    """
    from flwr.cli.run import run  # noqa: PLC0415 - only the fleet's program needs Flower
    from flwr.supercore.constant import TaskType  # noqa: PLC0415

    # The package has a function of the module's name, which an import statement would get instead.
    runtime: Any = importlib.import_module("flwr.superlink.runtime.run_serverapp")
    _quicken(nodes, sent)
    app = runtime.run_

    def run_app(**arguments: Any) -> Any:
        try:
            return app(**arguments)
        except Exception as error:
            failed(f"{error}")
            raise

    runtime.run_ = run_app
    run(
        app=str(Path(plan.app)),
        superlink="local",
        federation=None,
        run_config_overrides=None,
        federation_config_overrides=None,
        stream=False,
        output_format="default",
    )
    token = acquire(plan.control_address, TaskType.SERVER_APP, ACQUIRE_SECONDS)
    runtime.run_serverapp(
        runtime_api_address=plan.control_address, log_queue=Queue(), token=token, insecure=True, certificates=None
    )


def _quicken(nodes: Sequence[Bell], sent: Bell) -> None:
    """Wake the nodes when messages are there, and the Grid when a reply is."""
    from flwr.superlink.grid import http_grid  # noqa: PLC0415

    push = http_grid.HttpGrid.push_messages

    def push_messages(self: Any, messages: Any) -> Any:
        ids = push(self, messages)
        for bell in nodes:
            bell.ring()
        return ids

    http_grid.HttpGrid.push_messages = push_messages
    http_grid.time = Clock({3: sent})

"""The ServerApp's process: hands the run to the SuperLink, takes the task, and runs the stock `flwr-serverapp`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Queue
from typing import Any

from oleander.engines.grpc.fitness import inner
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
    runtime = inner("flwr.superlink.runtime.run_serverapp")
    _quicken(nodes, sent)
    app = runtime.run_

    def run_app(**arguments: Any) -> Any:
        try:
            return app(**arguments)
        except Exception as error:
            failed(f"{error}")
            raise

    runtime.run_ = run_app
    inner("flwr.cli.run").run(
        app=str(Path(plan.app)),
        superlink="local",
        federation=None,
        run_config_overrides=None,
        federation_config_overrides=None,
        stream=False,
        output_format="default",
    )
    token = acquire(plan.control_address, "SERVER_APP", ACQUIRE_SECONDS)
    runtime.run_serverapp(
        runtime_api_address=plan.control_address, log_queue=Queue(), token=token, insecure=True, certificates=None
    )


def _quicken(nodes: Sequence[Bell], sent: Bell) -> None:
    """Wake the nodes when messages are there, and the Grid when a reply is."""
    grid = inner("flwr.superlink.grid.http_grid")
    push = grid.HttpGrid.push_messages

    def push_messages(self: Any, messages: Any) -> Any:
        ids = push(self, messages)
        for bell in nodes:
            bell.ring()
        return ids

    grid.HttpGrid.push_messages = push_messages
    grid.time = Clock({3: sent})

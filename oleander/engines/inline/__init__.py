"""Run a federation in this very process, one participant after the other: the quick engine, for grids and research.

The real ServerApp and ClientApp exchange Flower's real messages and end with the same weights as on gRPC and Ray, bit
for bit. There are no processes, no network and no isolation: what a participant could read of another's memory, or what
a lost one does to the rest, is to be seen with `grpc` alone.
"""

import contextlib
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from oleander.engines import EngineError, Job
from oleander.engines.fitness import missing
from oleander.engines.logs import tail, why
from oleander.engines.outcome import Outcome

LOG = "inline.log"
# module: what is called or set below and in nodes.py, none of it promised by Flower
NAMES = {
    "flwr.serverapp": ("Grid.send_and_receive", "Grid.get_node_ids"),
    "flwr.supercore.task_identity": ("TaskIdentity",),
}
REMEDY = "Install the Flower that this is tested with (pip install 'flwr[simulation]==1.39.*'), or use --engine grpc."


def run(job: Job, tick: Callable[[], None]) -> None:
    """Run a job in this process; see `oleander.engines.run`. `tick` is called after each participant's reply."""
    unfit = missing(NAMES)
    if unfit:
        raise EngineError(f"Flower's apps cannot be run in one process: {unfit} {REMEDY}")
    job.run.logs.mkdir(exist_ok=True)
    outcome = Outcome(job.run, LOG)
    for client in range(job.scenario.federation.clients):
        role = job.scenario.role_of(client).role
        outcome.take({"event": "node", "client": client, "node_id": None, "role": role, "pid": None})
    threads = torch.get_num_threads()
    log = job.run.logs / LOG
    try:
        with _logged(log):
            _federate(job, tick)
    except Exception as error:
        with log.open("a", encoding="utf-8") as file:
            traceback.print_exc(file=file)
        raise EngineError(f"{why(error)} {tail(log)}") from error
    finally:
        torch.set_num_threads(threads)
        outcome.keep()


def _federate(job: Job, tick: Callable[[], None]) -> None:
    """Call the ServerApp with a grid of the job's participants."""
    from flwr.app import Context, RecordDict  # noqa: PLC0415 - only once Flower is known to fit
    from flwr.supercore.task_identity import TaskIdentity  # noqa: PLC0415

    from oleander.engines.inline.nodes import Nodes  # noqa: PLC0415
    from server_app.app import app  # noqa: PLC0415

    TaskIdentity.run_id = TaskIdentity.node_id = TaskIdentity.task_id = 1  # a Message reads them when it is made
    grid = Nodes(job.scenario, job.run, job.data or "", tick)
    app(grid, Context(run_id=1, node_id=0, node_config={}, state=RecordDict(), run_config=grid.config))


@contextlib.contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Send what Flower says into a file of the run's, as the processes of the other engines do."""
    logger = logging.getLogger("flwr")
    handlers, propagate = logger.handlers[:], logger.propagate
    own = logging.FileHandler(path, encoding="utf-8")
    own.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    own.handleError = lambda record: None  # type: ignore[method-assign]  # noqa: ARG005 - a full disk takes no log, and is told of elsewhere
    logger.handlers, logger.propagate = [own], False
    try:
        yield
    finally:
        logger.handlers, logger.propagate = handlers, propagate
        own.close()

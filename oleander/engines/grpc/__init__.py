"""Run a federation as real Flower processes on this machine, whose weights travel over gRPC.

The default is a *warm fleet*: the same SuperLink, SuperNodes and apps as Flower's commands start, forked from one
process that has imported torch and Flower already, and woken rather than polling. Flower's own commands are the
fall-back, and give the same weights, bit for bit.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from oleander.engines import Job, log
from oleander.engines.child import follow
from oleander.engines.grpc.plan import draw_up
from oleander.engines.outcome import Outcome
from task.settings import SettingsError

LOG = "fleet.log"


def run(job: Job, tick: Callable[[], None]) -> None:
    """Run a job with one SuperNode process for each client; see `oleander.engines.run`."""
    home = job.run.path / "flower"
    outcome = _follow(job, home, tick, "stock" if job.stock else "warm")
    if outcome.unsupported and job.address is not None:
        raise SettingsError(unsupported(outcome.unsupported))
    if outcome.unsupported:
        log.warning("Stock Flower is used, which is slower: %s", outcome.unsupported)
        outcome = _follow(job, home, tick, "stock")
    outcome.check()


def unsupported(reason: str) -> str:
    """Return why several hosts cannot be joined: only the warm fleet lets nodes come back, and runs no foreign code."""
    return f"Expected a Flower that several hosts are tested with, but {reason} Install flwr[simulation]==1.39.*."


def _follow(job: Job, home: Path, tick: Callable[[], None], fleet: str) -> Outcome:
    """Start a fleet of a kind, and return how it ended."""
    outcome = Outcome(job.run, LOG)
    for client in (
        range(job.scenario.federation.clients) if job.address else ()
    ):  # of whom their own hosts know the rest
        role = job.scenario.role_of(client).role
        outcome.take({"event": "node", "client": client, "node_id": None, "role": role, "pid": None, "device": None})

    def ticked() -> None:
        outcome.keep()
        tick()

    try:
        plan = draw_up(job, home)  # refuses before anything is written
        job.run.logs.mkdir(exist_ok=True)
        job.run.update_environment(fleet=fleet)
        module = f"oleander.engines.grpc.{fleet}"
        outcome.code = follow(module, plan.save(), home=home, log=plan.log(LOG), tick=ticked, event=outcome.take)
    finally:
        shutil.rmtree(home, ignore_errors=True)
        outcome.keep()
    return outcome

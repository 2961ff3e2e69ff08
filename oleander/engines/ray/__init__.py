"""Run a federation as virtual clients in Flower's simulation on Ray: no gRPC, the same apps, the same weights."""

import json
import shutil
from collections.abc import Callable

from oleander.engines import Job, log
from oleander.engines.app import assemble
from oleander.engines.child import follow
from oleander.engines.gpus import visible
from oleander.engines.outcome import Outcome
from task.cores import cores

LOG = "simulation.log"


def run(job: Job, tick: Callable[[], None]) -> None:
    """Run a job with Flower's simulation; see `oleander.engines.run`."""
    outcome = _follow(job, tick, stock=job.stock)
    if outcome.unsupported:
        log.warning("Flower's own simulation is used, which is slower: %s", outcome.unsupported)
        outcome = _follow(job, tick, stock=True)
    outcome.check()


def _follow(job: Job, tick: Callable[[], None], *, stock: bool) -> Outcome:
    """Start the simulation, and return how it ended."""
    home = job.run.path / "flower"
    job.run.logs.mkdir(exist_ok=True)
    home.mkdir(mode=0o700)
    outcome = Outcome(job.run, LOG)
    federation = job.scenario.federation
    gpus = visible() if federation.devices == "auto" else []
    try:
        config = job.scenario.run_config(data=job.data or "", out=str(job.run.path), roles=True)
        plan = {
            "home": str(home),
            "app": str(assemble(home / "app", config)),
            "roles": [job.scenario.role_of(client).role for client in range(federation.clients)],
            "cpus": cores(),
            "gpus": len(gpus),
            "stock": stock,
            "patience": federation.round_timeout,
        }
        (home / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        job.run.update_environment(fleet="stock" if stock else "batched")
        outcome.code = follow(
            "oleander.engines.ray.simulation",
            home / "plan.json",
            home=home,
            log=job.run.logs / LOG,
            tick=tick,
            event=outcome.take,
        )
    finally:
        shutil.rmtree(home, ignore_errors=True)
        outcome.keep()
    return outcome

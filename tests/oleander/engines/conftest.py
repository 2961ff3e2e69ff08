"""Small federations for the engines' tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from oleander import scenario
from oleander.engines import Job
from oleander.rundir import RunDirectory

SMALL = (
    "federation.devices=cpu",
    "task.partition.images=40",
    "clients.0.options.steps=5",
    "clients.0.options.start_accuracy=null",
    "clients.0.options.start_round=1",
    "clients.0.loot_images=4",
)


@pytest.fixture(scope="session")
def make_job(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Job]:
    """Return a function that makes a job of the demo's scenario, with few clients of which the last attacks."""

    def make(clients: int, rounds: int, *overrides: str, out: Path | None = None, stock: bool = False) -> Job:
        sizes = (f"federation.clients={clients}", f"federation.rounds={rounds}", f"clients.0.ids=[{clients - 1}]")
        chosen = scenario.load("gan-attack-digits", [*SMALL, *sizes, *overrides])
        run = RunDirectory.create(chosen, out or tmp_path_factory.mktemp("run") / "run")
        return Job(scenario=chosen, run=run, stock=stock)

    return make

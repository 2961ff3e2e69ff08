"""What one process does with one cell: run it, judge it, and leave both in the cell's run directory."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

import torch

from oleander import engines
from oleander.engines import EngineError
from oleander.judge import judge
from oleander.rundir import RunDirectory
from oleander.scenario import Scenario
from server_app import environment
from task.settings import SettingsError

LOG = "cell.log"


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a process is told.

    Attributes:
        scenario: resolved, with what the data decide.
        path: of the run directory, which is not there yet or holds a run that ended and was not judged.
        engine, data: see oleander.engines.run.
        command: the words that the matrix was started with.
        gpu: that it computes on, as CUDA_VISIBLE_DEVICES spells it; None to leave that as it is.

    """

    scenario: Scenario
    path: Path
    engine: str
    data: str | None
    command: tuple[str, ...]
    gpu: str | None = None


def carry_out(order: Order) -> None:
    """Run and judge a cell; what it failed with stands in its environment.json. Ends with the process that ordered it.

    One thread does it all on the engine `inline`: as many cells run at once as there are cores.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command ends it
    threading.Thread(target=_end_with_the_command, daemon=True).start()
    if order.gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = order.gpu
    if order.engine == "inline":
        os.environ["OLEANDER_THREADS"] = "1"
    torch.set_num_threads(1)
    old = (order.path / "scenario.yaml").is_file()
    run = RunDirectory.open(order.path) if old else RunDirectory.create(order.scenario, order.path)
    run.logs.mkdir(exist_ok=True)
    with _into(run.logs / LOG):
        try:
            _run(run, order)
            judge(run, order.data, lambda _: None, pictures=False)
        except Exception as error:  # noqa: BLE001 - the last frame of a process: the log gets all of it
            traceback.print_exc()
            expected = isinstance(error, EngineError | SettingsError)
            said = str(error) if expected else f"{type(error).__name__}: {error}"
            run.update_environment(failure=said)
            sys.exit(1)


def _run(run: RunDirectory, order: Order) -> None:
    """Run the federation, where that is not done."""
    if run.environment().get("exit") == 0:
        return
    command = list(order.command)
    run.update_environment(engine=order.engine, command=command, **environment.beginning(), exit=None)
    status = 1
    try:
        engines.run(order.engine, engines.Job(scenario=order.scenario, run=run, data=order.data))
        for number, text in run.attack_failures():
            raise EngineError(f"In round {number} {text}")
        _check_defended(run)
        status = 0
    finally:
        run.update_environment(end=environment.now(), exit=status)


def _check_defended(run: RunDirectory) -> None:
    """Refuse a run in which a defended participant sent nothing at all: whoever is not there has nothing to lose."""
    rounds = run.rounds()
    for client, defense in sorted(run.scenario.defended().items()):
        reasons = [one["reason"] for line in rounds for one in line.get("failures") or () if one["client"] == client]
        if rounds and len(reasons) == len(rounds):
            raise EngineError(f"Participant {client}, defended by {defense}, took part in no round: {reasons[0]}")


def _end_with_the_command() -> None:
    """Leave at once when the process that ordered this one is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


@contextlib.contextmanager
def _into(path: Path) -> Iterator[None]:
    """Send what is printed into a file: the terminal shows the matrix."""
    with path.open("a", encoding="utf-8") as file:
        sys.stdout.flush()
        sys.stderr.flush()
        for number in (1, 2):
            os.dup2(file.fileno(), number)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()

"""Engines start a federation, and end with the same weights.

`grpc`: real processes that exchange weights over gRPC; `ray`: virtual clients in Flower's simulation; `inline`: the
same apps in one process, the quickest.
"""

import importlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from oleander.rundir import RunDirectory
from oleander.scenario import Scenario
from oleander.sections import ENGINES
from task.settings import choose

log = logging.getLogger("oleander.engines")


class EngineError(Exception):
    """A run that failed; the text is for people, and what was computed before stays in the run directory."""


@dataclass(frozen=True, kw_only=True)
class Security:
    """What a server proves itself by, and whom it lets in: TLS and Flower's SuperNode authentication.

    Attributes:
        ca: file of the authority's certificate.
        certificate, key: files of the server's own.
        nodes: public keys by participant, PEM.

    """

    ca: str
    certificate: str
    key: str
    nodes: dict[int, str]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What an engine is asked to run.

    Attributes:
        scenario: resolved.
        run: directory that the run is written to.
        data: folder of the data sets, None where the scenario needs none.
        stock: whether to start Flower's own commands in place of the warm fleet, or its own simulation in place of the
            quickened one.
        address: on `grpc`, HOST:PORT where the participants come from other hosts; None where all are started here.
        security: of such a deployment; None for one in plain text that lets everybody in.
        parts: what each participant of such a deployment has to do, as `Scenario.part` has it.

    """

    scenario: Scenario
    run: RunDirectory
    data: str | None = None
    stock: bool = False
    address: str | None = None
    security: Security | None = None
    parts: Mapping[int, str] = field(default_factory=dict)


def run(engine: str, job: Job, tick: Callable[[], None] = lambda: None) -> None:
    """Run a federation to its end; when this returns or raises, nothing of it is left running.

    Args:
        engine: one of ENGINES.
        job: what to run.
        tick: called about five times a second in this process, to draw a live view from the run directory.

    Raises:
        SettingsError: if the request cannot be run (unknown engine, no free port, missing data).
        EngineError: if the run failed.

    """
    choose(engine, ENGINES, "an engine")
    importlib.import_module(f"oleander.engines.{engine}").run(job, tick)

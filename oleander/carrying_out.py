"""Carry out what a verb asks for: run, judge and report, with words for people on the way."""

import contextlib
import dataclasses
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import typer
from rich.console import Console

from oleander.interrupts import Interrupted
from oleander.scenario import Scenario
from oleander.sections import ENGINES
from task.settings import SettingsError, choose, expect

if TYPE_CHECKING:  # `oleander --help` does not wait for it
    from oleander.engines import Security

console = Console()
complaints = Console(stderr=True)

STOCKED = ("grpc", "ray")  # Flower has no other processes of its own


def carry_out(
    scenario: Scenario,
    *,
    engine: str | None,
    data: Path | None,
    out: Path | None,
    stock: bool = False,
    address: str | None = None,
    security: "Security | None" = None,
    loot: Sequence[Path] = (),
) -> None:
    """Run, judge and report. A run that fails keeps what it had; a request that is refused leaves nothing behind.

    Args:
        scenario: resolved.
        engine: one of oleander.sections.ENGINES; None for the scenario's own.
        data: folder of the data sets, as given.
        out: run directory, as given.
        stock: as `oleander.engines.Job` has it ...
        address: ... likewise ...
        security: ... likewise.
        loot: folders of participants on other hosts, which are brought before the run is judged.

    Raises:
        SettingsError: if the request cannot be carried out.
        typer.Exit: with 1 if the run failed.

    """
    from oleander import engines  # noqa: PLC0415
    from oleander.preflight import settle  # noqa: PLC0415
    from oleander.report import write  # noqa: PLC0415
    from oleander.rundir import RunDirectory  # noqa: PLC0415
    from oleander.terminal import LiveView, summary  # noqa: PLC0415
    from server_app import environment  # noqa: PLC0415

    engine = choose(
        scenario.federation.engine if engine is None else engine,
        STOCKED if stock else ENGINES,
        "an engine for --stock" if stock else "an engine",
    )
    folder = data_folder(data)
    parts = {} if address is None else {client: scenario.part(client) for client in range(scenario.federation.clients)}
    federation = dataclasses.replace(scenario.federation, engine=engine)  # what is run is what is on record
    scenario = settle(dataclasses.replace(scenario, federation=federation), folder)
    for brought in loot:
        expect(brought.is_dir(), "a folder in --loot", str(brought), "Name the --out of a client.")
    directory = RunDirectory.create(scenario, out)
    command = ["oleander", *sys.argv[1:]]
    hosts = {} if address is None else {"address": address, "tls": security is not None}
    directory.update_environment(engine=engine, command=command, **hosts, **environment.beginning(), exit=None)
    console.print(f"Run directory: {directory.path}", markup=False, soft_wrap=True)
    status = 1
    try:
        with LiveView(directory, scenario) as view:
            job = engines.Job(
                scenario=scenario,
                run=directory,
                data=folder,
                stock=stock,
                address=address,
                security=security,
                parts=parts,
            )
            engines.run(engine, job, view.tick)
        status = 0
    except SettingsError:
        status = 2
        raise
    except (engines.EngineError, OSError) as error:  # the latter: a full disk, say
        complaints.print(f"The run failed: {error}", style="red", markup=False, soft_wrap=True)
        text = f"What it had computed is kept: `oleander judge {directory.path}`, then `oleander report`."
        complaints.print(text, markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
    except Interrupted as stop:
        status = stop.status
        raise
    finally:
        if status == 2:  # noqa: PLR2004 - the exit status of a wrong request
            shutil.rmtree(directory.path)
        else:
            with contextlib.suppress(OSError):  # on a full disk the run looks like one that was killed
                directory.update_environment(end=environment.now(), exit=status)
    for brought in loot:
        try:
            directory.bring(brought)
        except SettingsError as error:
            again = f"The run is kept: `oleander judge {directory.path} --loot DIR`, then `oleander report`."
            raise SettingsError(f"{error} {again}") from error
    verdict = judge(directory, data)
    summary(verdict, write([directory], directory.report, None))


def judge(directory: Any, data: Path | None) -> dict[str, Any]:
    """Judge a run with a line on what is being done, and return the verdict."""
    from oleander.judge import judge as judge_run  # noqa: PLC0415

    with console.status("Judging the loot") if console.is_terminal else _Plain() as status:
        verdict = judge_run(directory, data_folder(data), status.update)
    console.print(f"Verdict: {directory.path / 'verdict.json'}", soft_wrap=True)
    return verdict


class _Plain:
    """Stands in for rich's status where the output is no terminal: says nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, text: str) -> None:
        """Say nothing."""


def data_folder(given: Path | None) -> str | None:
    """Return the folder of the data sets: what was given, else $OLEANDER_DATA, else ./data where it exists."""
    if given is not None:
        return str(given.resolve())
    if os.environ.get("OLEANDER_DATA"):
        return str(Path(os.environ["OLEANDER_DATA"]).resolve())
    return str(Path("data").resolve()) if Path("data").is_dir() else None

"""`oleander matrix`: which cells there are, which of them are left, what they say together."""

import contextlib
import dataclasses
import fcntl
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from oleander.engines.gpus import visible
from oleander.matrix import inquiries, settings, table
from oleander.matrix.cells import Cell, expand
from oleander.matrix.pool import run_all
from oleander.matrix.settings import Matrix
from oleander.matrix.view import View
from oleander.matrix.work import Order
from oleander.preflight import settle
from oleander.report.matrix import write
from oleander.rundir import RUNS
from oleander.sections import ENGINES
from task.cores import cores
from task.settings import SettingsError, choose, expect

CELLS, LOCK = "cells", ".lock"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for on the command line; None for what is left to the matrix.

    Attributes:
        name: of a matrix, or a path.
        attacks, defenses: comma-separated names.
        seeds: how many.
        overrides: texts of --set.
        engine: see oleander.engines.
        data: folder of the data sets.
        out: the matrix's folder.
        jobs: cells at a time.

    """

    name: str
    attacks: str | None = None
    defenses: str | None = None
    seeds: int | None = None
    overrides: tuple[str, ...] = ()
    engine: str = "inline"
    data: str | None = None
    out: Path | None = None
    jobs: int | None = None


def carry_out(request: Request, console: Console) -> int:
    """Run what is left of a matrix and write its table; return the exit status, 1 if a cell failed.

    Raises:
        SettingsError: if any cell's scenario cannot be run; nothing is started then.

    """
    choose(request.engine, ENGINES, "an engine")
    expect(_jobs(request) > 0, "--jobs > 0", _jobs(request))
    matrix = chosen(settings.load(request.name), request.attacks, request.defenses)
    cells = [_settled(cell, request.data) for cell in expand(matrix, request.overrides, request.seeds)]
    folder = _folder(request.out or RUNS / matrix.name / "matrix")
    with _alone(folder):
        return _run(matrix, cells, folder, request, console)


def _run(matrix: Matrix, cells: list[Cell], folder: Path, request: Request, console: Console) -> int:
    """Run what is left and write the table; return the exit status."""
    jobs = _jobs(request)
    left = {cell.folder: cell for cell in cells if not cell.finished(folder / CELLS / cell.folder)}
    finished = len(cells) - len(left)
    console.print(f"Matrix directory: {folder}", markup=False, soft_wrap=True)
    console.print(f"{len(cells)} cells, {finished} of them finished already; {min(jobs, len(cells))} at a time.")
    orders = _orders(left, request, folder / CELLS)
    with View(console, left, folder / CELLS, finished) as view:
        failures = run_all(orders, jobs, started=view.started, ended=view.ended, tick=view.tick)
    found = table.of(matrix, cells, folder / CELLS, failures)
    table.write(found, folder)
    page = write(found, folder / "matrix.html")
    console.print()
    table.show(console, table.shown(found))
    console.print(table.note(found), style="dim")
    for known in (knowing := table.asked(found)):
        console.print()
        table.show(console, known)
    if knowing:
        console.print(inquiries.NOTE, style="dim")
    for warning in inquiries.warnings(found["cells"]):
        console.print(f"Warning: {warning}", style="yellow", markup=False, soft_wrap=True)
    for name, reason in failures.items():
        console.print(f"Failed: {left[name].words}: {reason}", style="red", markup=False, soft_wrap=True)
    console.print(f"Report: {page}", markup=False, soft_wrap=True)
    return 1 if failures else 0


def chosen(matrix: Matrix, attacks: str | None, defenses: str | None) -> Matrix:
    """Return a matrix with some of its attacks and defences, comma-separated names; None for all.

    Raises:
        SettingsError: for a name that it has not.

    """
    return dataclasses.replace(
        matrix,
        attacks={name: matrix.attacks[name] for name in _names(attacks, list(matrix.attacks), "an attack")},
        defenses={name: matrix.defenses[name] for name in _names(defenses, list(matrix.defenses), "a defence")},
    )


def _names(text: str | None, known: Sequence[str], what: str) -> list[str]:
    """Return the names in a comma-separated text, each once."""
    asked = known if text is None else [name.strip() for name in text.split(",")]
    return [choose(name, known, f"{what} of the matrix") for name in dict.fromkeys(asked)]


def _settled(cell: Cell, data: str | None) -> Cell:
    """Return a cell with what the data decide filled in."""
    try:
        return dataclasses.replace(cell, scenario=settle(cell.scenario, data))
    except SettingsError as error:
        raise SettingsError(f"In the matrix, {cell.words}: {error}") from error


def _jobs(request: Request) -> int:
    """Return how many cells run at a time."""
    return request.jobs if request.jobs is not None else cores() if request.engine == "inline" else 1


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Refuse a second command on the same folder: each would take the other's cells for broken ones."""
    with (folder / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            remedy = "Wait for it, or name another folder with --out."
            raise SettingsError(f"Expected a folder that no other command works in, got {folder}. {remedy}") from error
        yield


def _folder(path: Path) -> Path:
    """Return the matrix's folder, made where it is missing; one that holds something else is refused."""
    taken = path.exists() and not (path / CELLS).is_dir() and (not path.is_dir() or any(path.iterdir()))
    expect(not taken, "--out to name a new or empty folder, or a matrix's own", str(path), "Choose another.")
    try:
        (path / CELLS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"Expected --out to be writable, got {path} ({error.strerror}).") from error
    return path.resolve()


def _orders(cells: dict[str, Cell], request: Request, folder: Path) -> dict[str, Order]:
    """Return what each cell's process is told; on the engine `inline` the GPUs are dealt out, one for each."""
    gpus = visible() if request.engine == "inline" else []
    return {
        name: Order(
            scenario=cell.scenario,
            path=folder / name,
            engine=request.engine,
            data=request.data,
            command=("oleander", *sys.argv[1:]),
            gpu=gpus[number % len(gpus)] if gpus else None,
        )
        for number, (name, cell) in enumerate(cells.items())
    }

"""A matrix's table: every cell's numbers, the means over its seeds; as matrix.json, matrix.csv and on the terminal."""

import csv
import io
import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from oleander.matrix import inquiries
from oleander.matrix.cells import Cell
from oleander.matrix.measures import AUC, RECOGNISED, UNITS, J, Measures, of_run, row, style
from oleander.matrix.settings import Matrix
from oleander.matrix.writing import number, settings
from oleander.report.metrics import ABSENT
from oleander.rundir import RunDirectory
from task.files import write_json, write_text

NO_GUARANTEE = "no guarantee"
LETTERS = {J: "J", RECOGNISED: "R"}
NOTE = (
    "Means over the seeds, ± half of the 95 % interval (Student's t) where there are several; ± 0 where they agree, "
    "which shares of few images may by chance."
)
METRICS = {
    J: "J: share of the loot that shows the victim's class with its private property.",
    RECOGNISED: "R: share that is recognised as its class, mean of the targets, or of those whose holders are "
    "defended.",
    AUC: "AUC: area under the ROC curve of who asks for members, with its protocol; 0.5 is guessing.",
}
EPSILON = "Epsilon: what the attack's victims are guaranteed against it, over all rounds."
SUFFIXES = {"mean": "", "low": "_low", "high": "_high"}


def of(matrix: Matrix, cells: Sequence[Cell], folder: Path, failures: Mapping[str, str]) -> dict[str, Any]:
    """Return the table, as matrix.json holds it.

    Args:
        matrix: what was asked for.
        cells: every cell.
        folder: that their run directories lie in.
        failures: why a cell failed, by its folder's name.

    Returns:
        `name`, `paper`, `units`; `rows`, one for each attack, defence and point of the sweeps, with `seeds` (those that
        are finished), `failed` and oleander.matrix.measures.row; `cells`, one for each run.

    """
    rows: dict[str, dict[str, Any]] = {}
    measured: dict[str, list[Measures]] = {}
    each = []
    for cell in cells:
        key = json.dumps([cell.attack, cell.defense, cell.settings])
        line = {"attack": cell.attack, "defense": cell.defense, "settings": cell.settings}
        into = rows.setdefault(key, {**line, "seeds": [], "failed": 0})
        found = of_run(RunDirectory(folder / cell.folder)) if cell.finished(folder / cell.folder) else None
        if found is None:
            into["failed"] += 1
        else:
            into["seeds"].append(cell.seed)
            measured.setdefault(key, []).append(found)
        numbers = {} if found is None else asdict(found)
        each.append(line | {"seed": cell.seed, "run": cell.folder, "failure": failures.get(cell.folder)} | numbers)
    summed = [line | row(measured.get(key, [])) for key, line in rows.items()]
    return {"name": matrix.name, "paper": matrix.paper, "units": UNITS, "rows": summed, "cells": each}


def write(table: Mapping[str, Any], folder: Path) -> None:
    """Write matrix.json and matrix.csv."""
    write_json(folder / "matrix.json", table)
    write_text(folder / "matrix.csv", as_csv(table))


def as_csv(table: Mapping[str, Any]) -> str:
    """Return the rows as CSV: each measure's mean and the ends of its 95 % interval, empty where there is none.

    At the end what epsilon is for, or why there is no guarantee.
    """
    columns = ["attack", "defense", "settings", "seeds", "failed", "without_loot", "metric"]
    guarantee = ["delta", "unit", "reason"]
    numbers = [name + suffix for name in UNITS for suffix in SUFFIXES.values()]
    text = io.StringIO()
    writer = csv.DictWriter(text, [*columns, *numbers, *guarantee], lineterminator="\n")
    writer.writeheader()
    for line in table["rows"]:
        values = {name + suffix: line[name][part] for name in UNITS for part, suffix in SUFFIXES.items()}
        told = {"settings": settings(line), "seeds": " ".join(map(str, line["seeds"]))}
        worth = {name: line["privacy"].get(name, "") for name in guarantee}
        writer.writerow({name: line[name] for name in columns if name in line} | told | values | worth)
    return text.getvalue()


def note(table: Mapping[str, Any]) -> str:
    """Say what the table's numbers are; of the metrics only those that occur."""
    used = {line["metric"] for line in table["rows"] if line["leakage"]["count"]}
    return " ".join([NOTE, *(text for metric, text in METRICS.items() if metric in used), EPSILON])


def shown(table: Mapping[str, Any]) -> Table:
    """Return the rows for a terminal: what fits there, and the settings only where some are swept."""
    rows = [dict(zip(HEADERS, words(line), strict=True)) for line in table["rows"]]
    used = _used(rows)
    used |= set(TERMINAL) | (set(OF_A_FEDERATION) if "accuracy" in used else set())
    return _plain(_chosen(rows, used))


def on_the_page(table: Mapping[str, Any]) -> list[list[str]]:
    """Return the rows for the page, headers first: everything but columns that nobody has anything in."""
    rows = [dict(zip(HEADERS, words(line), strict=True)) for line in table["rows"]]
    return _chosen(rows, set(HEADERS) - set(WHERE_ANY) | _used(rows))


def _used(rows: Sequence[Mapping[str, str]]) -> set[str]:
    """Return which columns of WHERE_ANY have something in some row."""
    return {name for name in WHERE_ANY for line in rows if line[name] != ABSENT}


def _chosen(rows: Sequence[Mapping[str, str]], used: Container[str]) -> list[list[str]]:
    """Return some columns of rows, headers first."""
    headers = [name for name in HEADERS if name in used]
    return [headers, *([line[name] for name in headers] for line in rows)]


def asked(table: Mapping[str, Any]) -> list[Table]:
    """Return for a terminal what membership attackers know, and what defences cost; none where nobody asks."""
    return [_plain(lines) for lines in (inquiries.lines(table["rows"]), inquiries.costs(table["rows"])) if lines]


def show(console: Console, made: Table) -> None:
    """Print a table of this module with no number cut short; where the terminal is narrower, its lines go on below."""
    needed = sum((column.min_width or 0) + GAP for column in made.columns)
    console.print(made, width=max(console.width, needed), crop=False, no_wrap=True)


def _plain(lines: Sequence[Sequence[str]]) -> Table:
    """Return lines, the headers first, as a table whose headers may be broken, and nothing else."""
    made = Table(box=None, padding=(0, GAP, 0, 0), header_style="bold")
    for place, name in enumerate(lines[0]):
        least = max(len(word) for word in [*name.split(), *(line[place] for line in lines[1:])])
        made.add_column(name, justify="left" if name in WORDS else "right", min_width=least)
    for line in lines[1:]:
        made.add_row(*(Text(text) for text in line))
    return made


GAP = 2
WORDS = ("attack", "defence", "settings", "method", "epsilon")
HEADERS = (
    "attack",
    "defence",
    "settings",
    "leakage",
    "control",
    "accuracy",
    "RIAFI",
    "seen",
    "run, s",
    "participant, s",
    "MB sent",
    "epsilon",
    "seeds",
)
"""The columns for people."""
TERMINAL = ("attack", "defence", "leakage", "epsilon", "seeds")
WHERE_ANY = ("settings", "accuracy", "RIAFI", "seen")
"""The columns that are shown where some row has something in them."""
OF_A_FEDERATION = ("run, s", "MB sent")
"""Those that it shows where there is an accuracy: a single round's cost says nothing."""


def words(line: Mapping[str, Any]) -> list[str]:
    """Return a row as people read it, in the order of HEADERS."""
    never = line["without_loot"] if line["metric"] else 0
    written = style(line["metric"])
    leakage = number(line["leakage"], written)
    leakage += f" {measured(line)}" if line["leakage"]["count"] else ""
    leakage += f" ({never} of {len(line['seeds'])} without loot)" if never else ""
    seeds = str(len(line["seeds"])) + (f" ({line['failed']} failed)" if line["failed"] else "")
    return [
        line["attack"],
        line["defense"],
        settings(line) or ABSENT,
        leakage,
        number(line["control"], written),
        number(line["accuracy"], "share"),
        number(line["riafi"], "share"),
        number(line["seen"], "share"),
        number(line["seconds"]),
        number(line["participant_seconds"]),
        number(line["bytes"], "mega"),
        epsilon(line),
        seeds,
    ]


def measured(line: Mapping[str, Any]) -> str:
    """Return what a row's leakage is: a metric's letter, or AUC with its protocol."""
    return ", ".join(filter(None, [LETTERS.get(line["metric"], line["metric"]), inquiries.protocol(line)]))


def epsilon(line: Mapping[str, Any]) -> str:
    """Return a row's epsilon with its delta; or that there is no guarantee."""
    if line["epsilon"]["mean"] is None:
        return NO_GUARANTEE
    return f"{number(line['epsilon'])}, delta {line['privacy']['delta']:g}"

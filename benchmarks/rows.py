"""Rows of the table of costs, as Markdown and as the file that tests look at."""

import json
import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from task.cores import cores


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measured cost.

    Attributes:
        measure: what was done.
        ours: in seconds.
        other: the same of the alternative, in seconds; None where there is none.
        beside: what the alternative is.
        note: what else was seen.

    """

    measure: str
    ours: float
    other: float | None = None
    beside: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times as long the alternative takes."""
        return None if self.other is None else self.other / self.ours


def machine() -> str:
    """Say what this machine is."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "flwr", "ray"))
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((one.split(":", 1)[1].strip() for one in lines if one.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{cores()} cores, {model}, {memory:.0f} GB, Python {platform.python_version()}, {packages}"


def save(rows: list[Row], path: Path) -> None:
    """Write rows to a file, each with the machine that it was measured on; others that are there already stay.

    `{"measure, beside alternative": {"seconds": ..., "alternative": ..., "ratio": ..., "note": ..., "machine": ...}}`.
    """
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for row in rows:
        seconds = {"seconds": round(row.ours, 3), "alternative": None if row.other is None else round(row.other, 3)}
        ratio = None if row.ratio is None else round(row.ratio, 2)
        name = f"{row.measure}, beside {row.beside}" if row.beside else row.measure
        kept[name] = {**seconds, "ratio": ratio, "note": row.note, "machine": machine()}
    path.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def line(row: Row) -> str:
    """Return a row of a table in Markdown."""
    beside = f"{row.other:.2f} s ({row.beside})" if row.other is not None else ""
    ratio = f"{row.ratio:.1f}" if row.ratio is not None else ""
    return f"| {row.measure} | {row.ours:.2f} s | {beside} | {ratio} | {row.note} |"

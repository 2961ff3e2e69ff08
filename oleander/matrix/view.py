"""What the terminal shows while a matrix runs: a bar for all cells and one for each that is running."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from oleander.matrix.cells import Cell
from oleander.terminal import STYLE, Tail


class View:
    """Shows how far the cells are: `with View(...) as view:`; elsewhere than on a terminal, a line for each that ends.

    Args:
        console: where to write.
        cells: that are run, by the name of their folder.
        folder: that their run directories lie in.
        finished: how many more are finished already.

    """

    def __init__(self, console: Console, cells: Mapping[str, Cell], folder: Path, finished: int) -> None:
        self.console, self.cells, self.folder = console, cells, folder
        self.done, self.total = finished, finished + len(cells)
        self._began: dict[str, float] = {}
        self._running: dict[str, tuple[TaskID, Tail]] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(complete_style=STYLE, finished_style=STYLE),
            MofNCompleteColumn(),
            TextColumn("{task.fields[what]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._all = self._progress.add_task("all cells", total=self.total, completed=self.done, what="cells")

    def __enter__(self) -> Self:
        """Begin to show."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bars away."""
        self._progress.stop()

    def started(self, name: str) -> None:
        """Show a bar for a cell."""
        cell = self.cells[name]
        bar = self._progress.add_task(cell.words, total=cell.scenario.federation.rounds, what="rounds")
        self._running[name] = bar, Tail(self.folder / name / "rounds.jsonl")
        self._began[name] = time.monotonic()

    def ended(self, name: str, reason: str) -> None:
        """Say what became of a cell, and take its bar away."""
        self._progress.remove_task(self._running.pop(name)[0])
        self.done += 1
        self._progress.update(self._all, completed=self.done)
        seconds = time.monotonic() - self._began[name]
        text = f"{self.done} of {self.total}  {self.cells[name].words}  {seconds:.0f} s"
        text += f"  FAILED: {reason.splitlines()[0]}" if reason else ""
        style = "red" if reason else None
        self._progress.console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    def tick(self) -> None:
        """Read how far the running cells are."""
        for bar, tail in self._running.values():
            lines = tail.read()
            if lines:
                self._progress.update(bar, completed=int(lines[-1]["round"]))

"""What the terminal shows while a run goes on, and when it is over. It reads the run directory, and only what is new.

On a terminal: a live view with a small picture of the loot. Elsewhere (a pipe, a log): plain lines, no control codes.
"""

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from oleander.early_noise import sends_early_noise
from oleander.rundir import RunDirectory
from oleander.scenario import Scenario

PLAIN_LINES = 50
PREVIEW_PIXELS = 32
NAMED_CLIENTS = 20
REFRESH_SECONDS = 1.0  # of the clock; a new round is shown at once
STYLE = "#d6407f"
SERVER = "server"  # the name of its folder in loot/


class Tail:
    """Reads a file of JSON lines that grows: each line once, and none that is not complete."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0

    def read(self) -> list[dict[str, Any]]:
        """Return the lines that were completed since the last call."""
        if not self.path.exists() or self.path.stat().st_size == self._offset:
            return []
        with self.path.open("rb") as file:
            file.seek(self._offset)
            block = file.read()
        complete = block[: block.rfind(b"\n") + 1]
        self._offset += len(complete)
        return [json.loads(line) for line in complete.splitlines()]


class LiveView:
    """Shows the rounds of a run as they come: `with LiveView(run, scenario) as view:`, then `view.tick()` now and then.

    Args:
        run: the run directory, which may still be empty.
        scenario: what was asked for.
        console: where to write; None for standard output.

    """

    def __init__(self, run: RunDirectory, scenario: Scenario, console: Console | None = None) -> None:
        self.run, self.scenario = run, scenario
        self.console = console or Console()
        self.plain = not self.console.is_terminal or self.console.is_dumb_terminal
        self.colours = self.console.color_system in ("256", "truecolor") and not self.console.no_color
        self._rounds = Tail(run.path / "rounds.jsonl")
        seen = [] if run.is_of_several_hosts else scenario.malicious()
        self._attackers = {f"client-{client}": f"participant {client}" for client in seen}
        if scenario.server.attack is not None:
            self._attackers[SERVER] = "the server"
        self._logs = {who: Tail(run.path / "loot" / who / "attack.jsonl") for who in self._attackers}
        self._last: dict[str, Any] = {}
        self._started: dict[str, int] = {}
        self._said: set[str] = set()
        self._warnings: dict[int, list[str]] = {}
        self._failures = 0
        self._waiting = "Waiting for the first round: the participants are starting."
        self._loot: tuple[str, RenderableType] | None = None
        self._began = time.monotonic()
        self._shown = -math.inf
        self._live = None if self.plain else Live(console=self.console, auto_refresh=False)

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Show what came last and leave it standing."""
        self.tick()
        if self._live is not None:
            self._live.stop()

    def tick(self) -> None:
        """Show what is new; cheap enough for several calls a second."""
        lines = self._rounds.read()  # before the logs, in which a round's line is written first
        for who, log in self._logs.items():
            for line in log.read():
                number = int(line["round"])
                if line.get("started"):
                    self._started.setdefault(who, number)
                for warning in line.get("warnings") or []:
                    self._warnings.setdefault(number, []).append(f"{self._attackers[who]}: {warning}")
        for line in lines:
            self._last = line
            self._failures += len(line.get("failures") or [])
            if self.plain:
                self._say(line)
        if not self._last and self.run.is_of_several_hosts:
            self._wait_for()
        if self._live is not None and (lines or time.monotonic() - self._shown >= REFRESH_SECONDS):
            if lines and self.colours:
                self._loot = self._preview() or self._loot
            self._shown = time.monotonic()
            self._live.update(self.render(), refresh=True)

    def render(self) -> RenderableType:
        """Return the live view as it stands."""
        total, done = self.scenario.federation.rounds, int(self._last.get("round", 0))
        seconds = time.monotonic() - self._began
        table = Table.grid(padding=(0, 2))
        table.add_row(
            Text(self.scenario.name, style="bold"),
            ProgressBar(total=total, completed=done, width=36, complete_style=STYLE, finished_style=STYLE),
            Text(f"{done} of {total} rounds"),
            Text(_clock(seconds), style="dim"),
        )
        parts: list[RenderableType] = [table]
        if self._last:
            parts.append(Text("  ".join(self._facts(self._last)), overflow="fold"))
            parts += [Text(text, style="yellow") for text in self._troubles(self._last)]
        else:
            parts.append(Text(self._waiting, style="dim"))
        parts += [Text(text, style=STYLE if begun else "dim") for text, begun in self._attacks()]
        if self._loot is not None:
            title, pictures = self._loot
            parts += ["", Text(title, style="dim"), pictures]
        return Group(*parts)

    def _wait_for(self) -> None:
        """Say which participants on other hosts have not joined yet; without keys nobody knows who it is."""
        known = self.run.environment()
        clients = [str(node["client"]) for node in known.get("nodes", []) if not node.get("joined")]
        listed = f"{', '.join(clients[:NAMED_CLIENTS])}{' ...' if len(clients) > NAMED_CLIENTS else ''}"
        named = f"client{'s' if len(clients) > 1 else ''} {listed} to join"
        some = named if known["tls"] else f"{self.scenario.federation.clients} clients to join, and for the first round"
        waiting = f"Waiting for {some if clients else 'the first round'}."
        if self.plain and waiting != self._waiting:
            self.console.print(waiting, markup=False, highlight=False, soft_wrap=True)
        self._waiting = waiting

    def _facts(self, line: Mapping[str, Any]) -> list[str]:
        """Say a round's accuracy, seconds and replies."""
        clients = line.get("clients") or []
        federation = self.scenario.federation
        asked = max(federation.min_replies or 1, round(federation.fraction * federation.clients))
        whom = f"{asked} asked" if asked < federation.clients else asked
        replied = f"{line.get('replies', len(clients))} of {whom} replied"
        named = f" ({', '.join(map(str, clients))})" if 0 < len(clients) <= NAMED_CLIENTS and not self.plain else ""
        facts = [f"accuracy {_number(line.get('accuracy'))}", f"{_number(line.get('seconds'), 2)} s", replied + named]
        if "attack_seconds" in line:
            facts[1] += f", {_number(line['attack_seconds'], 2)} s of it the server's attack"
        if self._failures and not self.plain:
            facts.append(f"{self._failures} missing so far")
        return facts

    def _attacks(self) -> list[tuple[str, bool]]:
        """Say of each attacker whether it has begun."""
        return [
            (f"{name}: {self._verb}s since round {self._started[who]}", True)
            if who in self._started
            else (f"{name}: {'sends noise and ' if self._noisy(who) else ''}waits to {self._verb}", False)
            for who, name in self._attackers.items()
        ]

    @property
    def _verb(self) -> str:
        """What attackers do: a membership attack takes nothing."""
        return "steal" if self.scenario.membership is None else "ask"

    def _noisy(self, who: str) -> bool:
        """Say whether an attacker disturbs the federation from the first round on."""
        return who != SERVER and sends_early_noise(self.scenario.role_of(int(who.removeprefix("client-"))))

    def _troubles(self, line: Mapping[str, Any]) -> list[str]:
        """Name the participants whose replies failed, and what the server's attack had to do without."""
        lost = [f"participant {one.get('client')} failed: {one.get('reason')}" for one in line.get("failures") or []]
        return lost + self._warnings.get(int(line["round"]), [])

    def _say(self, line: Mapping[str, Any]) -> None:
        """Print a plain line for every k-th round, the first, the last, those with failures or an attack's start."""
        total, number = self.scenario.federation.rounds, int(line["round"])
        begun = [who for who, begin in self._started.items() if begin <= number and who not in self._said]
        troubles = self._troubles(line)
        every = math.ceil(total / PLAIN_LINES)
        if not (number % every == 0 or number in (1, total) or troubles or begun):
            return
        self._said.update(begun)
        news = [f"{self._attackers[who]} {self._verb}s since round {self._started[who]}" for who in begun]
        text = "  ".join([f"round {number} of {total}", *self._facts(line), *news, *troubles])
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _preview(self) -> tuple[str, RenderableType] | None:
        """Return a title and pictures of the newest loot: a sample for each target of each attacker, side by side."""
        pictures: list[tuple[str, NDArray[np.float32]]] = []
        newest = 0
        for who in self._attackers:
            path = max((self.run.path / "loot" / who).glob("samples-round-*.npz"), default=None)
            if path is None:
                continue
            newest = max(newest, int(path.stem.rsplit("-", 1)[1]))
            with np.load(path, allow_pickle=False) as arrays:
                images, labels = arrays["images"], arrays["labels"]
            pictures += [(f"class {label}", sized(images[labels == label][0])) for label in np.unique(labels)]
        if not pictures:
            return None
        fit = max(1, self.console.width // (pictures[0][1].shape[2] + 2))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_row(*(Text(name, style="dim") for name, _ in pictures[:fit]))
        table.add_row(*(half_blocks(picture) for _, picture in pictures[:fit]))
        return f"Loot of round {newest}", table


def half_blocks(image: NDArray[np.float32]) -> Text:
    """Draw an image with a character for two pixels, one above the other.

    Args:
        image: [C, H, W] in [-1, 1]; C = 1 (grey) or 3. Below an odd last row there is nothing.

    Returns:
        ceil(H / 2) lines of W characters in 24-bit colours.

    """
    levels = np.rint((np.clip(np.nan_to_num(image), -1, 1) + 1) * 127.5).astype(int)
    levels = np.broadcast_to(levels, (3, *levels.shape[1:]))
    text = Text(no_wrap=True)
    height, width = levels.shape[1:]
    for row in range(0, height, 2):
        if row:
            text.append("\n")
        for column in range(width):
            upper = "rgb({},{},{})".format(*levels[:, row, column])
            lower = " on rgb({},{},{})".format(*levels[:, row + 1, column]) if row + 1 < height else ""
            text.append("▀", style=upper + lower)
    return text


def sized(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return an image [C, H, W] with pixels repeated or left out, so that no side exceeds PREVIEW_PIXELS."""
    side = max(image.shape[1:])
    times = min(2, PREVIEW_PIXELS // side)
    if times >= 1:
        return image.repeat(times, axis=1).repeat(times, axis=2)
    step = math.ceil(side / PREVIEW_PIXELS)
    return image[:, ::step, ::step]


def summary(verdict: Mapping[str, Any], report: Path | None = None, console: Console | None = None) -> None:
    """Print the verdict in words, the three numbers that matter, what is published, and where the report is, if any."""
    from oleander.report.key_numbers import key_numbers  # noqa: PLC0415 - the package loads what writes pages

    console = console or Console()
    console.print()
    if verdict.get("headline"):
        console.print(Text(str(verdict["headline"]), style="bold"))
    table = Table.grid(padding=(0, 2))
    for number in key_numbers(verdict):
        table.add_row(
            Text(number.value, style=f"bold {STYLE}", justify="right"), Text(f"{number.label}. {number.note}")
        )
    console.print(table)
    told = [said["words"] for said in (verdict.get("defended") or {}).values()]
    for words in [*told, *(verdict.get("protected") or {}).get("words", [])]:
        console.print(Text(str(words)))
    if report is not None:
        console.print(f"Report: {report}", markup=False, highlight=False, soft_wrap=True)


def _number(value: Any, digits: int = 3) -> str:
    """Write a number with fixed digits, so that lines do not jump; a question mark for none."""
    return f"{value:.{digits}f}" if isinstance(value, int | float) else "?"


def _clock(seconds: float) -> str:
    """Write a duration as m:ss."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"

"""What benchmarks share: a federation is run, what it took is read off its run directory or /proc."""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from oleander import engines
from oleander.engines.processes import descendants
from oleander.rundir import RunDirectory
from oleander.scenario import Scenario
from task.settings import SettingsError

MEGABYTE = 2**10  # /proc counts in kilobytes
TICKS = os.sysconf("SC_CLK_TCK")
Cpu = dict[int, tuple[float, float, float]]
"""CPU seconds by process id: its own in user code, its own in the kernel, those of its children that have ended."""


class Watch:
    """Looks at the memory of all processes while a federation runs: many times in a round, or every so many seconds.

    That takes time itself: where rounds are short, what is timed is another run.

    Args:
        every: seconds between two looks; 0 for as often as the engine lets it.

    Attributes:
        most: the most memory seen, in MB (PSS: what processes share counts once), by the number of rounds done then.

    """

    def __init__(self, every: float = 0.0) -> None:
        self.every, self.most = every, dict[int, float]()
        self._seen = 0.0

    @property
    def peak(self) -> float:
        """The most of all."""
        return max(self.most.values())

    def look(self, run: RunDirectory) -> None:
        """Look, if it is time."""
        if time.monotonic() < self._seen + self.every:
            return
        self._seen, done = time.monotonic(), len(run.rounds())
        found = sum(map(pss, descendants(os.getpid()))) / MEGABYTE
        self.most[done] = max(found, self.most.get(done, 0.0))

    def over_rounds(self) -> str:
        """Say how the memory grew between the first rounds and the last."""
        first, last = min(number for number in self.most if number), max(self.most)
        return f"at most {self.peak:.0f} MB; in round {first + 1} {self.most[first]:.0f}, at last {self.most[last]:.0f}"


def run(
    chosen: Scenario,
    folder: Path,
    engine: str,
    *,
    data: str | None = None,
    stock: bool = False,
    watch: Watch | None = None,
) -> RunDirectory:
    """Run a settled scenario; return its directory."""
    made = RunDirectory.create(chosen, folder)
    job = engines.Job(scenario=chosen, run=made, data=data, stock=stock)
    engines.run(engine, job, (lambda: watch.look(made)) if watch else (lambda: None))
    return made


def command(main: Callable[[], None]) -> None:
    """Run a benchmark's command; a wrong request ends it with its reason and exit status 2."""
    try:
        main()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


def known(parser: argparse.ArgumentParser, names: Iterable[str], all_of_them: Iterable[str]) -> None:
    """Refuse a name that is none of them."""
    unknown = set(names) - set(all_of_them)
    if unknown:
        parser.error(f"expected names out of {', '.join(all_of_them)}, got {', '.join(sorted(unknown))}")


def seconds(made: RunDirectory) -> float:
    """Return the median seconds of the rounds after the first, in which each process does much for the first time."""
    return statistics.median(line["seconds"] for line in made.rounds()[1:])


def overhead(made: RunDirectory) -> float:
    """Return the median seconds of these rounds minus the slowest participant's own work."""
    return statistics.median(line["seconds"] - line["client_seconds"] for line in made.rounds()[1:])


def weights(made: RunDirectory) -> bytes:
    """Return the file of the final weights."""
    return (made.path / "global" / "final.safetensors").read_bytes()


def alike(one: RunDirectory, other: RunDirectory) -> str:
    """Say whether two runs end with the same weights, byte for byte."""
    return "same final weights" if weights(one) == weights(other) else "OTHER FINAL WEIGHTS"


def pss(pid: int) -> int:
    """Return a process's proportional set size in kilobytes, 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def cpu(pids: list[int]) -> Cpu:
    """Return what processes have computed."""
    found = {}
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        except OSError:  # a worker that has just ended: its parent has its seconds
            continue
        user, system, ended_user, ended_system = (int(field) / TICKS for field in fields[11:15])
        found[pid] = user, system, ended_user + ended_system
    return found

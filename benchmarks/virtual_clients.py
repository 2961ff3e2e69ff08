"""What a round of many virtual clients costs: quickened, by Flower's own simulation, and as a bare PyTorch loop.

    python -m benchmarks.virtual_clients [--clients 100 1000] [--rounds 6] [--stock-rounds 4] [--fraction 1.0]

Runs the scenario `virtual-clients` with `--engine ray` for each number of clients; with the same seed with Flower's own
simulation, and as a loop without Flower. Prints the median seconds of a round (the first is left out: every process
does something for the first time in it), their ratios, and whether the final weights of runs of the same length agree;
and in a run of its own the memory of all processes, and the CPU seconds of a round by kind of process.
"""

import argparse
import contextlib
import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import bare_loop
from benchmarks.running import Watch, alike, command, cpu, run, seconds
from oleander import scenario
from oleander.engines.processes import descendants
from oleander.preflight import settle
from oleander.rundir import RunDirectory
from oleander.scenario import Scenario

KINDS = {b"ray::Clients": "actors", b"oleander.engines.ray.simulation": "driver"}
OTHERS = "Ray's own"
FEWEST = 3  # rounds of which two can be compared


def federation(clients: int, number: int, fraction: float) -> Scenario:
    """Return the scenario with so many clients and rounds."""
    sizes = [f"federation.clients={clients}", f"federation.rounds={number}", f"federation.fraction={fraction}"]
    return settle(scenario.load("virtual-clients", [*sizes, "federation.devices=cpu"]), None)


class Works(Watch):
    """Looks at who computes, too.

    Attributes:
        worked: CPU seconds until then by kind of process, when it first saw so many rounds done.

    """

    def __init__(self) -> None:
        super().__init__()
        self.worked = dict[int, dict[str, float]]()

    def look(self, made: RunDirectory) -> None:
        """Look at the memory, and after a round at the seconds."""
        super().look(made)
        if max(self.most) not in self.worked:
            self.worked[max(self.most)] = by_kind(descendants(os.getpid()))

    def a_round(self) -> str:
        """Say what computes in a round after the first."""
        first, last = min(number for number in self.worked if number), max(self.worked)
        if last == first:
            return "the rounds were too short to tell"
        before, after = self.worked[first], self.worked[last]
        return ", ".join(f"{kind} {(after[kind] - before[kind]) / (last - first):.2f}" for kind in after)


def by_kind(pids: list[int]) -> dict[str, float]:
    """Return the CPU seconds of processes: the actors, the simulation's program, and Ray's own."""
    total = dict.fromkeys([*KINDS.values(), OTHERS], 0.0)
    for pid, (user, system, _) in cpu(pids).items():
        with contextlib.suppress(OSError):  # it has ended since
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            total[next((kind for part, kind in KINDS.items() if part in command), OTHERS)] += user + system
    return total


def compare(clients: int, options: argparse.Namespace, folder: Path) -> None:
    """Measure and print one number of clients."""
    chosen, watch = federation(clients, options.rounds, options.fraction), Works()
    quick = run(chosen, folder / "quick", "ray")
    ours = seconds(quick)
    print(f"{clients} clients: {ours:.2f} s a round")
    run(chosen, folder / "watched", "ray", watch=watch)
    print(f"{clients} clients, memory of all processes: {watch.over_rounds()}")
    print(f"{clients} clients, CPU seconds a round: {watch.a_round()}")
    if options.fraction == 1:
        taken, final = bare_loop.timed(chosen, None)
        alone = statistics.median(taken)
        same = bare_loop.alike(final, quick)
        times = f"{ours / alone:.1f} times as long with Flower"
        print(f"{clients} clients, a bare loop: {alone:.2f} s a round; {times}; {same}")
    if options.stock_rounds:
        short = federation(clients, options.stock_rounds, options.fraction)
        stock, brief = (run(short, folder / f"stock-{flag}", "ray", stock=flag) for flag in (True, False))
        theirs = seconds(stock)
        print(f"{clients} clients, stock: {theirs:.2f} s a round; {theirs / ours:.1f} times; {alike(stock, brief)}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--stock-rounds", type=int, default=4, help="of Flower's own simulation; 0 for none")
    parser.add_argument("--fraction", type=float, default=1.0, help="of the clients that are asked in a round")
    options = parser.parse_args(arguments)
    if options.rounds < FEWEST:
        parser.error(f"expected --rounds of {FEWEST} or more, got {options.rounds}")
    for clients in options.clients:
        with tempfile.TemporaryDirectory() as scratch:
            compare(clients, options, Path(scratch))


if __name__ == "__main__":
    command(main)

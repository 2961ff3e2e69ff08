"""What a round of many virtual clients costs: quickened, by Flower's own simulation, and as a bare PyTorch loop.

    python benchmarks/virtual_clients.py [--clients 100 1000] [--rounds 6] [--stock-rounds 3] [--fraction 1.0]

Runs the scenario `virtual-clients` with `--engine ray` for each number of clients; with the same seed with Flower's own
simulation, and as a loop without Flower. Prints the median seconds of a round (the first is left out: every process
does something for the first time in it), their ratios, the memory of all processes, the CPU seconds of a round by kind
of process, and whether the final weights of runs of the same length agree.
"""

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.bare_loop import Clients, rounds
from benchmarks.cpu_by_process import seconds_of
from benchmarks.round_overhead import MEGABYTE, pss, seconds, weights
from oleander import engines, scenario
from oleander.engines.processes import descendants
from oleander.preflight import settle
from oleander.rundir import RunDirectory
from oleander.scenario import Scenario


def federation(clients: int, number: int, fraction: float) -> Scenario:
    """Return the scenario with so many clients and rounds."""
    sizes = [f"federation.clients={clients}", f"federation.rounds={number}", f"federation.fraction={fraction}"]
    return settle(scenario.load("virtual-clients", [*sizes, "federation.devices=cpu"]), None)


def simulated(
    chosen: Scenario, folder: Path, *, stock: bool
) -> tuple[RunDirectory, list[float], list[tuple[int, dict[str, float]]]]:
    """Run it on Ray.

    Returns:
        Its directory, the memory of all processes in MB after each round that was seen, and the CPU seconds until then
        by kind of process, with the number of rounds.

    """
    run = RunDirectory.create(chosen, folder)
    memory: dict[int, float] = {}
    worked: list[tuple[int, dict[str, float]]] = []

    def tick() -> None:
        done = len(run.rounds())
        if done and done not in memory:
            pids = descendants(os.getpid())
            memory[done] = sum(map(pss, pids)) / MEGABYTE
            worked.append((done, by_kind(pids)))

    engines.run("ray", engines.Job(scenario=chosen, run=run, stock=stock), tick)
    return run, list(memory.values()), worked


def by_kind(pids: list[int]) -> dict[str, float]:
    """Return the CPU seconds of processes: the actors, the simulation's program, and Ray's own."""
    total = {"actors": 0.0, "driver": 0.0, "Ray's own": 0.0}
    for pid, (own, _) in seconds_of(pids).items():
        with contextlib.suppress(OSError):  # it has ended since
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            kinds = {b"ray::Clients": "actors", b"oleander.engines.ray.simulation": "driver"}
            total[next((kind for part, kind in kinds.items() if part in command), "Ray's own")] += own
    return total


def bare(chosen: Scenario) -> float:
    """Return the median seconds of a round of the bare loop."""
    taken, began = [], time.perf_counter()
    for _ in rounds(Clients(chosen, None)):
        taken.append(time.perf_counter() - began)
        began = time.perf_counter()
    return statistics.median(taken[1:])


def compare(clients: int, options: argparse.Namespace, folder: Path) -> None:
    """Measure and print one number of clients."""
    run, memory, worked = simulated(
        federation(clients, options.rounds, options.fraction), folder / "quick", stock=False
    )
    ours = seconds(run)
    grown = f"{memory[0]:.0f} MB after the first round, {memory[-1]:.0f} MB after the last" if memory else "unknown"
    print(f"{clients} clients: {ours:.2f} s a round; memory of all processes {grown}")
    if len(worked) > 1:
        (first, before), (last, after) = worked[0], worked[-1]
        each = ", ".join(f"{kind} {(after[kind] - before[kind]) / (last - first):.2f}" for kind in after)
        print(f"{clients} clients, CPU seconds a round: {each}")
    if options.fraction == 1:
        alone = bare(federation(clients, 3, 1))
        print(f"{clients} clients, a bare loop: {alone:.2f} s a round; {ours / alone:.1f} times as long with Flower")
    if options.stock_rounds:
        size = federation(clients, options.stock_rounds, options.fraction)
        (stock, *_), (same, *_) = (simulated(size, folder / f"stock-{flag}", stock=flag) for flag in (True, False))
        theirs = seconds(stock)
        print(f"{clients} clients, stock: {theirs:.2f} s a round; {theirs / ours:.0f} times as long as quickened")
        print(f"final weights byte for byte the same: {weights(stock) == weights(same)}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--stock-rounds", type=int, default=3, help="of Flower's own simulation; 0 for none")
    parser.add_argument("--fraction", type=float, default=1.0, help="of the clients that are asked in a round")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # as the participants do
    for clients in options.clients:
        with tempfile.TemporaryDirectory() as scratch:
            compare(clients, options, Path(scratch))


if __name__ == "__main__":
    main()

"""Measure the federation's overhead per round: the round's time minus the slowest client's own work.

    python benchmarks/round_overhead.py [--clients 5] [--rounds 20] [--stock-rounds 2] [--memory-rounds 100]

Runs gan-attack-digits (without starting its attack, which is the client's own work) with the warm fleet and, with the
same seed, with Flower's own commands; prints the median of both, their ratio, and whether the final weights of a
run of the same length agree. The first round is left out: every process does something for the first time in it. Beside
it, the memory of all processes of the warm fleet (PSS: what they share is counted once) over the rounds.
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path

from oleander import engines, scenario
from oleander.engines.processes import descendants
from oleander.rundir import RunDirectory

MANY, FEW = 10, 40
MEGABYTE = 2**10  # /proc counts in kilobytes


def federation(clients: int, rounds: int, folder: Path, *, stock: bool) -> tuple[RunDirectory, dict[int, float]]:
    """Run a federation; return its directory, and the memory in MB by the number of rounds that were done."""
    sizes = [f"federation.clients={clients}", f"federation.rounds={rounds}", f"clients.0.ids=[{clients - 1}]"]
    never = ["clients.0.options.start_accuracy=null", "clients.0.options.start_round=1000000", "federation.devices=cpu"]
    few = [f"task.partition.images={FEW}"] if clients > MANY else []  # there are 143 digits of a class to share
    chosen = scenario.load("gan-attack-digits", [*sizes, *never, *few])
    run = RunDirectory.create(chosen, folder)
    memory: dict[int, float] = {}

    def tick() -> None:
        done = len(run.rounds())
        if done and done not in memory and done % 5 == 0:
            memory[done] = sum(map(pss, descendants(os.getpid()))) / MEGABYTE

    engines.run("grpc", engines.Job(scenario=chosen, run=run, stock=stock), tick)
    return run, memory


def pss(pid: int) -> int:
    """Return a process's proportional set size in kilobytes, 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def overhead(run: RunDirectory) -> float:
    """Return the median overhead of the rounds after the first, in seconds."""
    return statistics.median(line["seconds"] - line["client_seconds"] for line in run.rounds()[1:])


def seconds(run: RunDirectory) -> float:
    """Return the median seconds of the rounds after the first."""
    return statistics.median(line["seconds"] for line in run.rounds()[1:])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=20, help="of the warm fleet")
    parser.add_argument("--stock-rounds", type=int, default=3, help="of stock Flower; 0 for none")
    parser.add_argument("--memory-rounds", type=int, default=0, help="of one more run that looks at the memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        run, memory = federation(options.clients, options.rounds, folder / "warm", stock=False)
        warm = overhead(run)
        print(f"warm fleet, {options.clients} SuperNodes: {warm:.2f} s overhead a round (median)")
        if options.stock_rounds:
            other, _ = federation(options.clients, options.stock_rounds, folder / "stock", stock=True)
            stock = overhead(other)
            print(f"stock Flower, {options.clients} SuperNodes: {stock:.2f} s overhead a round (median)")
            print(f"ratio: {stock / warm:.0f} times")
            same, _ = federation(options.clients, options.stock_rounds, folder / "same", stock=False)
            print(f"final weights byte for byte the same: {weights(same) == weights(other)}")
        if options.memory_rounds:
            _, memory = federation(options.clients, options.memory_rounds, folder / "memory", stock=False)
        for done, size in memory.items():
            print(f"memory of all processes after {done} rounds: {size:.0f} MB")


def weights(run: RunDirectory) -> bytes:
    """Return the file of the final weights."""
    return (run.path / "global" / "final.safetensors").read_bytes()


if __name__ == "__main__":
    main()

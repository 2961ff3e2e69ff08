"""Measure the federation's overhead per round: the round's time minus the slowest client's own work.

    python -m benchmarks.round_overhead [--clients 5] [--rounds 20] [--stock-rounds 4] [--memory-rounds 100]

Runs gan-attack-digits (without starting its attack, which is the client's own work) with the warm fleet and, with the
same seed, with Flower's own commands; prints the median of both, their ratio, and whether the final weights of a
run of the same length agree. The first round is left out: every process does something for the first time in it. Beside
it, in a run of its own, the memory of all processes of the warm fleet.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.running import Watch, alike, command, overhead, run
from oleander import scenario
from oleander.scenario import Scenario

MANY, FEW = 10, 40


def federation(clients: int, rounds: int) -> Scenario:
    """Return the scenario with so many clients and rounds."""
    sizes = [f"federation.clients={clients}", f"federation.rounds={rounds}", f"clients.0.ids=[{clients - 1}]"]
    never = ["clients.0.options.start_accuracy=null", "clients.0.options.start_round=1000000", "federation.devices=cpu"]
    few = [f"task.partition.images={FEW}"] if clients > MANY else []  # there are 143 digits of a class to share
    return scenario.load("gan-attack-digits", [*sizes, *never, *few])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=20, help="of the warm fleet")
    parser.add_argument("--stock-rounds", type=int, default=4, help="of stock Flower; 0 for none")
    parser.add_argument("--memory-rounds", type=int, default=0, help="of one more run that looks at the memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        warm = overhead(run(federation(options.clients, options.rounds), folder / "warm", "grpc"))
        print(f"warm fleet, {options.clients} SuperNodes: {warm:.2f} s overhead a round (median)")
        if options.stock_rounds:
            short = federation(options.clients, options.stock_rounds)
            other, same = (run(short, folder / f"stock-{flag}", "grpc", stock=flag) for flag in (True, False))
            stock = overhead(other)
            print(f"stock Flower, {options.clients} SuperNodes: {stock:.2f} s overhead a round (median)")
            print(f"ratio: {stock / warm:.0f} times; {alike(same, other)}")
        if options.memory_rounds:
            watch = Watch()
            run(federation(options.clients, options.memory_rounds), folder / "memory", "grpc", watch=watch)
            print(f"memory of all processes: {watch.over_rounds()}")


if __name__ == "__main__":
    command(main)

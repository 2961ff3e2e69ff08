"""Who computes in a round over gRPC: CPU seconds of each kind of process, beside a bare loop's.

    python -m benchmarks.cpu_by_process [--clients 11] [--images 5000] [--rounds 8] [--data DIR]

Runs gan-attack-mnist with honest users only (as `python -m benchmarks users` does), and counts from /proc, between the
end of the third round and that of the last but one: what takes cores from each other there is CPU time, not waiting.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks import bare_loop
from benchmarks.running import Cpu, Watch, command, cpu, run
from oleander import scenario
from oleander.engines.processes import descendants
from oleander.preflight import settle
from oleander.rundir import RunDirectory
from oleander.scenario import Scenario

FIRST = 3
KINDS = ("SuperLink", "SuperNodes", "ServerApp", "workers", "forking them")


class Twice(Watch):
    """Looks at what processes have computed after the third round and after the last but one."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.rounds, self.seen = rounds, dict[int, Cpu]()

    def look(self, made: RunDirectory) -> None:
        """Look, if it is one of these rounds."""
        done = len(made.rounds())
        if done in {FIRST, self.rounds - 1} and done not in self.seen:
            self.seen[done] = cpu(descendants(os.getpid()))

    def by_kind(self) -> dict[str, tuple[float, float]]:
        """Return CPU seconds a round by kind of process, and how many of them are the kernel's.

        The fleet's program comes first, and forks the others in this order. Of workers, which have ended, the kernel's
        part is not told apart.
        """
        before, after, between = self.seen[FIRST], self.seen[self.rounds - 1], self.rounds - 1 - FIRST
        program, link, *nodes, app = sorted(pid for pid in before if pid in after)

        def used(*pids: int) -> tuple[float, float]:
            grown = [[after[pid][part] - before[pid][part] for pid in pids] for part in (0, 1)]
            return sum(map(sum, grown)) / between, sum(grown[1]) / between

        workers = (after[program][2] - before[program][2]) / between
        values = used(link), used(*nodes), used(app), (workers, 0.0), used(program)
        return dict(zip(KINDS, values, strict=True))


def honest_users(clients: int, number: int, data: str | None, images: int = 5000) -> Scenario:
    """Return Sun's federation on MNIST of so many users and rounds, with honest users only.

    The one who steals in the paper learns as the others do: ten classes do not make eleven holders of one.
    """
    honest = ["clients=[]", f"task.partition={{kind: iid, images: {images}}}", "task.outputs=10"]
    sizes = [f"federation.clients={clients}", f"federation.rounds={number}", "federation.devices=cpu"]
    return settle(scenario.load("gan-attack-mnist", [*honest, *sizes]), data)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=11)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--data", default=os.environ.get("OLEANDER_DATA"), help="folder that holds MNIST")
    options = parser.parse_args()
    chosen = honest_users(options.clients, options.rounds, options.data, options.images)
    watch = Twice(options.rounds)
    with tempfile.TemporaryDirectory() as scratch:
        run(chosen, Path(scratch) / "run", "grpc", data=options.data, watch=watch)
    loop, _ = bare_loop.timed(chosen, options.data, time.process_time)
    found = watch.by_kind()
    for kind, (seconds, kernel) in found.items():
        of_it = f", {kernel:.2f} of it the kernel's" if kernel else ""
        print(f"{kind}: {seconds:.2f} s CPU a round{of_it}")
    total = sum(seconds for seconds, _ in found.values())
    print(f"together: {total:.2f} s CPU a round; a bare loop: {statistics.mean(loop):.2f} s")


if __name__ == "__main__":
    command(main)

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
from collections.abc import Callable
from pathlib import Path

from benchmarks.bare_loop import Clients, rounds
from oleander import engines, scenario
from oleander.engines.processes import descendants
from oleander.preflight import settle
from oleander.rundir import RunDirectory
from oleander.scenario import Scenario
from server_app.app import evaluation_set
from task.training import evaluate

FIRST = 3
KINDS = ("SuperLink", "SuperNodes", "ServerApp", "workers", "forking them")
TICKS = os.sysconf("SC_CLK_TCK")
Seconds = dict[int, tuple[float, float]]
"""CPU seconds by process id: its own, and those of its children that have ended."""


def seconds_of(pids: list[int]) -> Seconds:
    """Read what processes have used."""
    found = {}
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        except OSError:  # a worker that has just ended: its parent has its seconds
            continue
        user, system, ended_user, ended_system = (int(field) / TICKS for field in fields[11:15])
        found[pid] = user + system, ended_user + ended_system
    return found


def by_kind(before: Seconds, after: Seconds) -> dict[str, float]:
    """Return CPU seconds by kind of process: the fleet's program comes first, and forks the others in this order."""
    program, link, *nodes, app = sorted(pid for pid in before if pid in after)
    own = {pid: after[pid][0] - before[pid][0] for pid in (program, link, *nodes, app)}
    values = own[link], sum(own[pid] for pid in nodes), own[app], after[program][1] - before[program][1], own[program]
    return dict(zip(KINDS, values, strict=True))


def honest_users(clients: int, number: int, data: str | None, images: int = 5000) -> Scenario:
    """Return Sun's federation on MNIST of so many users and rounds, with honest users only.

    The one who steals in the paper learns as the others do: ten classes do not make eleven holders of one.
    """
    honest = ["clients=[]", f"task.partition={{kind: iid, images: {images}}}", "task.outputs=10"]
    sizes = [f"federation.clients={clients}", f"federation.rounds={number}", "federation.devices=cpu"]
    return settle(scenario.load("gan-attack-mnist", [*honest, *sizes]), data)


def bare(chosen: Scenario, data: str | None, clock: Callable[[], float]) -> list[float]:
    """Return what the rounds after the first take in a bare loop by a clock; it evaluates, as the server does."""
    clients, taken, began = Clients(chosen, data), [], clock()
    images, labels = evaluation_set(clients.dataset, chosen.task)
    for one in rounds(clients):
        clients.model.load_state_dict(one.aggregate)
        evaluate(clients.model, images, labels)
        taken.append(clock() - began)
        began = clock()
    return taken[1:]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=11)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--data", default=os.environ.get("OLEANDER_DATA"), help="folder that holds MNIST")
    options = parser.parse_args()
    chosen = honest_users(options.clients, options.rounds, options.data, options.images)
    seen: dict[int, Seconds] = {}
    with tempfile.TemporaryDirectory() as scratch:
        run = RunDirectory.create(chosen, Path(scratch) / "run")

        def tick() -> None:
            done = len(run.rounds())
            if done in {FIRST, options.rounds - 1} and done not in seen:
                seen[done] = seconds_of(descendants(os.getpid()))

        engines.run("grpc", engines.Job(scenario=chosen, run=run, data=options.data), tick)
    loop = statistics.mean(bare(chosen, options.data, time.process_time))
    between = options.rounds - 1 - FIRST
    total = 0.0
    for kind, seconds in by_kind(seen[FIRST], seen[options.rounds - 1]).items():
        total += seconds / between
        print(f"{kind}: {seconds / between:.2f} s CPU a round")
    print(f"together: {total:.2f} s CPU a round; a bare loop: {loop:.2f} s")


if __name__ == "__main__":
    main()

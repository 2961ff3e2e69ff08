"""Kill processes of a federation, each at a seeded moment, and look at what is left of the run.

    python benchmarks/faults.py [--each 20] [--seed 0] [--jobs 2]

A fault is one SIGKILL in one run of gan-attack-digits, with three clients and four rounds, of which everything is kept
that can be. The moment is a number of finished rounds, none being the start, and a time after it. What is stated:

- A worker (the process that answers one message) costs its client that reply at most, a SuperNode all that were to
  come. The run goes on to its last round and names who is missing. A SuperNode that dies before the server has got to
  know it ends the run.
- Without its ServerApp or its SuperLink a run ends, which exits with 1 and says who has died.
- In no case is a round lost that was finished, which Flower's own log tells, or a file broken, and neither a process
  nor a port is held.
"""

import argparse
import dataclasses
import json
import logging
import os
import random
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file

from oleander import engines, scenario
from oleander.engines.grpc.plan import Plan
from oleander.rundir import RunDirectory
from task.runs import read_arrays

CLIENTS, ROUNDS, VICTIM = 3, 4, 1
SMALL = (
    f"federation={{clients: {CLIENTS}, rounds: {ROUNDS}, min_replies: 1, join_timeout: 10, devices: cpu}}",
    f"federation.keep_global={list(range(1, ROUNDS + 1))}",
    f"clients.0.ids=[{CLIENTS - 1}]",
    "clients.0.options={target: [3], start_accuracy: null, start_round: 1, steps: 5}",
    "task.partition.images=40",
)
START_SECONDS, ROUND_SECONDS = 4.0, 0.8
"""The moment lies so long at most after the victim's own start, or after a round."""
Find = Callable[[RunDirectory], list[int]]


@dataclasses.dataclass(kw_only=True)
class Fault:
    """What became of one run."""

    struck: int = 0
    error: str = ""
    as_stated: bool = False
    rounds_lost: int = 0
    files_corrupted: list[str] = dataclasses.field(default_factory=list)
    processes_left: int = 0
    ports_held: int = 0


def processes(run: RunDirectory, log: str = "") -> list[int]:
    """Return the processes of a run, the eldest first: each writes its output into a log of the run's."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            output = str((entry / "fd" / "1").readlink())
            began = int((entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
        except OSError:  # it has ended, or is somebody else's
            continue
        if output.startswith(f"{run.logs}/{log}"):
            found.append((began, int(entry.name)))
    return [pid for _, pid in sorted(found)]


def went_on(run: RunDirectory, fault: Fault) -> bool:
    """Return whether a run came to its last round, and named everybody who was missing, the victim at most."""
    rounds = run.rounds()
    named = all(
        {failure["client"] for failure in line["failures"]} == set(range(CLIENTS)) - set(line["clients"]) <= {VICTIM}
        for line in rounds
    )
    return not fault.error and len(rounds) == ROUNDS and named and run.global_model() is not None


def lost_a_node(run: RunDirectory, fault: Fault) -> bool:
    """Return whether a run went on without the victim's SuperNode, or ended since that was not known yet."""
    if "did not start: it was ended by SIGKILL" in fault.error:
        return not run.rounds()
    lost = [(one["client"], one["pid"]) for one in run.environment().get("lost", [])]
    return went_on(run, fault) and lost == [(VICTIM, fault.struck)]


def ended(who: str) -> Callable[[RunDirectory, Fault], bool]:
    """Return a function that says whether a run ended, and named who had died."""
    return lambda _, fault: f"The {who} was ended by SIGKILL" in fault.error


KINDS: dict[str, tuple[Find, Callable[[RunDirectory, Fault], bool]]] = {
    "worker": (lambda run: processes(run, f"client-{VICTIM:02d}.log")[1:], went_on),
    "SuperNode": (lambda run: processes(run, f"client-{VICTIM:02d}.log")[:1], lost_a_node),
    "ServerApp": (lambda run: processes(run, "serverapp.log"), ended("ServerApp")),
    "SuperLink": (lambda run: processes(run, "superlink.log"), ended("SuperLink")),
}


def inject(kind: str, name: str, folder: Path) -> Fault:
    """Run a federation, kill one of its processes, and look at what is left.

    Args:
        kind: one of KINDS.
        name: of the fault, from which its moment is drawn; a moment that comes after the run's end is drawn again.
        folder: for the run directory, which stays there.

    """
    find, as_stated = KINDS[kind]
    chance, fault, tries = random.Random(f"{kind} {name}"), Fault(), 0  # noqa: S311 - nothing here is a secret
    while not fault.struck and not fault.error:
        after = chance.randrange(ROUNDS)
        pause = chance.uniform(0, ROUND_SECONDS if after else START_SECONDS)
        chosen = scenario.load("gan-attack-digits", SMALL)
        run = RunDirectory.create(chosen, folder / f"{kind}-{name}-{tries}")
        fault, tries = strike(engines.Job(scenario=chosen, run=run), find, after=after, pause=pause), tries + 1
    fault.as_stated = as_stated(run, fault)
    fault.rounds_lost = lost(run)
    fault.files_corrupted = [str(path) for path in run.path.rglob("*") if path.is_file() and is_corrupt(path)]
    return fault


def strike(job: engines.Job, find: Find, *, after: int, pause: float) -> Fault:
    """Run a federation, and kill what is found `pause` seconds after so many rounds, or the first from then on."""
    fault, over, addresses = Fault(), threading.Event(), list[tuple[str, int]]()

    def hunt() -> None:
        while (len(job.run.rounds()) < after or not (after or find(job.run))) and not over.wait(0.01):
            pass
        over.wait(pause)
        while not fault.struck and not over.wait(0.005):
            for pid in find(job.run)[:1]:
                os.kill(pid, signal.SIGKILL)
                fault.struck = pid

    hunter = threading.Thread(target=hunt)
    hunter.start()
    try:
        engines.run("grpc", job, lambda: addresses.extend(_ports(job.run, addresses)))
    except engines.EngineError as error:
        fault.error = str(error)
    finally:
        over.set()
        hunter.join()
    fault.processes_left = len(processes(job.run))
    fault.ports_held = sum(map(_held, addresses))
    return fault


def _ports(run: RunDirectory, known: Sequence[tuple[str, int]]) -> Iterable[tuple[str, int]]:
    """Return the addresses that a run listens at, as soon as they are decided; nothing if they are known."""
    path = run.path / "flower" / "plan.json"
    if known or not path.is_file():
        return []
    try:
        plan = Plan.load(str(path))
    except (OSError, ValueError):  # half written, or gone
        return []
    assert plan.server is not None  # noqa: S101 - for the type checker: all are on this host
    found = [plan.fleet, plan.server.address, *(node.address for node in plan.nodes)]
    return [(address.rpartition(":")[0], int(address.rpartition(":")[2])) for address in found]


def _held(address: tuple[str, int]) -> bool:
    """Return whether somebody has a port."""
    try:
        socket.create_server(address).close()
    except OSError:
        return True
    return False


def finished(run: RunDirectory) -> int:
    """Return how many rounds were finished, by the log of Flower's own: each has when the next has begun."""
    log = run.logs / "serverapp.log"
    return max(0, log.read_text(encoding="utf-8").count("[ROUND ") - 1) if log.is_file() else 0


def lost(run: RunDirectory) -> int:
    """Return how many rounds that were finished, or have a line that says so, lack it or the model that was kept."""
    lines, asked = {line["round"] for line in run.rounds()}, set(run.scenario.federation.keep_global)
    whole = {number for number in lines if number not in asked or number in run.global_rounds()}
    return max(finished(run), len(lines)) - len(whole)


def is_corrupt(path: Path) -> bool:
    """Return whether a file cannot be read as what its name says; a draft, whose name begins with a dot, is none."""
    readers: dict[str, Callable[[Path], object]] = {
        ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
        ".jsonl": lambda path: [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]],
        ".yaml": lambda path: yaml.safe_load(path.read_text(encoding="utf-8")),
        ".npz": read_arrays,
        ".safetensors": load_file,
    }
    if path.name.startswith(".") or path.suffix not in readers:
        return False
    try:
        readers[path.suffix](path)
    except Exception:  # noqa: BLE001 - whatever it is, the file cannot be read
        return True
    return path.suffix == ".jsonl" and not path.read_bytes().endswith(b"\n")


def main(arguments: Sequence[str] | None = None) -> list[Fault]:
    """Inject all faults, print the table, and return what became of the runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=20, help="faults of each kind")
    parser.add_argument("--seed", type=int, default=0, help="of their moments")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    options = parser.parse_args(arguments)
    names = ["faults injected", "runs ended as stated", "finished rounds lost", "files corrupted"]
    table = Table("killed", *names, "processes left running", "ports held")
    moments = [(kind, f"{options.seed}-{number}") for kind in KINDS for number in range(options.each)]
    logging.getLogger("oleander.engines").setLevel(logging.ERROR)  # it warns of every process that is killed
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        faults = list(pool.map(lambda moment: inject(*moment, Path(folder)), moments))
    for (kind, name), fault in zip(moments, faults, strict=True):
        if not fault.as_stated:
            Console(stderr=True).print(f"{kind} {name} did not end as stated: {fault}", markup=False)
    for kind in KINDS:
        table.add_row(kind, *_sums([fault for (one, _), fault in zip(moments, faults, strict=True) if one == kind]))
    table.add_section()
    table.add_row("all", *_sums(faults))
    Console(width=130).print(table)
    return faults


def _sums(faults: Sequence[Fault]) -> list[str]:
    """Return the numbers of a row."""
    return [
        str(len(faults)),
        str(sum(one.as_stated for one in faults)),
        str(sum(one.rounds_lost for one in faults)),
        str(sum(len(one.files_corrupted) for one in faults)),
        str(sum(one.processes_left for one in faults)),
        str(sum(one.ports_held for one in faults)),
    ]


if __name__ == "__main__":
    main()

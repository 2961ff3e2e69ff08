"""How a round's seconds and the memory of all processes grow: with clients, with parameters, with rounds.

    python -m benchmarks.growth [--out docs/images/growth.png] [--quick] [--data DIR]

Clients: `virtual-clients` on Ray, all of them asked. Parameters: three SuperNodes over gRPC, the shared models from the
smallest to the largest on images of 28x28 or, where MNIST is not at hand, of 8x8, with their training. Rounds: three
SuperNodes again. Medians of the rounds after the first; memory is PSS, so that what processes share counts once.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import torch
from matplotlib import pyplot as plt

from benchmarks.round_overhead import MEGABYTE, pss, seconds
from oleander import engines, scenario
from oleander.engines.processes import descendants
from oleander.preflight import settle
from oleander.rundir import RunDirectory
from task import models
from task.datasets import load_task
from task.settings import SettingsError


@dataclass(frozen=True)
class Point:
    """What a federation of a size cost: the median seconds of a round, and the most memory in MB."""

    size: int
    seconds: float
    memory: float


def measure(name: str, changes: Sequence[str], size: int, engine: str, data: str | None) -> Point:
    """Run a scenario and return what it cost."""
    chosen = settle(scenario.load(name, [*changes, "federation.devices=cpu"]), data)
    most, seen = 0.0, 0
    with tempfile.TemporaryDirectory() as scratch:
        run = RunDirectory.create(chosen, Path(scratch) / "run")

        def tick() -> None:
            nonlocal most, seen
            done = len(run.rounds())
            if done > seen and (done - seen) * 20 >= chosen.federation.rounds:  # at most twenty times
                most, seen = max(most, sum(map(pss, descendants(os.getpid()))) / MEGABYTE), done

        engines.run(engine, engines.Job(scenario=chosen, run=run, data=data), tick)
        return Point(size, seconds(run), most)


def clients(counts: Sequence[int]) -> list[Point]:
    """Return the points of growing numbers of virtual clients."""
    return [
        measure("virtual-clients", [f"federation.clients={count}", "federation.rounds=5"], count, "ray", None)
        for count in counts
    ]


def parameters(names: Sequence[str], data: str | None) -> list[Point]:
    """Return the points of shared models, by the number of their parameters."""
    small = ["clients=[]", "federation.clients=3", "federation.rounds=6", "task.outputs=10"]
    base = ["task.partition={kind: iid, images: 32}", "task.batch_size=32", "task.images_per_round=null"]
    found = []
    for name in names:
        for dataset in ("mnist", "digits"):
            changes = [*small, *base, f"task.dataset={dataset}", f"task.model={name}"]
            try:
                task = settle(scenario.load("gan-attack-digits", changes), data).task
                shape = load_task(task, data).shape
            except SettingsError:  # no such data here, or images too small for the model
                continue
            made = models.build(name, shape, 10, torch.Generator())
            size = sum(part.numel() for part in made.state_dict().values())
            found.append(measure("gan-attack-digits", changes, size, "grpc", data))
            break
    return sorted(found, key=lambda point: point.size)


def rounds(counts: Sequence[int]) -> list[Point]:
    """Return the points of growing numbers of rounds."""
    small = ["clients=[]", "federation.clients=3", "task.partition.images=40"]
    return [
        measure("gan-attack-digits", [*small, f"federation.rounds={count}"], count, "grpc", None) for count in counts
    ]


def draw(growth: dict[str, list[Point]], path: Path) -> None:
    """Draw seconds and memory over each size, on logarithmic axes."""
    figure, axes = plt.subplots(2, len(growth), figsize=(3.2 * len(growth), 4.6), sharex="col", layout="constrained")
    for column, (what, points) in enumerate(growth.items()):
        for row, (label, values) in enumerate(
            (("seconds a round", [one.seconds for one in points]), ("memory, MB", [one.memory for one in points]))
        ):
            axis = axes[row][column]
            axis.plot([one.size for one in points], values, "o-", color="#d6407f", markersize=4)
            axis.set(xscale="log", yscale="log", ylabel=label if not column else "", xlabel=what if row else "")
            axis.grid(which="both", alpha=0.2)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("growth.png"))
    parser.add_argument("--quick", action="store_true", help="small sizes, in minutes")
    parser.add_argument("--data", default=os.environ.get("OLEANDER_DATA"), help="folder of the data sets")
    given = parser.parse_args()
    mpl.use("agg")
    torch.set_num_threads(1)
    names = ["softmax-regression", "digits-cnn", "sun-cnn", "wang-cnn-quarter", "wang-cnn-half", "wang-cnn"]
    growth = {
        "clients (Ray)": clients([10, 100] if given.quick else [10, 100, 1000, 2000, 5000]),
        "parameters (gRPC, 3 SuperNodes)": parameters(names[:2] if given.quick else [*names, "chen-cnn"], given.data),
        "rounds (gRPC, 3 SuperNodes)": rounds([10, 30] if given.quick else [10, 100, 1000]),
    }
    for what, points in growth.items():
        print(what)
        for point in points:
            print(f"  {point.size:>9,d}: {point.seconds:7.3f} s a round, {point.memory:6.0f} MB at most")
        first, last = points[0], points[-1]
        print(f"  {last.size / first.size:.0f} times the size, {last.seconds / first.seconds:.1f} times the seconds")
    draw(growth, given.out)


if __name__ == "__main__":
    main()

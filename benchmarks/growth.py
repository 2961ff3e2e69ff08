"""How a round's seconds and the memory of all processes grow: with clients, nodes, parameters, rounds.

    python -m benchmarks.growth [--out docs/growth.png] [--quick]

Clients: `virtual-clients` on Ray, all of them asked. SuperNodes, parameters and rounds: digits over gRPC, of which the
parameters' models take larger and larger images; once more with a server that keeps every update for an attack. Medians
of the rounds after the first; memory is PSS, so that what processes share counts once, the most of many looks a round.
"""

import argparse
import dataclasses
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import torch
from matplotlib import pyplot as plt

from benchmarks import round_overhead, virtual_clients
from benchmarks.running import Watch, command, run, seconds
from oleander import scenario
from oleander.preflight import settle
from oleander.scenario import Scenario
from task import models

MEMORY_ROUNDS = 3
SECONDS, MEGABYTES = (0.1, 0.3, 1, 3, 10), (500, 1000, 2000, 4000, 8000)
CAPTURING = ("server.attack=model-inversion", "server.attack_options={steps: 1, denoise_every: 0}")
SIZES = (("softmax-regression", 32), ("chen-cnn", 16), ("chen-cnn", 28), ("chen-cnn", 44), ("chen-cnn", 84))


@dataclass(frozen=True)
class Point:
    """What a federation of a size cost: the median seconds of a round, and the most memory in MB."""

    size: int
    seconds: float
    memory: float


def measure(chosen: Scenario, size: int, engine: str) -> Point:
    """Run a scenario twice, for the seconds and for the memory, and return what it cost."""
    with tempfile.TemporaryDirectory() as scratch:
        made, watch = run(chosen, Path(scratch) / "timed", engine), Watch()
        brief = dataclasses.replace(chosen, federation=dataclasses.replace(chosen.federation, rounds=MEMORY_ROUNDS))
        run(brief, Path(scratch) / "watched", engine, watch=watch)
        return Point(size, seconds(made), watch.peak)


def clients(counts: Sequence[int]) -> list[Point]:
    """Return the points of growing numbers of virtual clients."""
    return [measure(virtual_clients.federation(count, 5, 1.0), count, "ray") for count in counts]


def nodes(counts: Sequence[int]) -> list[Point]:
    """Return the points of growing numbers of SuperNodes."""
    return [measure(round_overhead.federation(count, 8), count, "grpc") for count in counts]


def parameters(sizes: Sequence[tuple[str, int]], attack: Sequence[str] = ()) -> list[Point]:
    """Return the points of shared models, by the number of their parameters: a model, and the side of its images."""
    small = ["clients=[]", "federation.clients=3", "federation.rounds=6", "federation.devices=cpu", "task.outputs=10"]
    base = ["task.partition={kind: iid, images: 8}", "task.batch_size=8", "task.images_per_round=null"]
    found = []
    for name, side in sizes:
        changes = [*small, *base, f"task.model={name}", f"task.image_size={side}", *attack]
        chosen = settle(scenario.load("gan-attack-digits", changes), None)
        made = models.build(name, (1, side, side), 10, torch.Generator())
        found.append(measure(chosen, sum(part.numel() for part in made.parameters()), "grpc"))
    return found


def rounds(counts: Sequence[int]) -> list[Point]:
    """Return the points of growing numbers of rounds, whose memory is looked at every five seconds in the same run."""
    small = ["clients=[]", "federation.clients=3", "federation.devices=cpu", "task.partition.images=40"]
    found = []
    for count in counts:
        chosen, watch = scenario.load("gan-attack-digits", [*small, f"federation.rounds={count}"]), Watch(every=5.0)
        with tempfile.TemporaryDirectory() as scratch:
            made = run(chosen, Path(scratch) / "run", "grpc", watch=watch)
            found.append(Point(count, seconds(made), watch.peak))
    return found


def short(size: int) -> str:
    """Return a size as a label: 10, 1k, 2.1M."""
    for unit, name in ((10**6, "M"), (10**3, "k")):
        if size >= unit:
            return f"{round(size / unit, 1 if size < 10 * unit else None):g}{name}"
    return str(size)


def draw(growth: dict[str, list[Point]], path: Path) -> None:
    """Draw seconds and memory over each size, on logarithmic axes that all sizes share."""
    figure, axes = plt.subplots(
        2, len(growth), figsize=(2.6 * len(growth), 4.6), sharex="col", sharey="row", layout="constrained"
    )
    for column, (what, points) in enumerate(growth.items()):
        for row, (label, values, ticks) in enumerate(
            (
                ("seconds a round", [one.seconds for one in points], SECONDS),
                ("memory of all processes, MB", [one.memory for one in points], MEGABYTES),
            )
        ):
            axis = axes[row][column]
            axis.plot([one.size for one in points], values, "o-", color="#d6407f", markersize=4)
            axis.set(xscale="log", yscale="log", ylabel="" if column else label, xlabel=what if row else "")
            axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
            axis.yaxis.set_minor_formatter("")
            axis.set_xticks([one.size for one in points], [short(one.size) for one in points], fontsize=7)
            axis.xaxis.set_minor_formatter("")
            axis.set_ylim(ticks[0], ticks[-1])
            axis.grid(which="major", alpha=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("growth.png"))
    parser.add_argument("--quick", action="store_true", help="small sizes, in minutes")
    given = parser.parse_args()
    mpl.use("agg")
    torch.set_num_threads(1)
    quick = given.quick
    kinds = {
        "clients (Ray)": lambda: clients([10, 100] if quick else [10, 100, 1000, 2000, 5000]),
        "SuperNodes (gRPC)": lambda: nodes([3, 5] if quick else [3, 5, 10, 20]),
        "parameters (3 SuperNodes)": lambda: parameters(SIZES[:2] if quick else SIZES),
        "parameters, updates kept": lambda: parameters(SIZES[:2] if quick else SIZES, CAPTURING),
        "rounds (3 SuperNodes)": lambda: rounds([10, 30] if quick else [10, 100, 1000]),
    }
    growth = {}
    for what, measured in kinds.items():
        growth[what] = points = measured()
        print(what)
        for point in points:
            print(f"  {point.size:>10,d}: {point.seconds:7.3f} s a round, {point.memory:6.0f} MB at most")
        first, last = points[0], points[-1]
        times = (
            f"{last.seconds / first.seconds:.1f} times the seconds, {last.memory / first.memory:.1f} times the memory"
        )
        print(f"  {last.size / first.size:.0f} times the size, {times}", flush=True)
    draw(growth, given.out)


if __name__ == "__main__":
    command(main)

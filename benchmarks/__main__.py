"""Every cost beside its alternative, side by side in one run: `python -m benchmarks [NAME ...] [--full] [--data DIR]`.

Without names all rows are measured, in the quick form (minutes on two cores); `--full` takes larger sizes (half an
hour, most of it stock Flower's). Seconds are medians; a ratio says how many times as long the alternative takes.
Rows that need MNIST are left out where `--data` (else $OLEANDER_DATA) does not have it.

`--save benchmarks/ratios.json` puts what was measured in place of the rows of the same names in that file; tests
measure small forms of some of them, and fail where a ratio is less than a quarter of the one that is kept.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from task.settings import SettingsError


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measured cost.

    Attributes:
        measure: what was done.
        ours: in seconds.
        other: the same of the alternative, in seconds; None where there is none.
        beside: what the alternative is.
        note: what else was seen.

    """

    measure: str
    ours: float
    other: float | None = None
    beside: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times as long the alternative takes."""
        return None if self.other is None else self.other / self.ours


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How to measure: in full or quickly, with which data, and where files may lie that are of no use afterwards."""

    full: bool
    data: str | None
    scratch: Path


def command(choice: Choice) -> list[Row]:
    """Return how long the command takes to answer."""
    rows = []
    for words in (["--help"], ["list"]):
        taken = []
        for _ in range(9 if choice.full else 3):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-m", "oleander", *words], check=True, capture_output=True)  # noqa: S603
            taken.append(time.perf_counter() - began)
        rows.append(Row(measure=f"oleander {' '.join(words)}", ours=statistics.median(taken)))
    return rows


def rounds(choice: Choice) -> list[Row]:
    """Return the seconds of a round of real processes, of three SuperNodes beside stock Flower's and of twenty."""
    from benchmarks.round_overhead import federation, overhead, seconds, weights  # noqa: PLC0415

    warm, _ = federation(3, 30 if choice.full else 6, choice.scratch / "warm", stock=False)
    stock, _ = federation(3, 4 if choice.full else 2, choice.scratch / "stock", stock=True)
    same, _ = federation(3, 4 if choice.full else 2, choice.scratch / "same", stock=False)
    alike = "same final weights" if weights(same) == weights(stock) else "OTHER FINAL WEIGHTS"
    rows = [
        Row(
            measure="a round over gRPC, 3 SuperNodes",
            ours=seconds(warm),
            other=seconds(stock),
            beside="stock Flower",
            note=alike,
        )
    ]
    many, memory = federation(20, 20 if choice.full else 6, choice.scratch / "many", stock=False)
    note = f"all processes together {max(memory.values()):.0f} MB"
    return [*rows, Row(measure="overhead of a round over gRPC, 20 SuperNodes", ours=overhead(many), note=note)]


def ray(choice: Choice) -> list[Row]:
    """Return the seconds of a round of many virtual clients, beside stock Flower's simulation and a bare loop."""
    from benchmarks.round_overhead import seconds, weights  # noqa: PLC0415
    from benchmarks.virtual_clients import bare, federation, simulated  # noqa: PLC0415

    rows = []
    for clients in (1000, 5000) if choice.full else (200,):
        folder = choice.scratch / str(clients)
        run, memory, _ = simulated(federation(clients, 8, 1.0), folder / "quick", stock=False)
        stock, *_ = simulated(federation(clients, 2, 1.0), folder / "stock", stock=True)
        same, *_ = simulated(federation(clients, 2, 1.0), folder / "same", stock=False)
        alike = "same final weights" if weights(same) == weights(stock) else "OTHER FINAL WEIGHTS"
        what = f"a round on Ray, {clients} virtual clients"
        grown = f"all processes {memory[0]:.0f} MB after the first round, {memory[-1]:.0f} MB after the last"
        loop = bare(federation(clients, 4, 1.0))
        rows += [
            Row(measure=what, ours=seconds(run), other=seconds(stock), beside="stock Flower", note=f"{alike}; {grown}"),
            Row(measure=what, ours=seconds(run), other=loop, beside="a bare loop on one core"),
        ]
    if choice.full:
        run, *_ = simulated(federation(10_000, 8, 0.1), choice.scratch / "sampled", stock=False)
        rows.append(Row(measure="a round on Ray, 1,000 sampled of 10,000 clients", ours=seconds(run)))
    return rows


def users(choice: Choice) -> list[Row]:
    """Return the seconds of a round of Sun's eleven users, all of them honest, beside a bare loop."""
    from benchmarks.cpu_by_process import bare, honest_users  # noqa: PLC0415
    from benchmarks.round_overhead import seconds  # noqa: PLC0415
    from oleander import engines  # noqa: PLC0415
    from oleander.rundir import RunDirectory  # noqa: PLC0415

    chosen = honest_users(11, 20 if choice.full else 5, choice.data)
    run = RunDirectory.create(chosen, choice.scratch / "users")
    engines.run("grpc", engines.Job(scenario=chosen, run=run, data=choice.data))
    loop = statistics.median(bare(chosen, choice.data, time.perf_counter))
    return [Row(measure="a round of Sun's 11 users on MNIST", ours=seconds(run), other=loop, beside="a bare loop")]


def representatives(choice: Choice) -> list[Row]:
    """Return the seconds of ten clients' representatives, beside SciPy's one by one."""
    import torch  # noqa: PLC0415 - `--help` does not wait for it

    from benchmarks.representatives import WAYS, compare, federation  # noqa: PLC0415

    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    model, updates, _ = federation(choice.data, 3)
    names = {"all layers": "batched, L-BFGS", "last layer first": "batched, both, L-BFGS"}
    names |= {"last layer alone": "batched, last layer, L-BFGS"}
    found = [list(compare(model, updates, {name: WAYS[name] for name in names.values()})) for _ in range(3)]
    torch.set_num_threads(threads)
    rows = []
    scipy, *ours = zip(*found, strict=True)
    other = statistics.median(one.seconds for one in scipy)
    for name, times in zip(names, ours, strict=True):
        note = f"objective {statistics.mean(times[0].losses):.4f}, SciPy's {statistics.mean(scipy[0].losses):.4f}"
        what, took = f"representatives of 10 clients, {name}", statistics.median(one.seconds for one in times)
        rows.append(Row(measure=what, ours=took, other=other, beside="SciPy, one by one", note=note))
    return rows


def passive(choice: Choice) -> list[Row]:
    """Return what passive mGAN-AI adds to a round of ten clients."""
    from oleander import engines, scenario  # noqa: PLC0415
    from oleander.preflight import settle  # noqa: PLC0415
    from oleander.rundir import RunDirectory  # noqa: PLC0415

    begin = "server.attack_options.start_round=2"
    changes = ["federation.devices=cpu", f"federation.rounds={12 if choice.full else 6}", begin]
    chosen = settle(scenario.load("mgan-ai-passive-mnist", changes), choice.data)
    run = RunDirectory.create(chosen, choice.scratch / "passive")
    engines.run("grpc", engines.Job(scenario=chosen, run=run, data=choice.data))
    taken = statistics.median(line["attack_seconds"] for line in run.rounds()[2:])
    return [Row(measure="passive mGAN-AI in a round, N = 10, MNIST", ours=taken)]


def look_alikes(choice: Choice) -> list[Row]:
    """Return how long Anti-GAN takes before the first round."""
    import torch  # noqa: PLC0415 - as above

    from benchmarks.anti_gan_fit import seconds, sixes  # noqa: PLC0415
    from defenses.anti_gan import Options  # noqa: PLC0415

    torch.set_num_threads(1)
    own = sixes(5000, choice.data)
    taken = [sum(seconds(own, Options(), 1000)) for _ in range(3 if choice.full else 1)]
    return [Row(measure="Anti-GAN's fit and 1,000 look-alikes of 28x28, one core", ours=statistics.median(taken))]


MEASURES: dict[str, Callable[[Choice], list[Row]]] = {
    "command": command,
    "rounds": rounds,
    "ray": ray,
    "users": users,
    "representatives": representatives,
    "passive": passive,
    "look-alikes": look_alikes,
}


def machine() -> str:
    """Say what this machine is."""
    from importlib.metadata import version  # noqa: PLC0415

    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "flwr", "ray"))
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {platform.machine()}, Python {platform.python_version()}, {packages}"


def save(rows: list[Row], path: Path) -> None:
    """Write rows to a file, each with the machine that it was measured on; others that are there already stay.

    `{"measure, beside alternative": {"seconds": ..., "alternative": ..., "ratio": ..., "note": ..., "machine": ...}}`.
    """
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for row in rows:
        seconds = {"seconds": round(row.ours, 3), "alternative": None if row.other is None else round(row.other, 3)}
        ratio = None if row.ratio is None else round(row.ratio, 2)
        name = f"{row.measure}, beside {row.beside}" if row.beside else row.measure
        kept[name] = {**seconds, "ratio": ratio, "note": row.note, "machine": machine()}
    path.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def line(row: Row) -> str:
    """Return a row of a table in Markdown."""
    beside = f"{row.other:.2f} s ({row.beside})" if row.other is not None else ""
    ratio = f"{row.ratio:.1f}" if row.ratio is not None else ""
    return f"| {row.measure} | {row.ours:.2f} s | {beside} | {ratio} | {row.note} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--data", default=os.environ.get("OLEANDER_DATA"), help="folder of the data sets")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep what was measured there, as JSON")
    given = parser.parse_args()
    unknown = set(given.names) - set(MEASURES)
    if unknown:
        parser.error(f"expected names out of {', '.join(MEASURES)}, got {', '.join(sorted(unknown))}")
    print(machine(), "| measure | ours | alternative | ratio | |", "|---|---|---|---|---|", sep="\n", flush=True)
    for name in given.names or MEASURES:
        with tempfile.TemporaryDirectory() as scratch:
            try:
                rows = MEASURES[name](Choice(full=given.full, data=given.data, scratch=Path(scratch)))
            except SettingsError as error:
                print(f"| {name} | not measured: {error} | | | |", flush=True)
                continue
        for row in rows:
            print(line(row), flush=True)
        if given.save:
            save(rows, given.save)


if __name__ == "__main__":
    main()

"""Every cost beside its alternative, side by side in one run: `python -m benchmarks [NAME ...] [--full] [--data DIR]`.

Without names all rows are measured, in the quick form (minutes on two cores); `--full` takes larger sizes (half an
hour, most of it stock Flower's). Seconds are medians; a ratio says how many times as long the alternative takes.
Rows that need MNIST are left out where `--data` (else $OLEANDER_DATA) does not have it, and refused if asked for by
name.

`--save benchmarks/ratios.json` puts what was measured in place of the rows of the same names in that file; tests
measure small forms of some of them, and fail where a ratio is less than an eighth of the one that is kept.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rows import Row, line, machine, save
from benchmarks.running import known
from task.settings import SettingsError


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
    """Return the seconds of a round of real processes beside stock Flower's, and what more SuperNodes cost."""
    from benchmarks.round_overhead import federation  # noqa: PLC0415
    from benchmarks.running import Watch, alike, overhead, run, seconds  # noqa: PLC0415

    number, few = (30, 6) if choice.full else (10, 4)
    warm = run(federation(3, number), choice.scratch / "warm", "grpc")
    stock, same = (run(federation(3, few), choice.scratch / str(flag), "grpc", stock=flag) for flag in (True, False))
    rows = [
        Row(
            measure="a round over gRPC, 3 SuperNodes",
            ours=seconds(warm),
            other=seconds(stock),
            beside="stock Flower",
            note=f"{alike(stock, same)}; medians of {number - 1} and {few - 1} rounds",
        )
    ]
    for nodes in (3, 10, 20):
        timed, watch = run(federation(nodes, number), choice.scratch / f"{nodes}-nodes", "grpc"), Watch()
        run(federation(nodes, few), choice.scratch / f"{nodes}-watched", "grpc", watch=watch)
        memory = f"all processes at most {watch.peak:.0f} MB, {watch.peak / nodes:.0f} a node"
        what, note = f"overhead of a round over gRPC, {nodes} SuperNodes", f"a round {seconds(timed):.2f} s; {memory}"
        rows.append(Row(measure=what, ours=overhead(timed), note=note))
    return rows


def ray(choice: Choice) -> list[Row]:
    """Return the seconds of a round of many virtual clients, beside stock Flower's simulation and a bare loop."""
    from benchmarks import bare_loop  # noqa: PLC0415
    from benchmarks.running import Watch, alike, run, seconds  # noqa: PLC0415
    from benchmarks.virtual_clients import federation  # noqa: PLC0415

    rows = []
    for clients, few in ((1000, 4), (5000, 3)) if choice.full else ((200, 4),):
        folder, chosen, watch = choice.scratch / str(clients), federation(clients, 8, 1.0), Watch()
        quick = run(chosen, folder / "quick", "ray")
        run(federation(clients, 12, 1.0), folder / "watched", "ray", watch=watch)
        short = federation(clients, few, 1.0)
        stock, same = (run(short, folder / f"stock-{flag}", "ray", stock=flag) for flag in (True, False))
        taken, final = bare_loop.timed(chosen, None)
        what = f"a round on Ray, {clients} virtual clients"
        note = f"{alike(stock, same)}; medians of 7 and {few - 1} rounds; all processes {watch.over_rounds()}"
        loop, on_one = statistics.median(taken), "a bare loop on one core"
        rows += [
            Row(measure=what, ours=seconds(quick), other=seconds(stock), beside="stock Flower", note=note),
            Row(measure=what, ours=seconds(quick), other=loop, beside=on_one, note=bare_loop.alike(final, quick)),
        ]
    if choice.full:
        sampled = run(federation(10_000, 8, 0.1), choice.scratch / "sampled", "ray")
        rows.append(Row(measure="a round on Ray, 1,000 sampled of 10,000 clients", ours=seconds(sampled)))
    return rows


def users(choice: Choice) -> list[Row]:
    """Return the seconds of a round of Sun's eleven users, all of them honest, beside a bare loop."""
    from benchmarks import bare_loop  # noqa: PLC0415
    from benchmarks.cpu_by_process import honest_users  # noqa: PLC0415
    from benchmarks.running import run, seconds  # noqa: PLC0415

    chosen = honest_users(11, 20 if choice.full else 5, choice.data)
    made = run(chosen, choice.scratch / "users", "grpc", data=choice.data)
    taken, final = bare_loop.timed(chosen, choice.data)
    return [
        Row(
            measure="a round of Sun's 11 users on MNIST",
            ours=seconds(made),
            other=statistics.median(taken),
            beside="a bare loop on one core",
            note=bare_loop.alike(final, made),
        )
    ]


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


def membership(choice: Choice) -> list[Row]:
    """Return the seconds of the in / out networks of ten labels, at once and one after the other."""
    import torch  # noqa: PLC0415 - as above

    from attacks.class_membership import Networks, Options, fit  # noqa: PLC0415
    from task.seeding import generator  # noqa: PLC0415

    labels, records, draws = 10, 1000, generator(0, "vectors")
    vectors, told = torch.rand(labels * records, labels, generator=draws), torch.arange(labels * records) % labels
    member = torch.rand(labels * records, generator=draws).round().bool()

    def learn(chosen: torch.Tensor, classes: int) -> Networks:
        own = told[chosen] if classes > 1 else torch.zeros(int(chosen.sum()), dtype=torch.int64)
        kept = vectors[chosen], own, member[chosen]
        return fit(*kept, classes=classes, options=Options(), generator=generator(0, "networks"))

    threads, taken = torch.get_num_threads(), []
    torch.set_num_threads(1)
    for _ in range(5 if choice.full else 3):
        began = time.perf_counter()
        learn(told >= 0, labels)
        middle = time.perf_counter()
        for label in range(labels):
            learn(told == label, 1)
        taken.append((middle - began, time.perf_counter() - middle))
    torch.set_num_threads(threads)
    ours, other = (statistics.median(column) for column in zip(*taken, strict=True))
    what = f"class-level membership, networks of {labels} labels, {records} records each"
    return [Row(measure=what, ours=ours, other=other, beside="one by one")]


def passive(choice: Choice) -> list[Row]:
    """Return what passive mGAN-AI adds to a round of ten clients."""
    from benchmarks.running import run  # noqa: PLC0415
    from oleander import scenario  # noqa: PLC0415
    from oleander.preflight import settle  # noqa: PLC0415

    begin = "server.attack_options.start_round=2"
    changes = ["federation.devices=cpu", f"federation.rounds={12 if choice.full else 6}", begin]
    chosen = settle(scenario.load("mgan-ai-passive-mnist", changes), choice.data)
    made = run(chosen, choice.scratch / "passive", "grpc", data=choice.data)
    taken = statistics.median(line["attack_seconds"] for line in made.rounds()[2:])
    return [Row(measure="passive mGAN-AI in a round, N = 10, MNIST", ours=taken)]


def look_alikes(choice: Choice) -> list[Row]:
    """Return how long Anti-GAN takes before the first round."""
    import torch  # noqa: PLC0415 - as above

    from benchmarks.anti_gan_fit import seconds, sixes  # noqa: PLC0415
    from defenses.anti_gan import Options  # noqa: PLC0415

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    own = sixes(5000, choice.data)
    taken = [sum(seconds(own, Options(), 1000)) for _ in range(3 if choice.full else 1)]
    torch.set_num_threads(threads)
    return [Row(measure="Anti-GAN's fit and 1,000 look-alikes of 28x28, one core", ours=statistics.median(taken))]


MEASURES: dict[str, Callable[[Choice], list[Row]]] = {
    "command": command,
    "rounds": rounds,
    "ray": ray,
    "users": users,
    "representatives": representatives,
    "membership": membership,
    "passive": passive,
    "look-alikes": look_alikes,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--data", default=os.environ.get("OLEANDER_DATA"), help="folder of the data sets")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep what was measured there, as JSON")
    given = parser.parse_args()
    known(parser, given.names, MEASURES)
    print(machine(), "| measure | ours | alternative | ratio | |", "|---|---|---|---|---|", sep="\n", flush=True)
    for name in given.names or MEASURES:
        with tempfile.TemporaryDirectory() as scratch:
            try:
                rows = MEASURES[name](Choice(full=given.full, data=given.data, scratch=Path(scratch)))
            except SettingsError as error:
                if given.names:
                    parser.error(f"{name}: {error}")
                print(f"| {name} | not measured: {error} | | | |", flush=True)
                continue
        for row in rows:
            print(line(row), flush=True)
        if given.save:
            save(rows, given.save)


if __name__ == "__main__":
    main()

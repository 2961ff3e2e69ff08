"""The figures of Luo's paper from our runs: RIAFI along its settings, look-alikes, pixels, and the generator's loss."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from oleander.judge.curves import COLOURS
from oleander.judge.server import SERVER
from oleander.judge.statistics import mean_interval
from oleander.report import luo_points, published
from oleander.report.gather import Gathered
from oleander.report.luo_points import Measured, Point, measured, point
from oleander.report.pictures import figure_uri
from oleander.report.ranking import values
from oleander.report.results import NAMES

Curves = dict[str, dict[float, tuple[float, float, float]]]
KINDS = {
    "riafi_own": "RIAFI, own images",
    "riafi": "RIAFI, held-out",
    "seen": "look-alikes seen as the class",
    "stolen": "stolen images recognised",
    "stolen_adaptive": "… by who knows the defence",
}


def drawings(runs: Sequence[Gathered]) -> list[tuple[str, str]]:
    """Return (caption, data URI) of every figure that there are runs for."""
    made: list[tuple[str, Figure]] = []
    for dataset, name in NAMES.items():
        mine = [run for run in runs if run.scenario.task.dataset == dataset and run.verdict.get("defended")]
        if mine:
            made += [(f"{name}: {caption}", figure) for caption, figure in _of_dataset(mine)]
    return [(caption, figure_uri(figure)) for caption, figure in made]


def _of_dataset(runs: Sequence[Gathered]) -> list[tuple[str, Figure]]:
    """Draw what there is of one data set."""
    found = measured([(run.scenario, run.verdict) for run in runs])
    first = min(run.scenario.federation.seed for run in runs)
    firsts = [run for run in runs if run.scenario.federation.seed == first]
    made: list[tuple[str, Figure]] = []
    axes: dict[str, tuple[str, Callable[[Measured], dict[float, list[dict[str, Any]]]]]] = {
        "lambda1": ("after Fig. 4a, by lambda1 at lambda2 48", luo_points.by_lambda1),
        "lambda2": ("after Fig. 4b, by lambda2 at lambda1 0.005", luo_points.by_lambda2),
        "lambda2, min": ("after Fig. 10, by lambda2 with min", lambda one: luo_points.by_lambda2(one, "min")),
        "mixing ratio, noise": ("noise in place of look-alikes", lambda one: luo_points.by_ratio(one, "fixed-noise")),
    }
    for lambdas in sorted({(one.lambda1, one.lambda2) for one in found if one.defense == "anti-gan" and one.ratio}):
        caption = f"after Fig. 6 and 7, by the mixing ratio at lambda1 {lambdas[0]:g}, lambda2 {lambdas[1]:g}"
        axes[f"mixing ratio {lambdas}"] = caption, partial(luo_points.by_ratio, lambdas=lambdas)
    for label, (caption, along) in axes.items():
        line = along(found)
        if len(line) > 1:
            made.append((f"{caption}; bars are 95 % intervals over seeds", _curve(label.split(" (")[0], line)))
    return made + [(f"{caption} (seed {first})", figure) for caption, figure in _pictures(firsts)]


def _curve(label: str, line: Mapping[float, Sequence[Mapping[str, Any]]]) -> Figure:
    """Draw every kind of share along one setting."""
    lines: Curves = {
        kind: {place: _within(numbers) for place, said in line.items() if (numbers := values(said, name))}
        for name, kind in KINDS.items()
    }
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    published.along(figure.subplots(), {kind: some for kind, some in lines.items() if some}, label)
    return figure


def _place(where: Point | None) -> tuple[Any, ...]:
    """Return where a run's column stands: by its settings, then by the steps of the fit."""
    return () if where is None else (*where[:-1], where.steps)


def _within(shares: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean of shares and its interval, cut to [0, 1]."""
    mean, low, high = mean_interval(shares)
    return mean, *((max(0.0, low), min(1.0, high)) if len(shares) > 1 else (low, high))


def _pictures(runs: Sequence[Gathered]) -> list[tuple[str, Figure]]:
    """Draw look-alikes, loot, pixels and losses of one seed, a column a setting."""
    made: dict[str, Tensor] = {}
    pixels: dict[str, Tensor] = {}
    stolen: dict[str, Tensor] = {}
    history: dict[str, list[float]] = {}
    for run in sorted(runs, key=lambda one: _place(point(one.scenario))):
        where = point(run.scenario)
        who = next(iter(run.verdict["defended"]))
        parts = published.images(run, int(who.removeprefix("client-")))
        if where is None or parts is None:
            continue
        name = title(where)
        made.setdefault("real", parts[0])
        made[name] = parts[1]
        if not where.ratio:
            pixels[name] = parts[1]
        loot = _stolen(run)
        if loot is not None:
            stolen[f"{name}{', knows' if run.scenario.server.attack_options.get('knows') else ''}"] = loot
        if (losses := published.losses(run)) and not where.ratio:
            history[name] = losses
    if not made:
        return []
    found = [("what is published, setting by setting (after Fig. 5, 8, 11 and 12)", published.strip(made))]
    found += [("what the attacker learns from it (after Fig. 6)", published.strip(stolen))] if stolen else []
    if pixels:
        named = "values of the pixels beside the real ones, nothing real among them (after Fig. 9)"
        found.append((named, _histograms(made["real"], pixels)))
    return found + ([("the generator's loss (after Fig. 13)", _losses(history))] if history else [])


def title(where: Point) -> str:
    """Name a setting in two short lines."""
    if where.defense != "anti-gan":
        return f"{where.defense}\nMR {where.ratio:g}"
    plain = f"{where.obfuscation} {where.lambda2:g}" if where.lambda2 else "no obfuscation"
    more = f", MR {where.ratio:g}" if where.ratio else ""
    return f"{plain}, sim {where.lambda1:g}\n{where.steps} steps{more}"


def _stolen(run: Gathered) -> Tensor | None:
    """Return the server's last loot of the class."""
    nothing: dict[str, dict[int, Path]] = {}
    rounds = run.attempt("loot/", run.run.loot, nothing).get(SERVER, {})
    read = run.attempt("The server's loot", lambda: run.run.samples(SERVER, max(rounds)), None) if rounds else None
    return None if read is None else read[0]


def _histograms(real: Tensor, sets: Mapping[str, Tensor]) -> Figure:
    """Draw each setting's values of pixels over the real ones'."""
    rows = -(-len(sets) // 3)
    figure = Figure(figsize=(9, 2.4 * rows), layout="constrained")
    axes = list(figure.subplots(rows, 3, squeeze=False).flat)
    for axis, (name, some) in zip(axes, sets.items(), strict=False):
        published.histogram(axis, {"real": real, "published": some})
        axis.set_title(name.replace("\n", ", "), fontsize=8)
    for axis in axes[len(sets) :]:
        axis.set_axis_off()
    return figure


def _losses(history: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the generator's losses of each setting, on a scale of its own sign and size."""
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    axis = figure.subplots()
    for number, (name, losses) in enumerate(history.items()):
        style = ("-", "--", ":")[number // len(COLOURS) % 3]
        colour = COLOURS[number % len(COLOURS)]
        label = name.replace("\n", ", ")
        axis.plot(np.linspace(1, 100, len(losses)), losses, style, color=colour, linewidth=1.1, label=label)
    axis.set_yscale("symlog")
    axis.set_xlabel("% of the fit", fontsize=9)
    published.plain(axis, "")
    axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=7)
    return figure

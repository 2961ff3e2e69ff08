"""Curves over the rounds, ROC and AUC, as matplotlib figures."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from oleander.judge import model_metrics
from oleander.judge.global_models import Checkpoints
from oleander.judge.words import of_model

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8c564b")  # Okabe and Ito
DISTANCES = {
    "nn_rmse": "Nearest real image (RMSE, pixels in [-1, 1])",
    "mse_of_means": "Mean images (MSE, pixels in [0, 1])",
    "eq6_pairs": "All pairs (eq. 6, pixels in [0, 1])",
    "diversity": "Two samples (RMSE, pixels in [-1, 1])",
}
LEGEND_CLASSES = 12
PROPERTY = {
    "J": "J: samples of the victim's classes",
    "J_other": "samples of “not the victim”",
    "J_not_owned": "samples of classes that the victim does not hold",
    "category": "right class, with the property or without",
    "noise_share": "not of this data",
}
YARDSTICKS = {
    "J_real": "the victim's own images",
    "J_auxiliary": "the server's own images, turned by any angle",
    "J_matched": "… turned by what the victim's update says",
    "J_real_public": "public images {}",
}


def recognised(verdict: Mapping[str, Any], classes: tuple[str, ...]) -> Figure:
    """Draw the share recognised over the rounds, a line a target; controls are dashed.

    Args:
        verdict: an attacker's part of verdict.json.
        classes: names of the classes.

    """
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axis = figure.subplots()
    for index, (label, target) in enumerate(verdict["targets"].items()):
        rounds, shares = _series(verdict, int(label), "recognised")
        style = "--" if target["control"] else "-"
        wide = 1.6 + 1.5 * (len(verdict["targets"]) - 1 - index)  # of lines on one another the lower show at the sides
        axis.plot(rounds, shares, style, color=_colour(index), linewidth=wide, label=_target(classes, label, target))
    axis.set_ylim(-0.03, 1.03)
    _start(axis, verdict["start_round"])
    _finish(axis, "Share of the loot that the independent judge takes for its target")
    return figure


def prop(verdict: Mapping[str, Any]) -> Figure:
    """Draw J of a server's attack over the rounds with its controls: dashed within the attack, dotted of real images.

    Args:
        verdict: the attacker's part of verdict.json, with `property`.

    """
    said, names = verdict["property"], dict(PROPERTY)
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    axis = figure.subplots()
    rounds = [line["round"] for line in said["per_round"]]
    for index, (name, label) in enumerate(names.items()):
        values = [math.nan if line[name] is None else line[name] for line in said["per_round"]]
        if any(math.isfinite(value) for value in values):
            style = "-" if name == "J" else "--"
            wide = 2.6 if name == "J" else 1.4
            axis.plot(rounds, values, style, marker=".", color=_colour(index), linewidth=wide, label=label)
    for index, (name, label) in enumerate(YARDSTICKS.items()):
        if (share := said.get(name)) is not None and math.isfinite(share):
            colour = _colour(len(names) + index)
            axis.axhline(share, linestyle=":", color=colour, label=label.format(said["without"]))
    axis.set_ylim(-0.03, 1.03)
    if len(said["rounds"]):
        axis.axvspan(said["rounds"][0], said["rounds"][-1], color="#D55E0018", linewidth=0)
    _start(axis, verdict["start_round"])
    _finish(
        axis, f"Share that shows the right class {said['words']} (shaded: the rounds of the headline)", legend=False
    )
    figure.legend(loc="outside lower center", ncols=2, fontsize=9, frameon=False)
    return figure


def distances(verdict: Mapping[str, Any], classes: tuple[str, ...]) -> Figure:
    """Draw the distances over the rounds: four panels, a line a target; arguments as `recognised`.

    Dotted are the yardsticks: the nearest image of another class, and what real images reach.
    """
    figure = Figure(figsize=(10, 6.4), layout="constrained")
    handles: dict[str, Any] = {}
    for axis, (name, title) in zip(figure.subplots(2, 2).flat, DISTANCES.items(), strict=True):
        for index, (label, target) in enumerate(verdict["targets"].items()):
            colour, style = _colour(index), "--" if target["control"] else "-"
            rounds, values = _series(verdict, int(label), name)
            handles[_target(classes, label, target)] = axis.plot(rounds, values, style, color=colour, marker=".")[0]
            if name == "nn_rmse":
                other = axis.plot(*_series(verdict, int(label), "nn_rmse_other"), ":", color=colour)[0]
                handles.setdefault("dotted: nearest of another class; two real images", other)
            real = target.get("diversity_real") if name == "diversity" else None
            if real is not None:
                axis.axhline(real, linestyle=":", color=colour)
        axis.set_ylim(bottom=0)
        _finish(axis, title, legend=False)
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    return figure


def metrics(lines: Sequence[Mapping[str, Any]], start: int | None) -> Figure:
    """Draw the global model's accuracy, precision, recall and F1 over the rounds (Sun, Fig. 7), in both readings."""
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    panels = (("", "over the real classes"), ("_all", "over all classes present or predicted"))
    axes = figure.subplots(1, 2, sharey=True)
    rounds = [line["round"] for line in lines]
    for axis, (suffix, title) in zip(axes, panels, strict=True):
        names = ["accuracy", *(f"{name}{suffix}" for name in ("precision", "recall", "f1"))]
        for index, name in enumerate(names):
            label = name.removesuffix("_all").replace("f1", "F1")
            style = (0, (4, 1 + index)) if index else "-"  # lines that lie on one another stay apart
            values = [line.get(name, np.nan) for line in lines]
            axis.plot(rounds, values, linestyle=style, color=_colour(index), linewidth=1.6, label=label)
        axis.set_ylim(0, 1.02)
        _start(axis, start)
        _finish(axis, f"Global model, macro {title}", legend=axis is axes[0])
    return figure


def roc(points: Checkpoints, classes: tuple[str, ...]) -> Figure:
    """Draw a ROC curve for each class and kept global model (Sun, Fig. 6)."""
    figure = Figure(figsize=(3.9 * len(points.answers) + 1.4, 3.9), layout="constrained")
    axes = figure.subplots(1, len(points.answers), squeeze=False)[0]
    lines: dict[str, Any] = {}
    for axis, (point, answers) in zip(axes, points.answers.items(), strict=True):
        found = model_metrics.roc_curves(answers, points.labels)
        for index, (label, (false, true)) in enumerate(found.items()):
            colour = _colour(index) if len(found) <= LEGEND_CLASSES else "#0072B255"
            style = "-" if index < len(COLOURS) else "--"
            lines[classes[label]] = axis.plot(false, true, style, color=colour, linewidth=1.3)[0]
        axis.plot([0, 1], [0, 1], ":", color="#888888", linewidth=1)
        axis.set_aspect("equal")
        axis.set_title(f"ROC {of_model(point, points.rounds[point])}", fontsize=10)
        axis.set_xlabel("false positive rate")
    axes[0].set_ylabel("true positive rate")
    if lines and len(lines) <= LEGEND_CLASSES:
        figure.legend(lines.values(), lines.keys(), loc="outside right center", fontsize=9, frameon=False)
    return figure


def auc(points: Checkpoints, classes: tuple[str, ...]) -> Figure:
    """Draw the area under each class's ROC curve, a bar for each kept global model."""
    areas = {point: model_metrics.aucs(answers, points.labels) for point, answers in points.answers.items()}
    labels = list(next(iter(areas.values())))
    figure = Figure(figsize=(max(6.0, 0.55 * len(labels) + 2), 3.6), layout="constrained")
    axis = figure.subplots()
    width = 0.8 / len(areas)
    for index, (point, by_class) in enumerate(areas.items()):
        places = np.arange(len(labels)) + (index - (len(areas) - 1) / 2) * width
        name = of_model(point, points.rounds[point])
        axis.bar(places, [by_class[one] for one in labels], width, color=_colour(index), label=name)
    names = [classes[one] for one in labels]
    turned = max(map(len, names)) > 3  # noqa: PLR2004  # longer names run into one another
    axis.set_xticks(range(len(labels)), names, rotation=60 if turned else 0, fontsize=8 if turned else 10)
    axis.axhline(0.5, linestyle=":", color="#888888", linewidth=1)
    axis.set_ylim(0, 1.02)
    axis.set_title("Area under the ROC curve, class by class", fontsize=11)
    figure.legend(loc="outside lower center", ncols=len(areas), fontsize=9, frameon=False)
    _plain(axis)
    return figure


def _series(verdict: Mapping[str, Any], label: int, name: str) -> tuple[list[int], list[float]]:
    """Return rounds and values of one target's number."""
    lines = [line for line in verdict["per_round"] if line["target"] == label]
    return [line["round"] for line in lines], [line[name] for line in lines]


def _target(classes: tuple[str, ...], label: str, target: Mapping[str, Any]) -> str:
    """Name a target in a legend."""
    return f"{classes[int(label)]} ({'control, nobody holds it' if target['control'] else 'target'})"


def _colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


def _start(axis: Axes, start: int | None) -> None:
    """Mark the round in which the attacker began (noise it may have sent from the first round on)."""
    if start is not None:
        axis.axvline(start, color="#888888", linewidth=1, linestyle=":")
        axis.text(start, 0.12, " attack begins", transform=axis.get_xaxis_transform(), fontsize=8, color="#555555")


def _finish(axis: Axes, title: str, *, legend: bool = True) -> None:
    """Label an axis over rounds."""
    axis.set_title(title, fontsize=10)
    axis.set_xlabel("round")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(visible=True, color="#e5e5e5", linewidth=0.7)
    if legend:
        axis.legend(fontsize=9)
    _plain(axis)


def _plain(axis: Axes) -> None:
    """Take away the frame's upper and right side."""
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)

"""The two figures of a matrix, as PNG on white like those of a run."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from oleander.judge.curves import COLOURS
from oleander.matrix.measures import AUC, CHANCE, pareto, strength
from oleander.matrix.table import measured
from oleander.matrix.writing import number, settings

SHADES = LinearSegmentedColormap.from_list("stolen", ["#ffffff", "#f3c3d6", "#b4215c"])  # the report's own colour
UTILITY = {"accuracy": "accuracy of the shared model", "riafi": "RIAFI"}
EMPTY, EDGE, DARK, MARKERS = "#eceef1", "#dfe3e8", 0.6, "osD^vP*Xph<>"


def heat_map(table: Mapping[str, Any]) -> Figure | None:
    """Draw attacks by defences (with their settings), the mean leakage as shade and number; None without a row.

    An AUC is white up to a half: that is guessing, and nothing has leaked.
    """
    lines = table["rows"]
    if not lines:
        return None
    attacks = list(dict.fromkeys(line["attack"] for line in lines))
    columns = list(dict.fromkeys(defense(line) for line in lines))
    shares = np.full((len(attacks), len(columns)), math.nan)
    texts = {}
    for line in lines:
        place = attacks.index(line["attack"]), columns.index(defense(line))
        mean = line["leakage"]["mean"]
        shares[place] = math.nan if mean is None else strength(line["metric"], mean)
        texts[place] = _in_cell(line)
    figure = Figure(figsize=(2.4 + 1.35 * len(columns), 1.5 + 0.62 * len(attacks)), layout="constrained")
    axis = figure.subplots()
    axis.set_facecolor(EMPTY)
    axis.pcolormesh(np.ma.masked_invalid(shares), cmap=SHADES, vmin=0, vmax=1, edgecolors=EDGE, linewidth=1.5)
    for (row, column), text in texts.items():
        colour = "white" if shares[row, column] > DARK else "#17202b"
        axis.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=colour, fontsize=9)
    axis.set_yticks(np.arange(len(attacks)) + 0.5, attacks, fontsize=9)
    axis.set_xticks(np.arange(len(columns)) + 0.5, [name.replace(", ", "\n") for name in columns], fontsize=9)
    axis.invert_yaxis()
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    for spine in axis.spines.values():
        spine.set_visible(False)
    return figure


def scatter(table: Mapping[str, Any]) -> Figure | None:
    """Draw leakage over accuracy, a colour for each attack and a mark for each defence, with each attack's front.

    Over RIAFI where no run has an accuracy. Bars are 95 % intervals over the seeds; the line joins what no other
    defence beats in both. None without a point.
    """
    utility = "accuracy" if any(one["accuracy"]["mean"] is not None for one in table["rows"]) else "riafi"
    lines = [one for one in table["rows"] if one["leakage"]["mean"] is not None and one[utility]["mean"] is not None]
    if not lines:
        return None
    columns = list(dict.fromkeys(defense(line) for line in lines))
    figure = Figure(figsize=(7.6, 4.4), layout="constrained")
    axis = figure.subplots()
    for index, attack in enumerate(dict.fromkeys(line["attack"] for line in lines)):
        mine = [line for line in lines if line["attack"] == attack]
        colour = COLOURS[index % len(COLOURS)]
        points = [(line[utility]["mean"], line["leakage"]["mean"]) for line in mine]
        front = [points[place] for place in pareto(points)]
        # Whoever needs more utility than one point has must take the next one's leakage.
        axis.step([x for x, _ in front], [y for _, y in front], where="pre", color=colour, linewidth=1.4, alpha=0.6)
        for line, (x, y) in zip(mine, points, strict=True):
            mark = MARKERS[columns.index(defense(line)) % len(MARKERS)]
            wide, high = _half(line[utility]), _half(line["leakage"])
            axis.errorbar(x, y, high, wide, fmt=mark, color=colour, markersize=7, elinewidth=0.9, capsize=2)
        axis.plot([], [], color=colour, linewidth=3, label=attack)
    for index, name in enumerate(columns):
        axis.plot([], [], MARKERS[index % len(MARKERS)], color="#566272", label=name)
    _finish(axis, UTILITY[utility], lines)
    return figure


def defense(line: Mapping[str, Any]) -> str:
    """Return a row's defence with what is swept."""
    return ", ".join(filter(None, [line["defense"], settings(line)]))


def _in_cell(line: Mapping[str, Any]) -> str:
    """Return what stands in a cell of the heat map."""
    leakage = line["leakage"]
    if leakage["mean"] is None:
        return "failed" if not line["seeds"] else "no loot" if line["metric"] else "no attack"
    if line["metric"] == AUC:
        return number(leakage, "area")
    text = f"{leakage['mean']:.0%}"
    return text if leakage["high"] is None else f"{text} ± {100 * (leakage['high'] - leakage['mean']):.0f}"


def _half(spread: Mapping[str, Any]) -> float | None:
    """Return half an interval; None where there is none."""
    return None if spread["high"] is None else spread["high"] - spread["mean"]


def _finish(axis: Axes, utility: str, lines: Sequence[Mapping[str, Any]]) -> None:
    """Name the axes, draw a line for what guessing reaches of an AUC, and put the legend beside them."""
    metrics = {line["metric"] for line in lines}
    only = metrics == {AUC}
    if AUC in metrics:
        axis.axhline(CHANCE, color="#566272", linestyle=":", linewidth=1.2, label="guessing" + " (AUC)" * (not only))
    # An AUC is read from guessing upwards; one that is below it by chance is shown, too.
    lowest = min([CHANCE, *(line["leakage"]["mean"] for line in lines)]) if only else 0.0
    axis.set_ylim(lowest - 0.04 * (1 - lowest), 1 + 0.04 * (1 - lowest))
    axis.set_xlabel(utility)
    axis.set_ylabel(measured(lines[0]) if only else "leakage")
    axis.grid(color="#dfe3e8", linewidth=0.7)
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9)

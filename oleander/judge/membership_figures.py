"""ROC curves of membership attacks on logarithmic axes, and the AUC over the rounds, as matplotlib figures."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from oleander.judge.curves import COLOURS
from oleander.judge.rates import Curve

TITLES = {
    "clean": "members against fresh images of the same labels",
    "paper": "members against other participants' records",
}
LOW_FPRS = (0.01, 0.001)


def draw(lines: Mapping[str, Curve], verdict: Mapping[str, Any], protocol: str) -> Figure:
    """Draw the last round's ROC curves of an attack and its baselines, and their AUC over the rounds.

    Args:
        lines: by method.
        verdict: the attacker's part of verdict.json, with `membership`.
        protocol: which of its protocols.

    """
    figure = Figure(figsize=(9.4, 4.7), layout="constrained")
    left, right = figure.subplots(1, 2)
    attack, said = verdict["attack"], verdict["membership"]
    names = sorted(lines, key=lambda name: (name != attack, name))
    least = min((methods[protocol]["least_fpr"] for methods in said["methods"].values()), default=0.01)
    floor = least / 2
    for index, name in enumerate(names):
        one, numbers = lines[name], said["methods"][name][protocol]
        style: dict[str, Any] = {"color": COLOURS[index % len(COLOURS)], "linestyle": "-" if name == attack else "--"}
        style |= {"linewidth": 2.0 if name == attack else 1.3}
        false, true = np.clip(one.false_positives, floor, 1), np.clip(one.true_positives, floor, 1)
        left.plot(false, true, drawstyle="steps-post", label=f"{name}: AUC {numbers['auc']:.2f}", **style)
        over = [line for line in said["over_rounds"] if line["method"] == name and line["protocol"] == protocol]
        marker = "o" if len(over) == 1 else None
        right.plot([line["round"] for line in over], [line["auc"] for line in over], marker=marker, label=name, **style)
    _logarithmic(left, floor)
    left.set_title(TITLES[protocol], fontsize=10)
    right.axhline(0.5, color="#888888", linewidth=1, linestyle=":")
    right.set_ylim(0, 1.02)
    right.set_title("AUC by round; 0.5 is guessing", fontsize=10)
    right.set_xlabel("round")
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.grid(visible=True, color="#e5e5e5", linewidth=0.7)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    for axis in (left, right):
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
    return figure


def _logarithmic(axis: Axes, floor: float) -> None:
    """Scale and label the axes of ROC curves; what is below `floor` no number of records can show."""
    diagonal = np.geomspace(floor, 1, 50)
    axis.plot(diagonal, diagonal, ":", color="#888888", linewidth=1, label="guessing")
    for rate in LOW_FPRS:
        if rate > floor:
            axis.axvline(rate, color="#cccccc", linewidth=0.8)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlim(floor, 1)
    axis.set_ylim(floor, 1.1)
    axis.set_xlabel("false positives (share of the others)")
    axis.set_ylabel("true positives (share of the members)")

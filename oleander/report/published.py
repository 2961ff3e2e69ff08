"""What defended participants publish, to look at: pictures and pixels beside the real ones, and how the fit went."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from oleander.judge.curves import COLOURS
from oleander.judge.mosaics import mosaic
from oleander.report import loot
from oleander.report.gather import Gathered
from oleander.report.metrics import written
from oleander.report.pictures import figure_uri

SIDE, BINS, WRAP, LEAST_SHARE = 4, 20, 6, 1e-4
NUMBERS = {
    "riafi": ("RIAFI, held-out images", "A classifier that knows the class from what is published alone is right."),
    "riafi_own": ("RIAFI, the participant's own images", "As the paper has it: those that the look-alikes come from."),
    "riafi_undefended": ("… undefended (yardstick)", "Trained on the participant's own images instead; held-out ones."),
    "others_accuracy": ("Accuracy on the other classes", "Of the same classifier, on held-out images."),
    "seen": ("Still seen as the class", "Share of the made images that an independent judge takes for their class."),
    "seen_noise": ("Seen as nothing", "Share of them that it takes for no image of this data."),
    "seen_real": ("… of real images (yardstick)", "What it makes of real held-out images of the class."),
    "diversity": (
        "Diversity of what is made",
        "Mean distance of two of a class, pixels in [-1, 1]; at 0 all are alike.",
    ),
    "diversity_own": ("… of its own images (yardstick)", "The same of the participant's real images."),
}
SHARES = ("riafi", "others", "seen")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One participant: the judge's words, rows (label, meaning, value), and a drawing as a data URI, maybe empty."""

    who: str
    words: str
    numbers: list[tuple[str, str, str]]
    drawing: str


def shown(found: Gathered) -> list[Shown]:
    """Return what a page says of each defended participant that was judged."""
    result = []
    for who, said in (found.verdict.get("defended") or {}).items():
        numbers = [
            (label, meaning, written(said.get(name), "share" if name.startswith(SHARES) else ""))
            for name, (label, meaning) in NUMBERS.items()
            if said.get(name) is not None
        ]
        parts = images(found, int(str(who).removeprefix("client-")))
        drawing = "" if parts is None else figure_uri(sheet(*parts, losses(found)))
        result.append(Shown(who=str(who), words=str(said.get("words", "")), numbers=numbers, drawing=drawing))
    return result


def images(found: Gathered, client: int) -> tuple[Tensor, Tensor] | None:
    """Return a participant's real images and what it publishes; None where either cannot be read."""
    nothing: dict[int, tuple[Tensor, Tensor, Tensor]] = {}
    published = found.attempt("published/", found.run.published, nothing).get(client)
    own = loot.truth(found).get(client)
    return None if published is None or own is None else (torch.from_numpy(own[0]), published[0])


def losses(found: Gathered) -> list[float]:
    """Return the generator's losses in the last fit of the first participant that has any."""
    for client in range(found.scenario.federation.clients):
        nothing: list[dict[str, Any]] = []
        fits = found.attempt("fit.jsonl", partial(found.run.fits, client), nothing)
        if fits and fits[-1].get("generator_losses"):
            return [float(value) for value in fits[-1]["generator_losses"]]
    return []


def sheet(own: Tensor, published: Tensor, history: Sequence[float]) -> Figure:
    """Draw real images, published ones, the values of their pixels and, where it is known, the generator's loss."""
    panels = 4 if history else 3
    figure = Figure(figsize=(2.9 * panels, 2.9), layout="constrained")
    axes = figure.subplots(1, panels)
    for axis, title, some in zip(axes, ("its own images", "what it publishes"), (own, published), strict=False):
        picture(axis, some, title)
    histogram(axes[2], {"own": own, "published": published})
    if history:
        axes[3].plot(np.linspace(1, 100, len(history)), history, color=COLOURS[0], linewidth=1.2)
        axes[3].set_xlabel("% of the fit", fontsize=8)
        plain(axes[3], "the generator's loss")
    return figure


def strip(columns: Mapping[str, Tensor]) -> Figure:
    """Draw some images of each of several settings, titled, WRAP beside one another."""
    count = len(columns)
    wide, rows = min(count, WRAP), math.ceil(count / WRAP)
    figure = Figure(figsize=(1.9 * wide, 2.1 * rows), layout="constrained")
    axes = list(figure.subplots(rows, wide, squeeze=False).flat)
    for axis, (title, some) in zip(axes, columns.items(), strict=False):
        picture(axis, some, title)
    for axis in axes[count:]:
        axis.set_axis_off()
    return figure


def picture(axis: Axes, some: Tensor, title: str) -> None:
    """Show the first images as a square."""
    axis.set_title(title, fontsize=9)
    axis.set_axis_off()
    if len(some):
        axis.imshow(mosaic(some[: SIDE**2], SIDE), interpolation="nearest")


def histogram(axis: Axes, sets: Mapping[str, Tensor]) -> None:
    """Draw the shares of pixel values in [0, 1]."""
    for number, (name, some) in enumerate(sets.items()):
        counts, edges = np.histogram(((some + 1) / 2).numpy(), bins=BINS, range=(0, 1))
        axis.stairs(counts / max(1, counts.sum()), edges, color=COLOURS[number], label=name, linewidth=1.3)
    axis.set_yscale("log")
    axis.set_ylim(LEAST_SHARE, 1.2)
    axis.set_xlabel("value of a pixel", fontsize=8)
    axis.legend(frameon=False, fontsize=8)
    plain(axis, "share of pixels")


def plain(axis: Axes, title: str) -> None:
    """Give a small chart its title and take away what it does not need."""
    axis.set_title(title, fontsize=9)
    axis.tick_params(labelsize=8)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def along(axis: Axes, lines: Mapping[str, Mapping[float, Sequence[Any]]], label: str) -> None:
    """Draw shares (mean, low, high) along settings that are evenly spaced, whatever their values."""
    places = sorted({place for line in lines.values() for place in line})
    for number, (name, line) in enumerate(lines.items()):
        xs = [places.index(place) for place in line]
        means = [mean for mean, _, _ in line.values()]
        bars = [
            [max(0.0, mean - low) if math.isfinite(low) else 0.0 for mean, low, _ in line.values()],
            [max(0.0, high - mean) if math.isfinite(high) else 0.0 for mean, _, high in line.values()],
        ]
        axis.errorbar(xs, means, bars, color=COLOURS[number % len(COLOURS)], marker="o", capsize=2, label=name)
    axis.set_xticks(range(len(places)), [f"{place:g}" for place in places], fontsize=8)
    axis.set_xlabel(label, fontsize=9)
    axis.set_ylim(-0.03, 1.03)
    axis.legend(frameon=False, fontsize=8)

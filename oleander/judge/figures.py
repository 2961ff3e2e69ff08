"""The figures, as PNG on white. What they show are the same randomly drawn samples that the numbers are about."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from oleander.judge import curves, distances, membership_figures, sheets
from oleander.judge.attackers import Findings
from oleander.judge.draws import evenly
from oleander.judge.global_models import Checkpoints
from oleander.judge.membership import Judged
from oleander.judge.mosaics import Pixels, mosaic
from oleander.judge.truth import Truth
from oleander.rundir import RunDirectory
from task.files import replacing

COLUMNS, ROWS = 10, 4
PAIRS = 10
MOST_TARGETS = 12  # with pictures of their own
STAGES, STAGE_SAMPLES = 8, 8
DPI = 130


def draw(
    run: RunDirectory,
    found: Mapping[str, Findings],
    points: Checkpoints,
    start: int | None,
    classes: tuple[str, ...],
    *,
    asked: Mapping[str, Judged] = MappingProxyType({}),
) -> list[Path]:
    """Draw every figure that there is something for; return their paths.

    Args:
        run: its folder figures/ gets them; those of an earlier judging are replaced.
        found: findings by attacker.
        points: global models.
        start: round in which the first attack began.
        classes: names of the classes.
        asked: findings of membership attackers.

    """
    run.figures.mkdir(parents=True, exist_ok=True)
    made = {
        f"membership-{protocol}-{who}": membership_figures.draw(lines, one.verdict, protocol)
        for who, one in asked.items()
        for protocol, lines in one.curves.items()
    }
    for who, findings in found.items():
        sheet = sheets.draw(findings.sheet, classes) if findings.sheet is not None else None
        if sheet is not None:
            made[f"sheet-{who}"] = sheet
        if (findings.verdict.get("property") or {}).get("per_round"):
            made[f"property-{who}"] = curves.prop(findings.verdict)
        for label, rounds in list(findings.samples.items())[:MOST_TARGETS]:
            truth, fakes = findings.truths[label], rounds[max(rounds)]
            made[f"loot-{who}-{label}"] = loot(fakes, truth, classes, max(rounds))
            made[f"nearest-{who}-{label}"] = nearest_pairs(fakes, truth, classes)
            if len(rounds) > 1:
                made[f"growth-{who}-{label}"] = growth(rounds, classes[label])
        if findings.verdict["per_round"]:
            made[f"recognised-{who}"] = curves.recognised(findings.verdict, classes)
            made[f"distances-{who}"] = curves.distances(findings.verdict, classes)
    if run.rounds():
        made["metrics"] = curves.metrics(run.rounds(), start)
    if points.answers and len(set(points.labels.tolist())) > 1:  # of one class there is no ROC curve
        made["roc"] = curves.roc(points, classes)
        made["auc"] = curves.auc(points, classes)
    return [_save(run.figures / f"{name}.png", figure) for name, figure in made.items()]


def loot(fakes: Tensor, truth: Truth, classes: tuple[str, ...], server_round: int) -> Figure:
    """Draw stolen images beside real ones of the class: of the owners, or, for a control, of the data set."""
    name = classes[truth.label]
    count = ROWS * COLUMNS
    right = (
        f"Real images of class {name}, which nobody holds" if truth.control else f"What {_who(truth)} of class {name}"
    )
    sheets = [mosaic(images[:count], COLUMNS) for images in (fakes, truth.images)]
    figure = Figure(figsize=(10, 5 * sheets[0].shape[0] / sheets[0].shape[1] + 0.6), layout="constrained")
    axes = figure.subplots(1, 2, gridspec_kw={"wspace": 0.06})
    _show(axes[0], sheets[0], f"The loot for class {name}, round {server_round}")
    _show(axes[1], sheets[1], right)
    return figure


def nearest_pairs(fakes: Tensor, truth: Truth, classes: tuple[str, ...]) -> Figure:
    """Draw stolen images, and below each its nearest real image of the class and of any other class."""
    shown = fakes[:PAIRS]
    own = truth.images[distances.nearest(shown, truth.images)[1]]
    foreign = torch.cat([images for label, images in enumerate(truth.by_class) if label != truth.label])
    other = foreign[distances.nearest(shown, foreign)[1]] if len(foreign) else own[:0]
    rows = [images for images in (shown, own, other) if len(images)]
    sheet = mosaic(torch.cat(rows), len(shown))
    figure = Figure(figsize=(10, 7.9 * sheet.shape[0] / sheet.shape[1] + 0.5), layout="constrained")
    axis = figure.subplots()
    whose = "of the class" if truth.control else "of the owners'" if len(truth.owners) > 1 else "of the owner's"
    _show(axis, sheet, f"Class {classes[truth.label]}: loot drawn at random, and what it is nearest to")
    _rows(axis, sheet, ["loot", f"nearest\n{whose}", "nearest of\nanother class"][: len(rows)])
    return figure


def growth(rounds: Mapping[int, Tensor], name: str) -> Figure:
    """Draw how the loot for one class changed: a row for each of some rounds."""
    chosen = evenly(sorted(rounds), STAGES)
    columns = min(STAGE_SAMPLES, *(len(rounds[number]) for number in chosen))
    sheet = mosaic(torch.cat([rounds[number][:columns] for number in chosen]), columns)
    figure = Figure(figsize=(5.5, 4.6 * sheet.shape[0] / sheet.shape[1] + 0.5), layout="constrained")
    axis = figure.subplots()
    _show(axis, sheet, f"The loot for class {name} over the rounds")
    _rows(axis, sheet, [f"round {number}" for number in chosen])
    return figure


def _who(truth: Truth) -> str:
    """Name the owners as the subject of a sentence."""
    if len(truth.owners) == 1:
        return f"participant {truth.owners[0]} holds"
    if len(truth.owners) > 3:  # noqa: PLR2004  # a title is short
        return f"{len(truth.owners)} participants hold"
    return f"participants {', '.join(map(str, truth.owners))} hold"


def _show(axis: Axes, sheet: Pixels, title: str) -> None:
    """Show a mosaic without axes."""
    axis.imshow(sheet, interpolation="nearest")
    axis.set_title(title, fontsize=11)
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_visible(False)


def _rows(axis: Axes, sheet: Pixels, names: list[str]) -> None:
    """Write a name before each row of a mosaic."""
    height = sheet.shape[0] / len(names)
    axis.set_yticks([(index + 0.5) * height - 0.5 for index in range(len(names))], names, fontsize=9)
    axis.tick_params(length=0)


def _save(path: Path, figure: Figure) -> Path:
    """Write a PNG that depends on its contents alone."""
    with replacing(path) as draft:
        figure.savefig(
            str(draft),
            dpi=DPI,
            format="png",
            facecolor="white",
            metadata={"Software": None},
            bbox_inches="tight",
            pad_inches=0.08,
        )
    return path

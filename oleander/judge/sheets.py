"""The sheet of pictures of a server's attack, after Wang's Fig. 4 and 5: a column a class, a row for what is compared.

From above: what the other participants hold, what the victim holds, representatives of another participant and of the
victim, the loot, and the controls: samples of classes that the victim does not hold, where they were left for that,
and of "not the victim". The victim's classes are framed. Nothing is hand-picked: all are drawn at random, the loot
being the first of the samples that the numbers are about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from oleander.judge.mosaics import Pixels, pixels
from oleander.judge.victims import Belongings
from task.seeding import generator

MOST_COLUMNS, FOREIGN = 12, 3
FRAME = "#D55E00"
Row = tuple[str, Mapping[int, Tensor], int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sheet:
    """What the sheet shows.

    Attributes:
        columns: classes.
        owned: those of them that the victim holds.
        rows: for each group of rows its name, images float32 [N, C, H, W] in [-1, 1] by class, and how many rows.
        title: above all.

    """

    columns: tuple[int, ...]
    owned: frozenset[int]
    rows: tuple[Row, ...]
    title: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Exhibits:
    """What there is to show of a server's attack.

    Attributes:
        loot, other: the last round's samples by class, of the victim and of "not the victim".
        not_owned: those of classes that the victim does not hold, where they are no part of the loot.
        representatives: the last ones; none where that is not tried.
        holdings: what the participants hold.
        victim: one of them; None for no one in particular.
        judged: classes by which the victim's property is judged.
        round: of the loot.

    """

    loot: Mapping[int, Tensor]
    other: Mapping[int, Tensor]
    not_owned: Mapping[int, Tensor]
    representatives: Belongings | None
    holdings: Belongings
    victim: int | None
    judged: tuple[int, ...]
    round: int


def compose(exhibits: Exhibits, classes: int, seed: int) -> Sheet:
    """Return the sheet of a server's attack; `seed` draws what is shown of the participants' own images."""
    holdings, victim = exhibits.holdings, exhibits.victim
    mine = holdings.client == victim if victim is not None else torch.zeros_like(holdings.labels, dtype=torch.bool)
    owned = sorted(set(holdings.labels[mine].tolist()))
    whose = "participants" if victim is None else "other\nparticipants"
    rows: list[Row] = [(whose, _drawn(holdings, ~mine, seed), 2)]
    if victim is not None:
        rows.append((f"participant {victim},\nthe victim", _drawn(holdings, mine, seed), 2))
    if exhibits.representatives is not None:
        theirs = exhibits.representatives
        rows += [
            (f"representatives of\nparticipant {client}", _drawn(theirs, theirs.client == client, seed), 2)
            for client in _represented(theirs, victim, owned)
        ]
    foreign = {label: images for label, images in exhibits.not_owned.items() if label not in owned}
    rows += [
        (f"loot, round {exhibits.round}", exhibits.loot, 4),
        (f"classes that\nparticipant {victim}\ndoes not hold", foreign, 2),
        (f"“not participant {victim}”", exhibits.other, 2),
    ]
    framed = f": participant {victim}'s classes are framed" if victim is not None else ""
    return Sheet(
        columns=_columns(classes, owned, exhibits.judged),
        owned=frozenset(owned),
        rows=tuple(rows),
        title=f"What the server made, beside what the participants hold{framed}",
    )


def _represented(representatives: Belongings, victim: int | None, owned: Sequence[int]) -> list[int]:
    """Return whose representatives to show: the participant's that shares most of the victim's classes, and its own."""
    clients = [client for client in sorted(set(representatives.client.tolist())) if client != victim]
    wanted = torch.tensor(list(owned), dtype=torch.int64)

    def shared(client: int) -> int:
        return int(torch.isin(representatives.labels[representatives.client == client], wanted).sum())

    shown = [max(clients, key=shared)] if clients else []
    return [*shown, victim] if victim is not None and (representatives.client == victim).any() else shown


def _columns(classes: int, owned: Sequence[int], judged: Sequence[int]) -> tuple[int, ...]:
    """Return the classes to show: all of few; of many those by which the property is judged, and some of the others."""
    if classes <= MOST_COLUMNS:
        return tuple(range(classes))
    foreign = [one for one in range(classes) if one not in owned]
    first = [*judged, *(one for one in owned if one not in judged)]
    shown = first[: MOST_COLUMNS - FOREIGN]
    return (*shown, *foreign[: MOST_COLUMNS - len(shown)])


def _drawn(belongings: Belongings, chosen: Tensor, seed: int) -> dict[int, Tensor]:
    """Return the chosen images by class, in an order drawn at random."""
    order = torch.randperm(len(chosen), generator=generator(seed, "judge", "sheet"))
    kept = order[chosen[order]]
    images, labels = belongings.images[kept], belongings.labels[kept]
    return {label: images[labels == label] for label in sorted(set(labels.tolist()))}


def draw(sheet: Sheet, names: Sequence[str]) -> Figure | None:
    """Draw a sheet; None where there is no picture on it.

    Args:
        sheet: what it shows; groups without a picture are left out.
        names: of the classes.

    """
    groups = [
        (name, images, count)
        for name, images, count in sheet.rows
        if any(len(images.get(one, ())) for one in sheet.columns)
    ]
    if not groups:
        return None
    canvas, centres, bounds = _lay_out(sheet, groups)
    side, wide = canvas.shape[0], canvas.shape[1]
    figure = Figure(figsize=(9, 7.6 * side / wide + 0.9), layout="constrained")
    axis = figure.subplots()
    axis.imshow(canvas, interpolation="nearest")
    step = wide / len(sheet.columns)
    for first, last in _stretches(sheet):
        corner, width = (first * step - 0.5, -0.5), (last - first + 1) * step - 0.02 * step
        axis.add_patch(Rectangle(corner, width, side, fill=False, edgecolor=FRAME, linewidth=2))
    axis.set_xticks(
        [(place + 0.47) * step for place in range(len(sheet.columns))],
        [names[one] for one in sheet.columns],
        fontsize=9,
    )
    axis.xaxis.tick_top()
    for tick, label in zip(axis.xaxis.get_major_ticks(), sheet.columns, strict=True):
        tick.label2.set_color(FRAME if label in sheet.owned else "#444444")
    axis.set_yticks(centres, [name for name, _, _ in groups], fontsize=9)
    axis.tick_params(length=0)
    for bound in bounds:
        axis.axhline(bound, color="#bbbbbb", linewidth=0.8)
    for spine in axis.spines.values():
        spine.set_visible(False)
    axis.set_title(sheet.title, fontsize=11)
    return figure


def _stretches(sheet: Sheet) -> list[tuple[int, int]]:
    """Return the first and the last place of each stretch of neighbouring columns that the victim holds."""
    places = [place for place, label in enumerate(sheet.columns) if label in sheet.owned]
    firsts = [place for place in places if place - 1 not in places]
    return list(zip(firsts, [place for place in places if place + 1 not in places], strict=True))


def _lay_out(sheet: Sheet, groups: Sequence[Row]) -> tuple[Pixels, list[float], list[float]]:
    """Return the canvas RGBA, the height of each group's middle, and those between groups."""
    height, width = next(images.shape[2:] for _, by_class, _ in groups for images in by_class.values() if len(images))
    gap = max(1, round(0.1 * width))
    apart = max(2, height // 3)
    tall = sum(count * (height + gap) for _, _, count in groups) + apart * (len(groups) - 1)
    canvas: Pixels = np.zeros((tall, len(sheet.columns) * (width + gap), 4), dtype=np.float32)
    top, centres, bounds = 0, [], []
    for number, (_, by_class, count) in enumerate(groups):
        for place, label in enumerate(sheet.columns):
            for row, tile in enumerate(pixels(by_class[label][:count]) if len(by_class.get(label, ())) else ()):
                colours = tile if tile.shape[2] == 3 else tile.mean(2, keepdims=True).repeat(3, 2)  # noqa: PLR2004  # RGB or grey
                y, x = top + row * (height + gap), place * (width + gap) + gap // 2
                canvas[y : y + height, x : x + width, :3] = colours
                canvas[y : y + height, x : x + width, 3] = 1
        size = count * (height + gap)
        centres.append(top + size / 2 - gap / 2)
        top += size + apart
        if number < len(groups) - 1:
            bounds.append(top - apart / 2 - gap / 2)
    return canvas, centres, bounds

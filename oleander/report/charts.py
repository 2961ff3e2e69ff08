"""Curves as SVG inside the page: they follow its colours in light, dark and print, and need no script."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 520, 260
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 14, 34
TICKS = 5


@dataclass(frozen=True, kw_only=True)
class Series:
    """One curve: points (round, value) in order; `tone` picks a colour (0 to 5), `dashed` sets a yardstick apart."""

    name: str
    points: tuple[tuple[float, float], ...]
    tone: int = 0
    dashed: bool = False


def curve(
    series: Sequence[Series], *, title: str, start: int | None = None, begins: str = "theft begins", share: bool = False
) -> Markup | None:
    """Draw curves over rounds.

    Args:
        series: those without points are left out.
        title: also the text for people who cannot see it.
        start: round in which the attack began, marked by a vertical line.
        begins: what is written beside that line.
        share: whether the values are shares from 0 to 1 (then that is the axis, in per cent); else it goes from 0 to
            the highest value.

    Returns:
        The SVG, or None where there is nothing to draw.

    """
    drawn = [one for one in series if one.points]
    if not drawn:
        return None
    rounds = [point[0] for one in drawn for point in one.points]
    first, last = min(rounds), max(*rounds, min(rounds) + 1)
    highest = max(point[1] for one in drawn for point in one.points)
    step = 0.25 if share else nice_step(highest)
    high = 1.0 if share else step * max(1, math.ceil(highest / step - 1e-9))

    def x(server_round: float) -> float:
        return LEFT + (server_round - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (1 - min(max(value, 0), high) / high) * (HEIGHT - TOP - BOTTOM)

    parts = []
    for index in range(round(high / step) + 1):
        value = index * step
        text = f"{100 * value:.0f} %" if share else f"{value:.3g}"
        parts.append(_line(LEFT, y(value), WIDTH - RIGHT, y(value), "grid"))
        parts.append(_text(LEFT - 8, y(value) + 4.5, text, "end"))
    parts += [_text(x(tick), HEIGHT - BOTTOM + 18, f"{tick:.0f}", "middle") for tick in ticks(first, last)]
    parts.append(_text(WIDTH - RIGHT, HEIGHT - 2, "round", "end"))
    if start is not None and first <= start <= last:
        parts.append(_line(x(start), TOP, x(start), HEIGHT - BOTTOM, "start"))
        late = x(start) > WIDTH * 0.6
        parts.append(_text(x(start) + (-6 if late else 6), HEIGHT - BOTTOM - 8, begins, "end" if late else "start"))
    parts += [_curve([(x(a), y(b)) for a, b in one.points], one) for one in drawn]
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, title, Markup("").join(parts)
    )


def nice_step(high: float) -> float:
    """Return 1, 2 or 5 times a power of ten, so that about TICKS steps reach `high`; 1 where `high` is not above 0."""
    if high <= 0:
        return 1.0
    rough = high / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def ticks(first: float, last: float) -> list[float]:
    """Return whole rounds to label on the axis: the first, and the multiples of a round number."""
    step = max(1.0, nice_step(last - first))
    multiples = [step * index for index in range(math.ceil(first / step), math.floor(last / step) + 1)]
    return [first, *(value for value in multiples if value - first > step / 2)]


def _curve(points: list[tuple[float, float]], one: Series) -> Markup:
    """Draw one curve; a single point as a dot."""
    style = f"tone-{one.tone % 6}{' dashed' if one.dashed else ''}"
    if len(points) == 1:
        return Markup('<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="4"/>').format(style, *points[0])
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    return Markup('<polyline class="line {}" points="{}"><title>{}</title></polyline>').format(style, path, one.name)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """Draw a straight line of a kind that the style sheet knows."""
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(kind, x1, y1, x2, y2)


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    """Write a label."""
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, escape(text))

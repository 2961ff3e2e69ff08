"""Curves."""

import re
import xml.etree.ElementTree as ET

import pytest

from oleander.report.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Series, curve, nice_step, ticks


def test_points_lie_where_the_axes_say() -> None:
    """On an axis of shares 0 is the bottom and 1 the top, the first round is left and the last right."""
    svg = curve([Series(name="a", points=((1, 0.0), (2, 0.5), (3, 1.0)))], title="t", share=True)
    drawn = re.search(r'points="([^"]+)"', str(svg))
    assert drawn is not None
    points = [tuple(map(float, point.split(","))) for point in drawn[1].split()]
    middle = ((LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2)
    assert points == [(LEFT, HEIGHT - BOTTOM), middle, (WIDTH - RIGHT, TOP)]


def test_it_is_well_formed_and_names_are_escaped() -> None:
    """A name with markup in it stays text."""
    svg = curve([Series(name="<b>&", points=((1, 0.2), (2, 0.3)))], title='"<t>', start=2)
    root = ET.fromstring(str(svg))  # noqa: S314 - our own text
    assert root.attrib["aria-label"] == '"<t>'
    assert [title.text for title in root.iter("title")] == ["<b>&"]


def test_nothing_to_draw_gives_nothing() -> None:
    """Without a point there is no chart."""
    assert curve([Series(name="a", points=())], title="t") is None


def test_a_single_round_is_a_dot() -> None:
    """One point makes no line, but is shown."""
    assert "<circle" in str(curve([Series(name="a", points=((4, 0.5),))], title="t"))


@pytest.mark.parametrize(("high", "step"), [(1.0, 0.2), (0.5, 0.1), (13.7, 5.0), (100.0, 20.0), (0.0, 1.0)])
def test_steps_are_round_numbers(high: float, step: float) -> None:
    """1, 2 or 5 times a power of ten, at most five of them."""
    assert nice_step(high) == pytest.approx(step)


def test_ticks_begin_with_the_first_round() -> None:
    """Rounds 1 to 30 are labelled 1, 10, 20, 30; a multiple next to the first is left out."""
    assert ticks(1, 30) == [1, 10, 20, 30]
    assert ticks(9, 30) == [9, 15, 20, 25, 30]

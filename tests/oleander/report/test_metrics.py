"""How numbers are named and written, and which three matter."""

import math
from typing import Any

import pytest

from oleander.report.key_numbers import key_numbers
from oleander.report.metrics import named, written


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [
        (0.983, "share", "98.3 %"),
        (1.0, "share", "100 %"),
        (0, "share", "0 %"),
        (0.514, "share", "51.4 %"),
        (0.00173, "number", "0.00173"),
        (13.71, "number", "13.7"),
        (60, "number", "60"),
        (math.nan, "number", "—"),
        (None, "share", "—"),
        ("text", "number", "—"),
        (True, "number", "—"),
    ],
)
def test_numbers_are_written_for_people(value: object, style: str, text: str) -> None:
    """About three digits, per cent for shares, a dash for what is none."""
    assert written(value, style) == text


def test_an_unknown_number_goes_by_its_own_name() -> None:
    """A later judge's numbers are shown without this module knowing them."""
    assert named("new_number").label == "New number"


def verdict(**targets: dict[str, Any]) -> dict[str, Any]:
    """Return a verdict about one attacker."""
    return {"attackers": {"client-5": {"targets": targets}}}


def test_the_weakest_theft_and_the_strongest_control_count() -> None:
    """Of 100 % and 60 % it says 60 %, of controls with 0 % and 4 % it says 4 %; the distance is the worse ratio's."""
    first = {"recognised": 1.0, "nn_rmse": 0.3, "nn_rmse_other": 0.6, "nn_rmse_real": 0.2}
    second = {"recognised": 0.6, "nn_rmse": 0.25, "nn_rmse_other": 0.26}
    controls = [{"control": True, "recognised": share} for share in (0.0, 0.04)]
    numbers = key_numbers(verdict(a=first, b=second, c=controls[0], d=controls[1]))
    assert [number.value for number in numbers] == ["60 %", "4 %", "0.25"]
    assert numbers[2].note.startswith("To other classes 0.26;")


def test_without_a_verdict_there_are_dashes() -> None:
    """Nothing judged, nothing claimed."""
    assert [number.value for number in key_numbers({})] == ["—", "—", "—"]
    assert {number.note for number in key_numbers({})} == {"Not judged."}

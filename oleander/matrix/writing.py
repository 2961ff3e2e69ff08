"""How a matrix's numbers and settings are written for people."""

from collections.abc import Callable, Mapping
from typing import Any

from oleander.report.metrics import ABSENT

DECIMALS = {"share": 0, "area": 2}


def settings(line: Mapping[str, Any]) -> str:
    """Return a row's swept values, each by the last part of its key where that says enough."""
    keys = list(line["settings"])
    last = [key.rsplit(".", 1)[-1] for key in keys]
    short = last if len(set(last)) == len(keys) else keys
    return ", ".join(f"{name}={line['settings'][key]}" for name, key in zip(short, keys, strict=True))


def number(spread: Mapping[str, Any], style: str = "") -> str:
    """Write a mean and half its interval.

    Args:
        spread: the mean and its interval.
        style: `share` (per cent), `area` (two digits after the point), `mega` (in millions); else three digits.

    """
    scale = {"share": 100, "mega": 1e-6}.get(style, 1)
    return _written(spread, scale, lambda value: _digits(value, style), " %" if style == "share" else "")


def plain(spread: Mapping[str, Any] | None) -> str:
    """Write a mean and half its interval with three digits after the point, as areas and rates are compared."""
    return ABSENT if spread is None else _written(spread, 1, "{:.3f}".format, "")


def _written(spread: Mapping[str, Any], scale: float, digits: Callable[[float], str], unit: str) -> str:
    """Write a mean and half its interval, where there is one, and the unit."""
    if spread["mean"] is None:
        return ABSENT
    written = [digits(spread["mean"] * scale)]
    if spread["high"] is not None:
        written.append(digits((spread["high"] - spread["mean"]) * scale))
    return " ± ".join(written) + unit


def _digits(value: float, style: str) -> str:
    """Write a number: whole per cent, areas with two decimals, else three digits that count, without an exponent."""
    if style in DECIMALS:
        return f"{value:.{DECIMALS[style]}f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits already

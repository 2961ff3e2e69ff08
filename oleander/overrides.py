"""One value of a scenario, replaced before it is parsed: `--set key=value`, and the tables of a matrix."""

import difflib
from collections.abc import Mapping
from typing import Any

from oleander.plain import from_yaml
from task.settings import expect

MORE = "+"
"""At the end of a key: what is given is added to the list that stands there."""


def override(values: dict[str, Any], text: str) -> None:
    """Set one value, "a.b.c=value", in a nested mapping; the value is read as YAML.

    Raises:
        SettingsError: for a text that is no assignment, or names a place that cannot be.

    """
    key, equals, raw = text.partition("=")
    expect(bool(equals and key), "--set key=value", text, "For example --set federation.rounds=5.")
    place(values, key, from_yaml(raw, f"--set {text}"), "--set")


def place(values: dict[str, Any], key: str, value: Any, where: str) -> None:
    """Set the value at the dotted `key`.

    Args:
        values: nested mappings and lists; changed.
        key: "clients.0.options" reaches into a list, "clients.-1" its last entry; "clients+" adds to it.
        value: plain.
        where: who asks, for the text of an error.

    Raises:
        SettingsError: for a place that cannot be.

    """
    level: Any = values
    *path, last = key.split(".")
    for part in path:
        if isinstance(level, list):
            digits = part.removeprefix("-")
            number = int(part) if digits.isdecimal() and len(digits) < 10 else len(level)  # noqa: PLR2004 - enough of a list
            expect(-len(level) <= number < len(level), f"{where} {key} to name an entry of the list", part)
            level = level[number]
        else:
            expect(isinstance(level, dict), f"{where} {key} to name a nested key", part, _near(part, values))
            level = level.setdefault(part, {})
    expect(isinstance(level, dict), f"{where} {key} to name a key of a mapping", value)
    if not last.endswith(MORE):
        level[last] = value
        return
    name = last.removesuffix(MORE)
    there = level.setdefault(name, [])
    expect(isinstance(there, list) and isinstance(value, list), f"{where} {key} to add a list to a list", value)
    level[name] = [*there, *value]


def _near(part: str, values: Mapping[str, Any]) -> str:
    """Return a hint for a mistyped key."""
    near = difflib.get_close_matches(part, values, n=1)
    return f"Did you mean {near[0]!r}?" if near else ""

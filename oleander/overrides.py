"""`--set key=value`: one value of a scenario, replaced before it is parsed."""

import difflib
from collections.abc import Mapping
from typing import Any

import yaml

from task.settings import SettingsError, expect


def override(values: dict[str, Any], text: str) -> None:
    """Set one value, "a.b.c=value", in a nested mapping; the value is read as YAML.

    Raises:
        SettingsError: for a text that is no assignment, or names a place that cannot be.

    """
    key, equals, raw = text.partition("=")
    expect(bool(equals and key), "--set key=value", text, "For example --set federation.rounds=5.")
    try:
        value = yaml.safe_load(raw)
    except yaml.YAMLError as error:
        raise SettingsError(f"Expected a YAML value in --set {text}, got this: {error}.") from error
    level: Any = values
    *path, last = key.split(".")
    for part in path:
        if isinstance(level, list):
            expect(part.isdigit() and int(part) < len(level), f"--set {key} to name an entry of the list", part)
            level = level[int(part)]
        else:
            expect(isinstance(level, dict), f"--set {key} to name a nested key", text, _near(part, values))
            level = level.setdefault(part, {})
    expect(isinstance(level, dict), f"--set {key} to name a key of a mapping", text)
    level[last] = value


def _near(part: str, values: Mapping[str, Any]) -> str:
    """Return a hint for a mistyped key."""
    near = difflib.get_close_matches(part, values, n=1)
    return f"Did you mean {near[0]!r}?" if near else ""

"""YAML from people, as plain values and nothing else: what JSON can hold, too, and no more than a scenario needs."""

from collections.abc import Iterator
from typing import Any

import yaml

from task.settings import SettingsError

LARGEST, DEEPEST = 100_000, 30
"""So many values at most, each counted as often as an anchor repeats it, and nested so deep."""
KINDS = (str, bool, int, float, type(None))


def from_yaml(text: str, where: str) -> Any:
    """Return the value that a YAML text stands for.

    Args:
        text: YAML.
        where: it stands, for the text of an error.

    Raises:
        SettingsError: for what is no YAML; for dates, bytes, sets, NaN and keys that are no texts; and for what is too
            large or too deep to be meant, such as anchors that repeat each other.

    """
    try:
        value = yaml.safe_load(text)
        for number, one in enumerate(_walk(value, DEEPEST)):
            if number > LARGEST:
                raise ValueError(f"more than {LARGEST} values")  # noqa: TRY301 - one way to refuse
            if not isinstance(one, KINDS) or one != one:  # noqa: PLR0124 - NaN
                raise ValueError(f"{one!r}, which is neither text, number, true, false nor null")  # noqa: TRY301
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        # PyYAML lets all of these through, for `!!int ""` and `2026-99-99` for instance
        said = "nested too deep" if isinstance(error, RecursionError) else error
        raise SettingsError(f"Expected YAML of plain values in {where}, got this: {said}.") from error
    return value


def _walk(value: Any, depth: int) -> Iterator[Any]:
    """Yield all that is in a nested value but its lists and mappings, and the mappings' keys."""
    if not depth:
        raise RecursionError
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"the key {key!r}, which is no text")
            yield from _walk(inner, depth - 1)
    elif isinstance(value, list):
        yield None  # an empty one counts as well
        for inner in value:
            yield from _walk(inner, depth - 1)
    else:
        yield value

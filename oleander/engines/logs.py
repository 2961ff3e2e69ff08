"""What a log says at its end and an exception at its beginning, in few lines: why it failed, not where in the code."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

LINES = 15
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_TRACEBACK = "Traceback (most recent call last):"
_LINKS = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)


def tail(path: Path) -> str:
    """Return the end of a log, headed by its path, for a message."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return f"It left no log at {path}."
    # A chain of exceptions repeats each of them: what was said last stands once, where it was said last.
    said = list(dict.fromkeys(reversed(list(spoken(lines)))))[:LINES]
    return "\n".join([f"The end of {path}:", *("  " + line for line in reversed(said))])


def spoken(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines that say something: no blank ones, no colours, of a traceback the exception alone."""
    inside = False
    for line in lines:
        plain = _COLOURS.sub("", line).rstrip()
        inside = plain.endswith(_TRACEBACK) or (inside and plain.startswith(" "))
        if plain and not inside and plain not in _LINKS:
            yield plain


def why(error: BaseException) -> str:
    """Return what an exception says and, where it only wraps another, as Flower's do, the first of them all."""
    first = error
    while first.__cause__ is not None:
        first = first.__cause__
    return str(error) if first is error else f"{error} The cause is {type(first).__name__}: {first}"

"""How every part writes a file that others read: whole or not at all, whatever the writer dies of, a full disk, too.

Not where the machine loses its power: nothing waits for the disk, which would take some milliseconds a file. And what
is said of a file that is damaged all the same.
"""

import contextlib
import errno
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from task.settings import SettingsError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the path of a draft, which takes the place of `path` once it is written, and goes if that fails."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield draft
        draft.replace(path)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text (UTF-8) so that a reader sees the old file or the new one, never half of it."""
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON, likewise."""
    write_text(path, json.dumps(value, indent=1) + "\n")


def append_line(path: Path, line: Mapping[str, object]) -> None:
    """Append a line to a file of JSON lines, all of it or nothing; its folder is made where it is missing.

    Raises:
        OSError: where the disk does not take all of it.

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = (json.dumps(line) + "\n").encode()
    with path.open("ab", buffering=0) as file:
        end = file.tell()
        if file.write(data) < len(data):  # the disk took a part; the next line would go on where it stopped
            file.truncate(end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Say of a file that is damaged which it is.

    Raises:
        SettingsError: in place of whatever its reader raises.

    """
    try:
        yield
    except SettingsError:
        raise
    except Exception as error:
        remedy = "Remove it, or bring it again; a run that has lost it can still be judged and reported."
        raise SettingsError(f"Expected {path} to be as a run leaves it, got: {error!r}. {remedy}") from error

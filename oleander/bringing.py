"""Bring what participants on other hosts took and published: folders of strangers, in which no link is followed.

What is hidden is a draft (see task.files), and left.
"""

import contextlib
import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from task.files import replacing
from task.settings import SettingsError, expect

KINDS = ("loot", "published")


REMEDY = "Name the --out of an `oleander deploy client`, or a copy of it."


def claims(folder: Path, run_id: int, into: Path, clients: int, before: Mapping[str, str]) -> dict[str, str]:
    """Look through a folder, and return for each `client-N` that has files in it where they come from.

    Args:
        folder: the --out of an `oleander deploy client`.
        run_id: of the run.
        into: its run directory.
        clients: number of its participants.
        before: the same of what was brought earlier.

    Raises:
        SettingsError: where there is nothing of this run; for a link or anything else that is no folder and no regular
            file, at any level; for a folder of nobody in the federation, or of somebody whose files are there from
            elsewhere; for what cannot be read.

    """
    origin = str(folder.absolute())
    with _told(folder, into):
        found = sorted({path.parent.name for path, _ in _files(folder, run_id, clients)})
    expect(bool(found), f"loot of run {run_id} in {folder}", "none", REMEDY)
    for who in found:
        there = [into / kind / who for kind in KINDS if (into / kind / who).exists()]
        other = before.get(who, "elsewhere")
        remedy = f"To have them from {origin}, remove {' and '.join(map(str, there))} first."
        expect(not there or other == origin, f"one folder for what {who} took or published", f"{other}, too", remedy)
    return dict.fromkeys(found, origin)


def copy(folder: Path, run_id: int, into: Path, clients: int) -> None:
    """Copy the files in `folder`/RUN_ID/KIND/client-N to `into`/KIND/client-N; arguments and errors as above."""
    with _told(folder, into):
        for path, file in _files(folder, run_id, clients):
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            with replacing(into / path) as draft, draft.open("wb") as target, os.fdopen(os.dup(file), "rb") as source:
                shutil.copyfileobj(source, target)


@contextlib.contextmanager
def _told(folder: Path, into: Path) -> Iterator[None]:
    """Say what was to be copied where that fails."""
    try:
        yield
    except OSError as error:
        raise SettingsError(f"Expected to copy loot from {folder} to {into}, got this: {error}.") from error


def _files(folder: Path, run_id: int, clients: int) -> Iterator[tuple[Path, int]]:
    """Open one file after the other; give its path below `folder`/RUN_ID, and its descriptor."""
    number = str(run_id)
    with _opened(folder) as home:
        if number not in _visible(home):
            return
        with _opened(folder / number, home) as run:
            for kind in sorted({*KINDS} & {*_visible(run)}):
                with _opened(folder / number / kind, run) as everybody:
                    for who in _visible(everybody):
                        known = re.fullmatch("client-(0|[1-9][0-9]{0,8})", who)
                        fits = known is not None and int(known[1]) < clients
                        expect(fits, f"client-0 to client-{clients - 1} in {folder / number / kind}", who, REMEDY)
                        with _opened(folder / number / kind / who, everybody) as own:
                            for name in _visible(own):
                                with _opened(folder / number / kind / who / name, own, regular=True) as file:
                                    yield Path(kind, who, name), file


@contextlib.contextmanager
def _opened(path: Path, within: int | None = None, *, regular: bool = False) -> Iterator[int]:
    """Open a folder or a regular file, by its name in an open folder: what is put in a folder's place is not found."""
    name = path if within is None else path.name
    kind, fits = ("regular file", stat.S_ISREG) if regular else ("folder", stat.S_ISDIR)
    is_link = stat.S_ISLNK(os.stat(name, dir_fd=within, follow_symlinks=False).st_mode)
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW  # a pipe that nobody writes to would keep us waiting
    expect(not is_link, f"a {kind} {path}", "a link", "Links are not followed. " + REMEDY)
    descriptor = os.open(name, flags, dir_fd=within)
    try:
        expect(fits(os.fstat(descriptor).st_mode), f"a {kind} {path}", "something else", REMEDY)
        yield descriptor
    finally:
        os.close(descriptor)


def _visible(folder: int) -> list[str]:
    """Return the names in an open folder that are not hidden."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if not entry.name.startswith("."))

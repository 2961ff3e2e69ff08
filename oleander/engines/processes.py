"""What keeps a run's processes together: they die with their parent, and orphans come back to be ended."""

import contextlib
import ctypes
import os
import signal
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LINUX = sys.platform == "linux"


def die_with_parent(parent: int) -> None:
    """Have the kernel send this process SIGKILL when its parent dies (on Linux; elsewhere a lifeline has to do).

    Args:
        parent: process id of the parent that the caller was started by.

    """
    if _LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel knew
            os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that `end_descendants` finds them all."""
    if _LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def descendants(root: int) -> list[int]:
    """Return the process ids of all running descendants of `root`; empty where there is no /proc."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = entry.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # it ended while we looked
            continue
        if state not in "ZX":
            children.setdefault(int(parent), []).append(int(entry.parent.name))
    found, todo = [], [root]
    while todo:
        for child in children.get(todo.pop(), []):
            found.append(child)
            todo.append(child)
    return found


def end_descendants(grace: float = 0.0, known: tuple[int, ...] = ()) -> None:
    """End all descendants of this process and wait until they are gone.

    Args:
        grace: seconds between SIGTERM and SIGKILL; 0 for SIGKILL at once.
        known: process ids of children, for systems without /proc.

    """
    end = time.monotonic() + grace
    number = signal.SIGTERM if grace else signal.SIGKILL
    while True:
        alive = descendants(os.getpid()) or [pid for pid in known if _runs(pid)]
        if not alive:
            break
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        number = signal.SIGKILL if time.monotonic() >= end else signal.Signals(0)
        time.sleep(0.02)
        _reap()


def _runs(pid: int) -> bool:
    """Return whether a child still runs."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == 0
    except ChildProcessError:
        return False


def _reap() -> None:
    """Collect children that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass

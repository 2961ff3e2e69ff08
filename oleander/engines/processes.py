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
POLL_SECONDS = 0.02
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
    children: dict[int, list[tuple[int, bool]]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = entry.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # it ended while we looked
            continue
        children.setdefault(int(parent), []).append((int(entry.parent.name), state not in "ZX"))
    found, todo = [], [root]
    while todo:
        for child, runs in children.get(todo.pop(), []):
            todo.append(child)
            if runs:
                found.append(child)
    return found


def end_descendants() -> None:
    """End all descendants of this process, wait until they are gone, and collect them."""
    if not Path("/proc/self").exists():  # no Linux: our session's group is what we can name
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
        return
    while alive := descendants(os.getpid()):
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(POLL_SECONDS)
    # A process counts as ended while its last threads are still on their way out: wait for those, too.
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)

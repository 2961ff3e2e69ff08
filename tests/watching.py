"""Watch other processes end, for tests."""

import os
import time
from pathlib import Path

from oleander.engines.processes import descendants

BEFORE: set[int] = set()
"""Processes that ran below this one when the test began: what earlier tests left on purpose, say a fork server."""


def left_running() -> list[int]:
    """Return the processes below this one that the test has started, and that have not ended."""
    return [pid for pid in descendants(os.getpid()) if pid not in BEFORE]


def runs(pid: int) -> bool:
    """Return whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_for_the_end_of(*pids: int, seconds: float = 5.0) -> None:
    """Fail if one of the processes still runs after some seconds."""
    end = time.monotonic() + seconds
    while left := [pid for pid in pids if runs(pid)]:
        assert time.monotonic() < end, f"still running: {left}"
        time.sleep(0.02)

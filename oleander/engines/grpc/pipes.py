"""Pipes by which the fleet's processes wake each other, made before the fork so that all of them hold the ends."""

import contextlib
import json
import os
import select
from typing import Any


class Bell:
    """A pipe that is rung in one process and heard in another; ringing never blocks, and rings add up to one."""

    def __init__(self) -> None:
        """Make the pipe; `rung` is the descriptor to write to."""
        self._heard, self.rung = os.pipe()
        os.set_blocking(self._heard, False)
        os.set_blocking(self.rung, False)

    def ring(self, note: bytes = b".") -> None:
        """Ring; `note` is what the hearer gets."""
        with contextlib.suppress(BlockingIOError):  # a full pipe wakes the hearer as well
            os.write(self.rung, note)

    def wait(self, seconds: float) -> bytes:
        """Wait until it is rung or has been since last heard; return all notes, empty if the time is up."""
        if not select.select([self._heard], [], [], seconds)[0]:
            return b""
        return self.hear()

    def hear(self) -> bytes:
        """Return the notes rung since last heard, without waiting."""
        try:
            return os.read(self._heard, 65536)
        except BlockingIOError:
            return b""

    def fileno(self) -> int:
        """Return the descriptor that becomes readable, for a selector."""
        return self._heard


def line(words: list[Any]) -> bytes:
    """Return words as a line of JSON that a pipe takes whole or not at all; texts that are too long for it are cut."""
    while len(said := json.dumps(words).encode() + b"\n") > select.PIPE_BUF:
        longest = max(len(word) for word in words if isinstance(word, str))
        words = [word[: longest * 9 // 10] if isinstance(word, str) else word for word in words]
    return said


class Clock:
    """Stands in for the module `time` in a Flower module whose loop sleeps: waits for a bell, at most as long."""

    def __init__(self, bells: "dict[float, Bell]", wait: float = 1.0) -> None:
        """Set which bell is waited for in place of which sleep.

        Args:
            bells: by the seconds that Flower would sleep.
            wait: seconds after which it looks anyway.

        """
        self._bells, self._wait = bells, wait

    def sleep(self, seconds: float) -> None:
        """Wait for the bell of this sleep."""
        self._bells[seconds].wait(min(seconds, self._wait))

    def __getattr__(self, name: str) -> object:
        import time  # noqa: PLC0415 - the real one; at the top its name would be the stand-in's

        return getattr(time, name)

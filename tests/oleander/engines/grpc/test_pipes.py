"""Bells and the clock that waits for them."""

import threading
import time

from oleander.engines.grpc.pipes import Bell, Clock


def test_rings_add_up_and_are_heard_once() -> None:
    """Two rings before a wait are one; afterwards there is silence."""
    bell = Bell()
    bell.ring(b"a")
    bell.ring(b"b")
    assert bell.wait(5.0) == b"ab"
    assert bell.wait(0.0) == b""


def test_ringing_a_full_pipe_does_not_block() -> None:
    """A bell that nobody hears can be rung for ever."""
    bell = Bell()
    for _ in range(3):
        bell.ring(b"x" * 65536)
    assert bell.wait(0.0)


def test_the_clock_sleeps_until_the_bell_rings_and_tells_the_real_time() -> None:
    """A sleep of three seconds ends at a ring; everything else is the module `time`."""
    bell = Bell()
    clock = Clock({3: bell})
    threading.Timer(0.1, bell.ring).start()
    began = time.monotonic()
    clock.sleep(3)
    assert 0.05 < time.monotonic() - began < 0.9
    assert abs(clock.time() - time.time()) < 1  # type: ignore[operator]

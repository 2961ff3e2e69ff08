"""Bells and the clock that waits for them."""

import json
import select
import threading
import time

import pytest

from oleander.engines.grpc.pipes import Bell, Clock, line


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


@pytest.mark.parametrize("text", ["x" * 10**6, "\x00é" * 10**5, "short"])
def test_words_of_any_length_fit_into_a_pipe_whole(text: str) -> None:
    """A text is cut where it is too long, by no more than a fifth of what fits; what it belongs to is kept."""
    said = line(["failed", 7, text])
    kind, number, cut = json.loads(said)
    assert (kind, number) == ("failed", 7)
    assert text.startswith(cut)
    assert said.endswith(b"\n")
    assert len(said) <= select.PIPE_BUF
    assert cut == text or len(said) > 0.8 * select.PIPE_BUF

"""What is shown of a log: why, in few lines."""

from pathlib import Path

from oleander.engines.logs import spoken, tail

CHAIN = """\x1b[91mERROR \x1b[0m:     Traceback (most recent call last):
  File "a.py", line 1, in start
    raise ValueError("no room")
          ^^^^^^^^^^^^^^^^^^^^^
ValueError: no room

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "b.py", line 2, in run
RuntimeError: It crashed.
  The second line of what was said.
\x1b[93mWARNING \x1b[0m:   Stopping.
ValueError: no room
"""


def test_of_a_traceback_the_exception_alone_is_shown() -> None:
    """Frames, links between exceptions, blank lines and colours say where, not why."""
    expected = ["ValueError: no room", "RuntimeError: It crashed.", "  The second line of what was said."]
    assert list(spoken(CHAIN.splitlines())) == [*expected, "WARNING :   Stopping.", "ValueError: no room"]


def test_the_end_of_a_log_is_headed_by_its_path_and_repeats_nothing(tmp_path: Path) -> None:
    """At most fifteen lines, in their order; one that was said twice stands where it was said last."""
    path = tmp_path / "some.log"
    path.write_text("".join(f"line {number}\n" for number in range(20)) + CHAIN, encoding="utf-8")
    head, *lines = tail(path).splitlines()
    assert head == f"The end of {path}:"
    assert lines[0] == "  line 9"
    assert len(lines) == 15
    assert [line.strip() for line in lines[-2:]] == ["WARNING :   Stopping.", "ValueError: no room"]


def test_a_log_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Its path is what somebody would look for."""
    assert tail(tmp_path / "gone.log") == f"It left no log at {tmp_path / 'gone.log'}."

"""The command's end of the line: start a fleet program, tick while it runs, take its events, end it in any case."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import oleander
from oleander.engines.lifeline import read

TICK_SECONDS = 0.2
END_SECONDS = 10.0


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a fleet: its own FLWR_HOME, one thread a process, and nobody is called home to."""
    root = str(Path(oleander.__file__).parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    commands = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    return os.environ | {
        "FLWR_HOME": str(home),
        "FLWR_TELEMETRY_ENABLED": "0",
        "FLWR_DISABLE_UPDATE_CHECK": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        # Ray starts its workers at niceness 15: beside anything else that computes they stand still.
        "RAY_worker_niceness": "0",
        # The order in which threads add up numbers changes the last bit: one thread gives the same weights everywhere.
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        # The server evaluates with all cores: threads that spin while they wait take them from everybody else.
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONPATH": os.pathsep.join(paths),
        "PATH": os.pathsep.join(commands),
    }


def follow(
    module: str,
    plan: Path,
    *,
    home: Path,
    log: Path,
    tick: Callable[[], None],
    event: Callable[[Mapping[str, Any]], None],
) -> int:
    """Run a fleet program to its end.

    Args:
        module: the program, a module that takes the plan's path.
        plan: what it is to run.
        home: its FLWR_HOME.
        log: file for what it prints.
        tick: called about five times a second.
        event: called with each event that it tells.

    Returns:
        Its exit code; by then nothing that it started runs any more.

    """
    command = [sys.executable, "-P", "-m", module, str(plan)]
    with log.open("ab") as output:
        program = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            env=environment(home),
            start_new_session=True,  # Ctrl-C reaches the command alone, which then ends the fleet in order
        )
    with _terminated_like_interrupted(), _ended(program):
        assert program.stdout is not None  # noqa: S101 - for the type checker: asked for above
        os.set_blocking(program.stdout.fileno(), False)
        buffer = b""
        while True:
            running = program.poll() is None
            buffer += program.stdout.read() or b""
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                event(read(line))
            tick()
            if not running:
                return program.returncode
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(TICK_SECONDS)


@contextlib.contextmanager
def _ended(program: "subprocess.Popen[bytes]") -> Iterator[None]:
    """On leaving, let go of the lifeline and wait until the program, and with it all it started, has ended."""
    try:
        yield
    finally:
        assert program.stdin is not None  # noqa: S101 - as above
        assert program.stdout is not None  # noqa: S101
        program.stdin.close()
        end = time.monotonic() + END_SECONDS
        while program.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        if program.poll() is None:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()
        program.stdout.close()


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM unwind the stack as Ctrl-C does, so that everything is ended before the command is."""
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not ours:
        yield
        return

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

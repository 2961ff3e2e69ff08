"""Runs cells side by side, each in a process of its own, so that one that dies takes no other along."""

import contextlib
import multiprocessing
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess

from oleander.matrix.work import Order, carry_out
from oleander.rundir import RunDirectory

TICK_SECONDS = 0.5
END_SECONDS = 10.0
PRELOADED = [carry_out.__module__, "oleander.engines.inline.nodes", "server_app.app"]
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def run_all(
    orders: Mapping[str, Order],
    jobs: int,
    *,
    started: Callable[[str], None],
    ended: Callable[[str, str], None],
    tick: Callable[[], None],
) -> dict[str, str]:
    """Run every order, `jobs` at a time; return why each of those that failed did.

    What lies in an order's folder and has not ended is replaced. When this returns or raises, no process is left.

    Args:
        orders: by name.
        jobs: processes at a time.
        started: called with the name of each that begins.
        ended: called with the name of each that ends, and why it failed; empty where it did not.
        tick: called about twice a second.

    """
    context, waiting = _context(), deque(orders)
    running: dict[str, BaseProcess] = {}
    failures: dict[str, str] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                name = waiting.popleft()
                running[name] = _start(context, orders[name])
                started(name)
            wait([process.sentinel for process in running.values()], TICK_SECONDS)
            for name in [name for name, process in running.items() if not process.is_alive()]:
                process = running.pop(name)
                process.join()
                reason = _reason(process.exitcode or 0, orders[name])
                if reason:
                    failures[name] = reason
                ended(name, reason)
            tick()
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.join(END_SECONDS)
            process.kill()
            process.join()
    return failures


def _start(context: BaseContext, order: Order) -> BaseProcess:
    """Start a process for an order, in a folder without a run that never ended."""
    if order.path.is_dir() and RunDirectory(order.path).environment().get("exit") != 0:
        shutil.rmtree(order.path)
    process: BaseProcess = context.Process(target=carry_out, args=(order,))  # type: ignore[attr-defined]  # every one has it
    with _environment():
        process.start()
    return process


def _reason(code: int, order: Order) -> str:
    """Return why a process failed; empty where it did not."""
    if not code:
        return ""
    said = str(RunDirectory(order.path).environment().get("failure", ""))
    how = f"its process was ended by signal {-code}" if code < 0 else f"its process ended with exit code {code}"
    return said or how


def _context() -> BaseContext:
    """Return what processes are forked from: where it can be, a clean one that has imported PyTorch and Flower."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    """Start a process with one thread for each sum, whatever the command itself has."""
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update(ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

"""Fork a process of the fleet off this one."""

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from oleander.engines.processes import die_with_parent


def fork(work: Callable[[], None], log: Path, gpu: str | None = None) -> int:
    """Run `work` in a forked process, which dies with this one, and return its process id.

    Args:
        work: what it does; it leaves with 0 when this returns.
        log: file that its output is appended to.
        gpu: the GPU it may use, as CUDA_VISIBLE_DEVICES spells it; None for none.

    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        _become(parent, log)
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu or ""
        work()
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:  # noqa: BLE001 - the last frame of a process: the log gets all of it
        with contextlib.suppress(OSError):
            traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):  # a full disk takes no log; this process must leave all the same
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(min(code, 255))


def _become(parent: int, log: Path) -> None:
    """Shed what the parent set up for itself."""
    import numpy as np  # noqa: PLC0415 - loaded long ago where a fleet runs

    die_with_parent(parent)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    # A fresh process starts with its own random state; forks would all go on from the same one.
    np.random.seed(int.from_bytes(os.urandom(4), "big"))  # noqa: NPY002 - the global one is what is meant

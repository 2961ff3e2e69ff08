"""The signals that ask a command to stop: they unwind its stack, so that everything that was started is ended."""

import contextlib
import signal
from collections.abc import Iterator


class Interrupted(SystemExit):
    """Raised by SIGINT and SIGTERM, so that everything that was started is ended.

    Attributes:
        status: 128 and the signal's number.

    """

    def __init__(self, number: int) -> None:
        self.status = 128 + number
        super().__init__(self.status)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Have the signals that ask a command to stop unwind its stack; one that is ignored stays ignored."""
    asking = [one for one in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, _interrupt) for one in asking}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _interrupt(number: int, _frame: object) -> None:
    """Stop the command."""
    raise Interrupted(number)

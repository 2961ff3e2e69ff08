"""A clock that is $WRONG_BY seconds ahead, for a test: Python imports this at its start, from PYTHONPATH."""

import datetime as dt
import os
import time

_WRONG_BY = float(os.environ.get("WRONG_BY", "0"))
_right, _time = dt.datetime, time.time


class _Wrong(_right):
    """Dates by a wrong clock."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> "_Wrong":
        return cls.fromtimestamp(_time() + _WRONG_BY, tz)


time.time = lambda: _time() + _WRONG_BY
dt.datetime = _Wrong  # type: ignore[misc]

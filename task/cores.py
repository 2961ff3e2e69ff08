"""How many cores there are for this process. Imports no torch."""

import os


def cores() -> int:
    """Return how many cores this process may use; outside Linux, how many there are."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1

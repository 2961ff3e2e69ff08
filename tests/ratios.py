"""How much quicker than its alternative something has to be, by what the benchmarks have measured."""

import json
from pathlib import Path

SLACK = 8
KEPT = Path(__file__).parents[1] / "benchmarks" / "ratios.json"


def floor(measure: str) -> float:
    """Return an eighth of the ratio that is kept, and 1 at least where the alternative is slower.

    Machines differ, and tests measure beside other work.
    """
    kept = float(json.loads(KEPT.read_text(encoding="utf-8"))[measure]["ratio"])
    return max(1.0, kept / SLACK) if kept > 1 else kept / SLACK

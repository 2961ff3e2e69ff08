"""How much quicker than its alternative something has to be, by what the benchmarks have measured."""

import json
from pathlib import Path

KEPT = Path(__file__).parents[1] / "benchmarks" / "ratios.json"


def floor(measure: str) -> float:
    """Return a quarter of the ratio that is kept, 1 at least: machines differ, and tests measure beside other work."""
    return max(1.0, float(json.loads(KEPT.read_text(encoding="utf-8"))[measure]["ratio"]) / 4)

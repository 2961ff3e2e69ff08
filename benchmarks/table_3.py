"""Wang's Table III and Fig. 6 and 7: four attacks on the faces, N = 20, several seeds, beside the paper in one report.

    python benchmarks/table_3.py --data DIR --seeds 3 --out runs/table-3

Each run is `oleander run SCENARIO --set federation.clients=20 --seed N`; one that is there already is not repeated. The
client-side attack has one participant more, who holds nothing.
"""

import argparse
import subprocess
import sys
from pathlib import Path

CLIENTS = 20
SCENARIOS: dict[str, tuple[str, ...]] = {
    "mgan-ai-passive-faces": (f"federation.clients={CLIENTS}",),
    "mgan-ai-active-faces": (f"federation.clients={CLIENTS}",),
    "gan-attack-faces": (f"federation.clients={CLIENTS + 1}", f"clients.0.ids=[{CLIENTS}]"),
    "model-inversion-faces": (f"federation.clients={CLIENTS}",),
}


def main() -> None:
    """Run what is missing, then write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]  # it has one
    parser.add_argument("--data")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--engine", default="grpc")
    parser.add_argument("--out", type=Path, default=Path("runs/table-3"))
    given = parser.parse_args()
    oleander = [sys.executable, "-m", "oleander"]
    data = ["--data", given.data] if given.data else []
    runs = []
    for seed in range(given.seeds):
        for name, overrides in SCENARIOS.items():
            run = given.out / f"{name}-{seed}"
            runs.append(str(run))
            if (run / "verdict.json").is_file():
                continue
            changed = [part for one in overrides for part in ("--set", one)]
            command = [*oleander, "run", name, "--engine", given.engine, "--seed", str(seed), "--out", str(run)]
            subprocess.run([*command, *changed, *data], check=True)  # noqa: S603 - our own command
    report = str(given.out / "table-3.html")
    subprocess.run([*oleander, "report", *runs, "--paper", "wang", "--out", report], check=True)  # noqa: S603


if __name__ == "__main__":
    main()

"""Wang's experiments as several runs and one report beside the paper: Fig. 4, or Table III with Fig. 5 to 7.

    python benchmarks/wang.py fig-4 --data DIR
    python benchmarks/wang.py table-3 --data DIR --seeds 3

`fig-4`: passive and active on MNIST, the victim's three digits walked through all ten in four runs, and an upright
victim beside them. `table-3`: four attacks on the faces, N = 20; the client-side one has a participant more, who holds
nothing. Each run is `oleander run SCENARIO --seed N --set ...`, as printed; one that is there already is not repeated.
"""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

WALK = ([0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 0, 1])
CLIENTS = 20
TWENTY = (f"federation.clients={CLIENTS}",)
Runs = dict[str, tuple[str, tuple[str, ...]]]
"""Scenario and overrides by a name for the folder."""


def _figure_4() -> Runs:
    runs: Runs = {}
    for mode in ("passive", "active"):
        scenario = f"mgan-ai-{mode}-mnist"
        for classes in WALK:
            name = f"{mode}-{''.join(map(str, classes))}"
            runs[name] = (scenario, (f"task.private.classes={classes}",))
        runs[f"{mode}-upright"] = (scenario, (f"task.private.classes={WALK[0]}", "task.private.degrees=0"))
    return runs


EXPERIMENTS: dict[str, Runs] = {
    "fig-4": _figure_4(),
    "table-3": {
        "passive": ("mgan-ai-passive-faces", TWENTY),
        "active": ("mgan-ai-active-faces", TWENTY),
        "gan-attack": ("gan-attack-faces", (f"federation.clients={CLIENTS + 1}", f"clients.0.ids=[{CLIENTS}]")),
        "model-inversion": ("model-inversion-faces", TWENTY),
    },
}


def main() -> None:
    """Run what is missing, then write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]  # it has one
    parser.add_argument("experiment", choices=sorted(EXPERIMENTS))
    parser.add_argument("--data")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--engine", default="grpc")
    parser.add_argument("--out", type=Path, help="default runs/EXPERIMENT")
    given = parser.parse_args()
    out, oleander = given.out or Path("runs") / given.experiment, [sys.executable, "-m", "oleander"]
    data = ["--data", given.data] if given.data else []
    runs = []
    for seed in range(given.seeds):
        for name, (scenario, overrides) in EXPERIMENTS[given.experiment].items():
            run = out / f"{name}-{seed}"
            runs.append(str(run))
            if (run / "verdict.json").is_file():
                continue
            changed = [part for one in overrides for part in ("--set", one)]
            words = ["run", scenario, "--engine", given.engine, "--seed", str(seed), "--out", str(run), *changed]
            sys.stdout.write(f"$ {shlex.join(['oleander', *words])}\n")
            sys.stdout.flush()
            subprocess.run([*oleander, *words, *data], check=True)  # noqa: S603 - our own command
    report = str(out / "report.html")
    subprocess.run([*oleander, "report", *runs, "--paper", "wang", "--out", report], check=True)  # noqa: S603


if __name__ == "__main__":
    main()

"""What each part of the client-side GAN attack does on digits: every part switched off in turn, several seeds.

    python benchmarks/ablation.py --seeds 3

Each row is the mean over the seeds of the share of the last round's loot which the independent judge takes for the
target, for the targets that somebody owns and for the control that nobody owns, and of the federation's accuracy at the
end. The rows are runs of `oleander run gan-attack-digits` with the options that stand in the row's second column.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from oleander.rundir import RunDirectory

BARE = ("tv=0", "dark=0", "diversity=0", "ensemble=1", "replay_rounds=0", "noise_images=0")
VARIANTS: dict[str, tuple[str, ...]] = {
    "gan-attack-digits": (),
    "no total variation": ("tv=0",),
    "no dark prior": ("dark=0",),
    "no diversity": ("diversity=0",),
    "one model, not three": ("ensemble=1",),
    "no replayed fakes": ("replay_rounds=0",),
    "no noise images": ("noise_images=0",),
    "bare recipe": BARE,
    "passive": ("poison=false",),
    "bare and passive": (*BARE, "poison=false"),
}


def run(options: tuple[str, ...], seed: int, engine: str, out: Path) -> RunDirectory:
    """Run the scenario with these options of the attack."""
    command = [sys.executable, "-m", "oleander", "run", "gan-attack-digits", "--seed", str(seed), "--engine", engine]
    command += ["--out", str(out)]
    for option in options:
        command += ["--set", f"clients.0.options.{option}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
    return RunDirectory.open(out)


def measure(directory: RunDirectory) -> tuple[float, float, float]:
    """Return the recognised share of owned targets and of controls, and the final accuracy."""
    targets = directory.verdict()["attackers"]["client-5"]["targets"].values()
    owned = statistics.mean(target["recognised"] for target in targets if not target["control"])
    control = statistics.mean(target["recognised"] for target in targets if target["control"])
    return owned, control, directory.rounds()[-1]["accuracy"]


def main() -> None:
    """Run all variants and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]  # it has one
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--engine", default="grpc")
    arguments = parser.parse_args()
    table = Table("variant", "options", "owned targets", "control", "accuracy", title=f"{arguments.seeds} seeds")
    with tempfile.TemporaryDirectory() as folder:
        for name, options in VARIANTS.items():
            runs = [
                measure(run(options, seed, arguments.engine, Path(folder) / f"{name}-{seed}"))
                for seed in range(arguments.seeds)
            ]
            owned, control, accuracy = (statistics.mean(column) for column in zip(*runs, strict=True))
            low = min(one[0] for one in runs)
            table.add_row(
                name, " ".join(options) or "-", f"{owned:.2f} (lowest {low:.2f})", f"{control:.2f}", f"{accuracy:.2f}"
            )
            Console(stderr=True).print(f"{name}: {owned:.2f} {control:.2f} {accuracy:.2f}")
    Console(width=140).print(table)


if __name__ == "__main__":
    main()

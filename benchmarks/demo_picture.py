"""Draw the README's picture from a run of the demo: the loot of the last round, and the owners' nearest images.

    python benchmarks/demo_picture.py RUN docs/demo-loot.png

The images are the first ten of the last round's loot for each target, in the order in which they were drawn.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import torch

from oleander.rundir import RunDirectory

mpl.use("Agg")
from matplotlib import pyplot as plt

COLUMNS = 10


def main() -> None:
    """Draw it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]  # it has one
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    run = RunDirectory.open(arguments.run)
    rounds = run.loot()["client-5"]
    images, labels = run.samples("client-5", max(rounds))
    real = [pair for pair in run.victims().values() if len(pair[0])]
    rows = []
    for target in labels.unique().tolist():
        loot = images[labels == target][:COLUMNS]
        owner = next((client for client, pair in run.victims().items() if (pair[1] == target).any()), None)
        behind = ", defended" if owner in run.scenario.defended() else ""
        rows.append((f"stolen {target}{behind}" if owner is not None else f"{target}, nobody's", loot))
        owned = torch.cat([pair[0][pair[1] == target] for pair in real])
        if len(owned):
            nearest = torch.cdist(loot.flatten(1), owned.flatten(1)).argmin(1)
            rows.append(("nearest real", owned[nearest]))
    figure, axes = plt.subplots(len(rows), COLUMNS, figsize=(COLUMNS * 0.8, len(rows) * 0.84))
    for (name, row), line in zip(rows, axes, strict=True):
        for image, axis in zip(row, line, strict=True):
            axis.imshow(image[0], cmap="gray", vmin=-1, vmax=1, interpolation="bicubic")
            axis.set_axis_off()
        line[0].text(-1.5, 3.5, name, ha="right", va="center", fontsize=11)
    figure.subplots_adjust(left=0.2, right=0.995, top=0.99, bottom=0.01, wspace=0.06, hspace=0.08)
    figure.savefig(arguments.out, dpi=100)


if __name__ == "__main__":
    main()

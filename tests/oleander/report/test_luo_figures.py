"""The figures after Luo's paper: which there are, and of what."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oleander import scenario as scenarios
from oleander.report import gather, luo_figures
from oleander.report.gather import Gathered
from oleander.report.luo import point
from oleander.rundir import RunDirectory

Make = Callable[..., Gathered]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a maker of runs on the digits with these options of the defence, judged and with loot."""

    def one(*, known: bool = True, **options: Any) -> Gathered:
        overrides = [f"clients.0.options.{key}={value}" for key, value in options.items()]
        scenario = scenarios.load("anti-gan-digits", overrides)
        run = RunDirectory.create(scenario, tmp_path / f"run-{len(list(tmp_path.iterdir()))}")
        images, labels = np.zeros((20, 1, 8, 8), np.float32), np.full(20, 6)
        places = ("published/client-6/published", "loot/server/samples-round-0001", "truth/victim-6")
        for place in places if known else places[:2]:
            (run.path / place).parent.mkdir(parents=True)
            np.savez(run.path / f"{place}.npz", images=images, labels=labels, genuine=labels < 0)
        fit = json.dumps({"round": 1, "generator_losses": [2.0, 1.0]}) + "\n"
        (run.path / "published" / "client-6" / "fit.jsonl").write_text(fit)
        said = {"riafi": 0.5, "riafi_own": 0.6, "seen": 0.1}
        targets = {"6": {"recognised": 0.3}}
        verdict = {"attackers": {"server": {"targets": targets}}, "defended": {"client-6": said}}
        (run.path / "verdict.json").write_text(json.dumps(verdict))
        return gather.gather(run)

    return one


def test_there_is_a_figure_for_everything_that_was_run(make: Make) -> None:
    """Two mixing ratios make a curve; what is published and stolen, pixels, and the loss of one fit."""
    found = luo_figures.drawings([make(), make(mixing_ratio=0.5)])
    captions = [caption.partition(": ")[2] for caption, _ in found]
    assert [text.split(" (")[0].split(",")[0].split(";")[0] for text in captions] == [
        "after Fig. 6 and 7",
        "what is published",
        "what the attacker learns from it",
        "values of the pixels beside the real ones",
        "the generator's loss",
    ]
    assert "lambda1 0.05, lambda2 40" in captions[0]
    assert all(uri.startswith("data:image/png;base64,") for _, uri in found)


def test_one_setting_is_no_curve(make: Make) -> None:
    """Nor are there pictures of a run whose real images are gone."""
    assert len(luo_figures.drawings([make()])) == 4
    assert luo_figures.drawings([make(known=False)]) == []


def test_a_setting_has_a_short_name() -> None:
    """Two lines: what is obfuscated and how near the mean, then steps and mixing ratio."""
    where = point(scenarios.load("anti-gan-digits", ["clients.0.options.mixing_ratio=0.25"]))
    assert where is not None
    assert luo_figures.title(where) == "max 40, sim 0.05\n200 steps, MR 0.25"
    noise = ["clients.0.defense=fixed-noise", "clients.0.options={}"]
    other = point(scenarios.load("anti-gan-digits", noise))
    assert other is not None
    assert luo_figures.title(other) == "fixed-noise\nMR 0"

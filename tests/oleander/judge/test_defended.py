"""What a verdict says of a defended participant."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from oleander import scenario as scenarios
from oleander.judge import defended, judge, riafi
from oleander.rundir import RunDirectory
from task.datasets import Dataset, to_float
from task.partitions import held

OWNER = 3
DEFENDED = (
    "federation.clients=5",
    "task.partition.exclude=[9]",
    f"clients=[{{ids: [{OWNER}], role: defended, defense: fixed-noise, options: {{mixing_ratio: 1.0}}}}]",
)


@pytest.fixture
def run(digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    """Return a run whose participant 3 has published half of its images and as many black ones."""
    monkeypatch.setattr(riafi.Settings, "steps", 50)
    scenario = scenarios.load("gan-attack-digits", DEFENDED)
    made = RunDirectory.create(scenario, tmp_path / "run")
    mine = held(digits, scenario.task, 5, 0)[OWNER]
    half = mine[: len(mine) // 2]
    images = to_float(digits.train.images[half]).numpy()
    labels, count = digits.train.labels[half].numpy(), len(half)
    folder = made.path / "published" / f"client-{OWNER}"
    folder.mkdir(parents=True)
    np.savez(
        folder / "published.npz",
        images=np.concatenate([images, np.where(labels == 7, 1, -1)[:, None, None, None] * np.ones_like(images)]),
        labels=np.concatenate([labels, labels]),
        genuine=np.arange(2 * count) < count,
    )
    return made


def test_what_is_published_is_counted_and_looked_at(run: RunDirectory, digits: Dataset) -> None:
    """Half is real; of the rest, black sixes and white sevens, the judge takes nothing for its class; all are alike.

    Half of the images are enough to learn the classes from, where the others leave room; nobody holds a nine.
    """
    verdict = judge(run, None, lambda _: None, pictures=False)
    said = verdict["defended"][f"client-{OWNER}"]
    assert json.loads((run.path / "verdict.json").read_text(encoding="utf-8"))["defended"] == verdict["defended"]
    assert said["defense"] == "fixed-noise"
    assert said["classes"] == ["6", "7"]
    assert said["made"] == said["real"] > 50
    assert (said["seen"], said["diversity"]) == (0, 0)
    assert said["diversity_own"] > 0.3
    made = run.published()[OWNER]
    white = (made[1][~made[2]] == 7).float().mean().item()
    assert said["pixel_mean"] == pytest.approx(white, rel=1e-4)
    assert said["pixel_deviation"] == pytest.approx((white * (1 - white)) ** 0.5, rel=1e-3)
    assert said["seen_real"] > 0.9
    mine = (to_float(digits.train.images[held(digits, run.scenario.task, 5, 0)[OWNER]]) + 1) / 2
    assert said["pixel_mean_own"] == pytest.approx(mine.mean().item(), rel=1e-4)
    assert said["pixel_deviation_own"] == pytest.approx(mine.std().item(), rel=1e-3)
    assert said["riafi"] == pytest.approx(sum(said["riafi_by_class"].values()) / 2, abs=0.05)
    assert said["riafi_undefended"] >= said["riafi"]
    assert f"{said['real']} of them real" in said["words"]
    assert "still takes 0 % of the made ones" in said["words"]


def test_what_cannot_be_read_is_said(run: RunDirectory) -> None:
    """A torn file, and none: each is missing, and the rest is judged."""
    path = run.path / "published" / f"client-{OWNER}" / "published.npz"
    path.write_bytes(path.read_bytes()[:100])
    found = judge(run, None, lambda _: None, pictures=False)
    assert found["defended"] == {}
    assert any("What was published cannot be read" in text for text in found["missing"])
    path.unlink()
    found = judge(run, None, lambda _: None, pictures=False)
    assert "Participant 3 has published nothing that lies in the run directory." in found["missing"]


def test_words_of_who_publishes_all() -> None:
    """There is no made image to look at."""
    said = {"defense": "undefended", "classes": ["6"], "made": 0, "real": 4, "riafi": 0.9, "riafi_undefended": 0.9}
    text = defended.words(3, said)
    assert text.startswith("Participant 3, without a defence, trains on 4 images, 4 of them real.")
    assert "defended by" not in text
    assert "still takes" not in text
    assert torch.isnan(torch.tensor(defended._share(torch.empty(0))))  # noqa: SLF001 - a share of nothing

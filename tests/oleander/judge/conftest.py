"""Run directories made of digits: a thief whose loot is real images, noise or an average, and a judge trained once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from oleander import scenario as scenarios
from oleander.judge import classifier, noise, training_set
from oleander.judge.classifier import Judge
from oleander.rundir import RunDirectory
from server_app.record import Record
from task import models, partitions
from task.datasets import Dataset, load, to_float
from task.seeding import generator

TARGET, OWNER, CONTROL, THIEF = 3, 1, 9, 5
ROUNDS, START, SAMPLES = 4, 2, 30


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """The digits."""
    return load("digits")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of trained judges that lasts as long as the tests."""
    return tmp_path_factory.mktemp("judges")


@pytest.fixture(autouse=True)
def _own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tests away from the user's cache."""
    monkeypatch.setenv("OLEANDER_CACHE", str(cache))


@pytest.fixture(scope="session")
def scenario() -> scenarios.Scenario:
    """The demo, shorter: five participants of two digits each, participant 1 holds the threes, nobody a nine."""
    options = [f"clients.0.options.{key}" for key in ("target=[3,9]", f"start_round={START}")]
    return scenarios.load(
        "gan-attack-digits", [f"federation.rounds={ROUNDS}", "paper_values={recognised: 0.9}", *options]
    )


@pytest.fixture(scope="session")
def holding(digits: Dataset, scenario: scenarios.Scenario) -> dict[int, Tensor]:
    """Who holds what."""
    return partitions.held(digits, scenario.task, scenario.federation.clients, scenario.federation.seed)


@pytest.fixture(scope="session")
def judge_model(digits: Dataset, holding: dict[int, Tensor], cache: Path) -> Judge:
    """A judge, really trained on the digits that nobody holds."""
    chosen = training_set.choose(digits.train.labels, 10, training_set.together(holding), 0)
    return training_set.trained(digits, chosen.indices, classifier.Settings(), cache)


Fabricate = Callable[..., RunDirectory]


@pytest.fixture
def fabricate(digits: Dataset, scenario: scenarios.Scenario, holding: dict[int, Tensor], tmp_path: Path) -> Fabricate:
    """Return a maker of runs: `fabricate("records" | "held-out" | "average" | "noise", final=..., loot=...)`."""

    def make(kind: str = "held-out", *, final: bool = True, loot: bool = True, rounds: int = ROUNDS) -> RunDirectory:
        run = RunDirectory.create(scenario, tmp_path / f"{kind}-{final}-{loot}-{rounds}")
        record = Record(run.path, (START - 1,), ())
        record.begin({})
        weights = models.weights(models.build("digits-cnn", digits.shape, 11, generator(0, "test")))
        record.model(weights, "round-0000")
        for number in range(1, rounds + 1):
            record.round(_line(number), weights)
        if final:
            record.model(weights, "final")
        folder = run.path / "loot" / f"client-{THIEF}"
        folder.mkdir(parents=True)
        log = [json.dumps({"round": number, "started": number >= START}) + "\n" for number in range(1, rounds + 1)]
        (folder / "attack.jsonl").write_text("".join(log), encoding="utf-8")
        for number in range(START, rounds + 1) if loot else ():
            draw = generator(number, "fabricated")
            shown = [_loot(kind, digits, holding, TARGET, draw), _loot("noise", digits, holding, CONTROL, draw)]
            labels = torch.tensor([TARGET, CONTROL]).repeat_interleave(SAMPLES)
            np.savez(folder / f"samples-round-{number:04d}.npz", images=torch.cat(shown).numpy(), labels=labels.numpy())
        return run

    return make


def _line(number: int) -> dict[str, Any]:
    """A line of rounds.jsonl whose metrics are the round's number in tenths."""
    names = ("accuracy", "loss", "precision", "recall", "f1", "precision_all", "recall_all", "f1_all")
    return {"round": number} | dict.fromkeys(names, number / 10)


def _loot(kind: str, digits: Dataset, holding: dict[int, Tensor], label: int, draw: torch.Generator) -> Tensor:
    """Make the loot for one class."""
    if kind == "noise":
        return noise.uniform(torch.zeros(SAMPLES, *digits.shape), draw)
    if kind == "held-out":
        images = digits.test.images[digits.test.labels == label]
        return to_float(images[torch.randperm(len(images), generator=draw)[:SAMPLES]])
    mine = holding[OWNER][digits.train.labels[holding[OWNER]] == label]
    owned = to_float(digits.train.images[mine[torch.randperm(len(mine), generator=draw)]])
    if kind == "records":
        return owned[:SAMPLES]
    return (owned.mean(0) + 0.05 * torch.randn(SAMPLES, *digits.shape, generator=draw)).clamp(-1, 1)

"""Run directories made by hand: what a finished run of three participants on 8x8 images leaves behind."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oleander import scenario as scenarios
from oleander import sections
from oleander.rundir import RunDirectory
from task.settings import PartitionSettings, TaskSettings

ROUNDS, START, TARGET, CONTROL = 6, 3, 1, 9


def _scenario(name: str, seed: int) -> scenarios.Scenario:
    """Two holders of 8x8 digits and an attacker, client 2, who wants class 1 and the control 9."""
    values = {"target": [TARGET, CONTROL], "fake_label": "extra"}
    attacker = sections.ClientSettings(ids=(2,), role="malicious", attack="gan", options=values)
    partition = PartitionSettings(kind="one-class", exclude=(CONTROL,))
    return scenarios.resolve(
        scenarios.Scenario(
            name=name,
            task=TaskSettings(dataset="digits", model="digits-cnn", partition=partition),
            federation=sections.FederationSettings(clients=3, rounds=ROUNDS, seed=seed),
            paper_values={"distance_minimum": 0.00173},
            clients=(attacker,),
        )
    )


def _round(number: int) -> dict[str, Any]:
    """A line of rounds.jsonl: accuracy rises by a tenth a round; client 1 fails in round 4."""
    failed = [{"client": 1, "reason": "update is not finite"}] if number == 4 else []
    names = ("accuracy", "precision", "recall", "f1", "precision_all", "recall_all", "f1_all")
    return dict.fromkeys(names, number / 10) | {
        "round": number,
        "loss": 1.0,
        "seconds": 0.5,
        "client_seconds": 0.3,
        "replies": 3 - len(failed),
        "failures": failed,
        "clients": [0, 2] if failed else [0, 1, 2],
    }


def _lines(path: Path, lines: list[dict[str, Any]]) -> None:
    """Write JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def _npz(path: Path, images: Any, labels: Any) -> None:
    """Write images and labels as the run directory holds them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, images=np.asarray(images, dtype=np.float32), labels=np.asarray(labels, dtype=np.int64))


def _verdict() -> dict[str, Any]:
    """What the judge says: class 1 stolen, the control not."""
    stolen = {
        "owner": [1],
        "control": False,
        "name": "one",
        "conclusion": "prototype",
        "words": "A prototype of class 1.",
        "samples": 12,
        "recognised": 0.98,
        "recognised_low": 0.912,
        "recognised_high": 0.996,
        "nn_rmse": 0.25,
        "nn_rmse_other": 0.5,
        "mse_of_means": 0.02,
        "paper_style_minimum": {"mse_of_means": {"value": 0.0123, "round": 5, "loot_rounds_seen": 4}},
        "owner_p": None,
    }
    control = {
        "owner": [],
        "control": True,
        "samples": 12,
        "recognised": 0.0,
        "nn_rmse": 0.7,
        "nn_rmse_other": float("nan"),
    }
    per_round = [
        {"round": number, "target": target, "recognised": 0.1 * number, "nn_rmse": 0.5, "nn_rmse_other": 0.6}
        for number in range(START, ROUNDS + 1)
        for target in (TARGET, CONTROL)
    ]
    attacker = {
        "attack": "gan",
        "start_round": START,
        "targets": {"1": stolen, "9": control},
        "per_round": per_round,
    }
    return {
        "scenario": "demo",
        "headline": "Class 1 was stolen from participant 1.",
        "attackers": {"client-2": attacker},
        "global_model": {
            "before_attack": {"accuracy": 0.9, "precision_all": 0.9, "recall_all": 0.9, "f1_all": 0.9},
            "after_attack": {"accuracy": 0.89, "precision_all": 0.8, "recall_all": 0.8, "f1_all": 0.8},
            "start": {"round": 2, "accuracy": 0.9, "precision_all": 0.9, "recall_all": 0.9, "f1_all": 0.9},
            "final": {"accuracy": 0.89, "precision_all": 0.8, "recall_all": 0.8, "f1_all": 0.8},
            "auc": {"first": {"1": 0.5}, "start": {"1": 0.9}, "final": {"1": 0.99}},
        },
        "judge": {"classifier": "digits-cnn", "trained_on": "held-out images", "images": 500, "test_accuracy": 0.97},
        "paper": {"distance_minimum": {"paper": 0.00173, "ours": 0.0123}},
        "assumptions": [{"text": "One class per participant.", "upper_bound": True}],
    }


@pytest.fixture
def fabricate(tmp_path: Path) -> Callable[..., RunDirectory]:
    """Return a maker of run directories: `fabricate(name, seed, finished=..., judged=...)`."""

    def make(name: str = "demo", seed: int = 0, *, finished: bool = True, judged: bool = True) -> RunDirectory:
        run = RunDirectory.create(_scenario(name, seed), tmp_path / f"run-{len(list(tmp_path.iterdir()))}")
        rng = np.random.default_rng(seed)
        last = ROUNDS if finished else START
        nodes = [
            {"client": c, "node_id": 10**18 + c, "role": "honest", "pid": 100 + c, "device": "cpu"} for c in range(3)
        ]
        run.update_environment(engine="grpc", flwr="1.39.0", nodes=nodes)
        _lines(run.path / "rounds.jsonl", [_round(number) for number in range(1, last + 1)])
        begun = [{"round": number, "started": number >= START} for number in range(1, last + 1)]
        _lines(run.path / "loot" / "client-2" / "attack.jsonl", begun)
        for number in range(START, last + 1):
            images = rng.uniform(-1, 1, (24, 1, 8, 8))
            _npz(run.path / "loot" / "client-2" / f"samples-round-{number:04d}.npz", images, [TARGET, CONTROL] * 12)
        if finished:
            _npz(run.path / "truth" / "victim-1.npz", rng.uniform(-1, 1, (20, 1, 8, 8)), [TARGET] * 20)
        if judged:
            (run.path / "verdict.json").write_text(json.dumps(_verdict()), encoding="utf-8")
        return run

    return make

"""Client and server app together, in one process: the real apps and messages, without Flower's processes."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch

from client_app.malicious import _claim
from client_app.participant import read
from oleander import engines
from oleander import scenario as scenarios
from oleander.engines.inline.nodes import Nodes
from oleander.rundir import RunDirectory
from task.datasets import load

SHORT = ["federation.rounds=3"]
SHORT += [f"clients.0.{key}" for key in ("options.start_round=2", "options.steps=3", "loot_images=4")]


def federate(path: Path, *overrides: str) -> RunDirectory:
    """Run a short demo."""
    scenario = scenarios.load("gan-attack-digits", [*SHORT, *overrides])
    run = RunDirectory.create(scenario, path)
    engines.run("inline", engines.Job(scenario=scenario, run=run))
    return run


def test_a_run_writes_what_the_contract_says(tmp_path: Path) -> None:
    """A line a round, the first, the start's and the final model, the loot of every round after the start."""
    run = federate(tmp_path / "run")
    assert [line["round"] for line in run.rounds()] == [1, 2, 3]
    assert run.rounds()[0]["clients"] == [0, 1, 2, 3, 4, 5]
    assert run.global_rounds() == [0, 1]
    assert run.global_model() is not None
    assert list(run.loot()["client-5"]) == [2, 3]
    images, labels = run.samples("client-5", 3)
    assert images.shape == (12, 1, 8, 8)
    assert labels.tolist() == [3] * 4 + [6] * 4 + [9] * 4
    assert [line["started"] for line in run.attack_log("client-5")] == [False, True, True]
    assert [node["client"] for node in run.environment()["nodes"]] == [0, 1, 2, 3, 4, 5]


def test_the_bytes_of_a_round_are_those_of_its_weights(tmp_path: Path) -> None:
    """Six participants are sent the model as .npy files, one an array, and send as much back; each has its seconds."""
    run = federate(tmp_path / "run")
    weights, size = run.global_model() or {}, 0
    for tensor in weights.values():
        file = io.BytesIO()
        np.save(file, tensor.numpy())
        size += len(file.getvalue())
    for line in run.rounds():
        assert line["bytes_down"] == line["bytes_up"] == 6 * size
        assert max(line["seconds_each"]) == line["client_seconds"]
        assert len(line["seconds_each"]) == 6


def test_the_same_seed_gives_the_same_run(tmp_path: Path) -> None:
    """To the last bit; another seed gives another one."""
    first, again = federate(tmp_path / "a").global_model(), federate(tmp_path / "b").global_model()
    other = federate(tmp_path / "c", "federation.seed=1").global_model()
    assert first is not None
    assert again is not None
    assert other is not None
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["0.weight"], other["0.weight"])


def test_a_passive_attack_leaves_the_honest_participants_alone(tmp_path: Path) -> None:
    """Without poison the thief returns the model unchanged, whatever it does with it beside."""
    busy = federate(tmp_path / "a", "clients.0.options.poison=false").global_model()
    idle = federate(tmp_path / "b", "clients.0.options.poison=false", "clients.0.options.steps=1").global_model()
    assert busy is not None
    assert idle is not None
    assert all(torch.equal(busy[name], idle[name]) for name in busy)


def test_a_claim_is_an_honest_one_s(tmp_path: Path) -> None:
    """Under weighting by examples the attacker, who holds nothing, claims the 140 images that an honest one has."""
    run = federate(tmp_path / "run", "federation.weighting=examples")
    grid = Nodes(run.scenario, run)
    assert _claim(read(grid.contexts[105])) == len(read(grid.contexts[100]).indices) == 140


def test_nobody_holds_the_control_class(tmp_path: Path) -> None:
    """No participant's part has a nine in it, and all of them together have every other class."""
    run = federate(tmp_path / "run")
    grid = Nodes(run.scenario, run)
    labels = [load("digits", None).train.labels[read(context).indices] for context in grid.contexts.values()]
    assert set(torch.cat(labels).tolist()) == set(range(9))


@pytest.mark.parametrize("strategy", ["fedprox", "fedadam", "fedmedian"])
def test_every_strategy_runs(strategy: str, tmp_path: Path) -> None:
    """Flower's other strategies run under the same wrapper, each with a model of its own."""
    options = ["server.options={proximal_mu: 1.0}"] if strategy == "fedprox" else []
    other = federate(tmp_path / "a", f"server.strategy={strategy}", *options).global_model()
    average = federate(tmp_path / "b").global_model()
    assert other is not None
    assert average is not None
    assert all(tensor.isfinite().all() for tensor in other.values())
    assert not torch.equal(other["0.weight"], average["0.weight"])


def test_optimizer_state_survives_the_rounds(tmp_path: Path) -> None:
    """Kept Adam differs from fresh Adam from the second round on, not in the first."""
    adam = "task.optimizer={name: adam, lr: 0.01, keep_state: %s}"
    kept = federate(tmp_path / "a", adam % "true", "federation.keep_global=[1]")
    fresh = federate(tmp_path / "b", adam % "false", "federation.keep_global=[1]")
    for server_round, equal in ((1, True), (None, False)):
        left, right = kept.global_model(server_round), fresh.global_model(server_round)
        assert left is not None
        assert right is not None
        assert torch.equal(left["0.weight"], right["0.weight"]) is equal

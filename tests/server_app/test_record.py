"""What the server writes."""

import importlib.metadata
import json
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from server_app.app import evaluation_set
from server_app.record import Record
from task.datasets import load
from task.runs import run_directory
from task.settings import PartitionSettings, TaskSettings

WEIGHTS = {"w": torch.arange(6.0).view(2, 3).t()}


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Return a record that keeps round 2 and the first model of 80 and of 90 %."""
    begun = Record(tmp_path, (2,), (0.9, 0.8))
    begun.begin({"name": "x"})
    return begun


def test_models_are_kept_as_asked_and_once_per_accuracy(record: Record) -> None:
    """0.85 in round 1 reaches 0.8; 0.95 in round 4 reaches 0.9; round 2 was asked for; round 3 was not."""
    for number, accuracy in enumerate((0.85, 0.7, 0.85, 0.95, 0.96), start=1):
        record.round({"round": number, "accuracy": accuracy}, WEIGHTS)
    kept = sorted(path.name for path in (record.path / "global").iterdir())
    assert kept == ["round-0001.safetensors", "round-0002.safetensors", "round-0004.safetensors"]


def test_a_round_on_record_has_its_model(record: Record) -> None:
    """Where the model cannot be kept (its folder is gone), no line says that the round is done."""
    (record.path / "global").rmdir()
    with pytest.raises(SafetensorError, match="No such file"):
        record.round({"round": 2, "accuracy": 0.5}, WEIGHTS)
    assert not (record.path / "rounds.jsonl").exists()


def test_weights_come_back_also_when_they_were_a_view(record: Record) -> None:
    """A transposed tensor is not contiguous in memory."""
    record.model(WEIGHTS, "final")
    assert torch.equal(load_file(record.path / "global" / "final.safetensors")["w"], WEIGHTS["w"])


def test_what_the_engine_knows_of_a_node_is_kept(record: Record) -> None:
    """The server adds client and device to the role and pid that are there."""
    path = record.path / "environment.json"
    path.write_text(json.dumps({"engine": "grpc", "nodes": [{"node_id": 7, "pid": 3}]}), encoding="utf-8")
    record.nodes([{"node_id": 7, "client": 0, "device": "cpu"}], run_id=5)
    expected = {"engine": "grpc", "nodes": [{"node_id": 7, "pid": 3, "client": 0, "device": "cpu"}], "run_id": 5}
    assert json.loads(path.read_text(encoding="utf-8")) == expected


def test_a_scenario_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """The command's has the attacker's options, the server's has not."""
    (tmp_path / "scenario.yaml").write_text("full", encoding="utf-8")
    Record(tmp_path, (), ()).begin({"name": "less"})
    assert (tmp_path / "scenario.yaml").read_text(encoding="utf-8") == "full"


def test_where_no_command_has_said_with_what_the_run_is_made_the_server_does(tmp_path: Path) -> None:
    """As under `flwr run`: versions, platform, devices and the start; what a command has written stays as it is."""
    Record(tmp_path, (), ()).begin({})
    written = json.loads((tmp_path / "environment.json").read_text(encoding="utf-8"))
    assert set(written) == {"start", "versions", "platform", "devices"}
    assert written["versions"]["flwr"] == importlib.metadata.version("flwr")
    (tmp_path / "environment.json").write_text('{"engine": "grpc"}', encoding="utf-8")
    Record(tmp_path, (), ()).begin({})
    assert (tmp_path / "environment.json").read_text(encoding="utf-8") == '{"engine": "grpc"}'


def test_excluded_classes_are_not_evaluated() -> None:
    """The federation's task is the classes that somebody holds."""
    settings = TaskSettings(dataset="digits", model="digits-cnn", partition=PartitionSettings(exclude=(9, 0)))
    digits = load("digits", None)
    images, labels = evaluation_set(digits, settings)
    assert set(labels.tolist()) == set(range(1, 9))
    assert len(images) == int(((digits.test.labels != 9) & (digits.test.labels != 0)).sum())
    assert images.dtype == torch.float32


def test_without_a_folder_the_run_s_number_names_one() -> None:
    """Server and participants find the same name without talking to each other."""
    assert run_directory("", "demo", 42) == Path("runs/demo/42")
    assert run_directory("/x", "demo", 42) == Path("/x")

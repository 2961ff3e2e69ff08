"""What the server writes into the run directory as the run goes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from safetensors.torch import save_file
from torch import Tensor

from server_app import environment
from task.files import append_line, replacing, write_json, write_text


class Record:
    """Writes rounds.jsonl, the global models and the nodes of one run.

    Args:
        path: the run directory.
        rounds: rounds after which the global model is kept, beside the initial one.
        accuracies: the first global model that reaches one of these is kept.

    """

    def __init__(self, path: Path, rounds: tuple[int, ...], accuracies: tuple[float, ...]) -> None:
        self.path, self.rounds = path, set(rounds)
        self._environment = path / "environment.json"
        self._to_reach = sorted(accuracies)
        self._nodes: list[dict[str, Any]] = []

    def begin(self, scenario: Mapping[str, Any]) -> None:
        """Make the run directory, with scenario and environment in it where the command has not written them."""
        (self.path / "global").mkdir(parents=True, exist_ok=True)
        target = self.path / "scenario.yaml"
        if not target.exists():
            write_text(target, yaml.safe_dump(dict(scenario), sort_keys=False))
        if not self._environment.exists():
            write_json(self._environment, environment.beginning())

    def nodes(self, nodes: list[dict[str, Any]], run_id: int) -> None:
        """Put the nodes into environment.json, beside what is known there already.

        Args:
            nodes: that have replied.
            run_id: Flower's, by which participants on other hosts name the folder of their loot.

        """
        if nodes == self._nodes:
            return
        known = json.loads(self._environment.read_text(encoding="utf-8"))
        fields = {node["node_id"]: node for node in known.get("nodes", [])}
        known["nodes"] = [fields.get(node["node_id"], {}) | node for node in nodes]
        write_json(self._environment, known | {"run_id": run_id})
        self._nodes = nodes

    def round(self, line: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
        """Keep the global model where that was asked for, then append a line to rounds.jsonl: all of it is there."""
        number, reached = line["round"], [one for one in self._to_reach if line["accuracy"] >= one]
        self._to_reach = self._to_reach[len(reached) :]
        if reached or number in self.rounds:
            self.model(weights, f"round-{number:04d}")
        append_line(self.path / "rounds.jsonl", line)

    def model(self, weights: Mapping[str, Tensor], name: str) -> None:
        """Keep a global model as global/NAME.safetensors."""
        with replacing(self.path / "global" / f"{name}.safetensors") as draft:
            save_file({key: tensor.contiguous() for key, tensor in weights.items()}, draft)

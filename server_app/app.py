"""The ServerApp: builds the strategy from the run config, runs it, writes the run directory."""

import copy
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import yaml
from flwr.app import ArrayRecord, Context
from flwr.serverapp import Grid, ServerApp
from torch import nn

from attacks.posing import pose
from defenses import registry
from server_app import malicious
from server_app.record import Record
from strategies import named, private
from strategies.recording import Recording
from strategies.roll_call import RollCall
from task import devices, models
from task.cores import cores
from task.datasets import Dataset, load_task, to_float
from task.facts import Images, TaskFacts
from task.partitions import held, reserved
from task.run_config import unflatten
from task.runs import run_directory
from task.seeding import generator
from task.settings import SettingsError, TaskSettings, parse
from task.training import Evaluation, evaluate

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Run the federation that the run config describes."""
    config = unflatten(context.run_config)
    out, data = config.pop("out"), config.pop("data")
    run = run_directory(out, config["name"], context.run_id)
    config = own_settings(config, run)
    federation, server = config["federation"], config["server"]
    task = parse(TaskSettings, config["task"], "task")
    record = Record(run, tuple(federation["keep_global"]), tuple(federation["keep_accuracy"]))
    record.begin(config)

    dataset = load_task(task, data or None)
    torch.set_num_threads(threads())
    device = devices.chosen(federation["devices"])
    outputs = task.outputs or len(dataset.classes)
    model = models.build(task.model, dataset.shape, outputs, generator(federation["seed"], "global model"))
    initial = models.weights(model)
    record.model(initial, "round-0000")
    model.to(device)
    images, labels = evaluation_set(dataset, task)

    def frozen(weights: Mapping[str, torch.Tensor]) -> nn.Module:
        made = copy.deepcopy(model)
        made.load_state_dict(weights)
        return made.eval().requires_grad_(requires_grad=False)

    def evaluate_arrays(arrays: ArrayRecord) -> Evaluation:
        model.load_state_dict(arrays.to_torch_state_dict())
        return evaluate(model, images, labels)

    roll_call = RollCall(federation["clients"], federation["join_timeout"], registered(), parts())
    inner = named.build(server["strategy"], server["options"])
    if server["privacy"] is not None:
        asked = max(federation["min_replies"], round(federation["fraction"] * federation["clients"]))
        options = server["privacy_options"]
        inner = private.wrap(inner, server["privacy"], options, clients=asked, seed=federation["seed"])
    attacking = None
    if server["attack"] is not None:
        facts = TaskFacts(
            shape=dataset.shape,
            classes=len(dataset.classes),
            outputs=outputs,
            model=task.model,
            clients=federation["clients"],
            optimizer=task.optimizer,
            batch_size=task.batch_size,
            local_epochs=task.local_epochs,
            images=task.partition.images,
        )
        own = Images(images, labels)
        inner = attacking = malicious.wrap(
            inner,
            config,
            facts=facts,
            roll_call=roll_call,
            frozen=frozen,
            auxiliary=own,
            run=run,
            question=lambda settings: pose(
                dataset,
                settings,
                held(dataset, task, federation["clients"], federation["seed"]),
                own,
                federation["seed"],
                apart=reserved(dataset, task, federation["clients"], federation["seed"]),
                defended=registry.rehearsed(settings.defended, facts),
            ),
        )

    def keep(line: dict[str, Any], arrays: ArrayRecord) -> None:
        record.round(line | (attacking.line() if attacking else {}), arrays.to_torch_state_dict())
        known = sorted(roll_call.nodes.values(), key=lambda node: node.client)
        record.nodes([asdict(node) for node in known], context.run_id)

    strategy = Recording(
        inner,
        roll_call=roll_call,
        weighting=federation["weighting"],
        fraction=federation["fraction"],
        seed=federation["seed"],
        min_replies=federation["min_replies"],
        timeout=federation["round_timeout"],
        evaluate=evaluate_arrays,
        record=keep,
        reported=private.REPORTED.get(server["privacy"], ()),
    )
    result = strategy.start(
        grid,
        ArrayRecord(initial),
        num_rounds=federation["rounds"],
        timeout=federation["round_timeout"],
        evaluate_fn=strategy.after_round,
    )
    record.model(result.arrays.to_torch_state_dict(), "final")


def registered() -> dict[int, int]:
    """Return whom a node's key stands for, by the node's id, as the engine has left it; empty without keys."""
    return {int(node): client for node, client in json.loads(os.environ.get("OLEANDER_NODES", "{}")).items()}


def parts() -> dict[int, str]:
    """Return what participants from other hosts have to do, as the engine has left it; empty where all are here."""
    return {int(client): part for client, part in json.loads(os.environ.get("OLEANDER_PARTS", "{}")).items()}


def threads() -> int:
    """Return the threads of the server's own work: all cores, since the participants wait, or $OLEANDER_THREADS."""
    return int(os.environ.get("OLEANDER_THREADS") or cores())


def evaluation_set(dataset: Dataset, task: TaskSettings) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the server's test images float32 [N, C, H, W] and labels int64 [N], without the excluded classes."""
    kept = ~torch.isin(dataset.test.labels, torch.tensor(task.partition.exclude, dtype=torch.int64))
    return to_float(dataset.test.images[kept]), dataset.test.labels[kept]


def own_settings(config: dict[str, Any], run: Path) -> dict[str, Any]:
    """Return the run's config with what only the server may know.

    Every participant gets Flower's run config. On gRPC that says nothing of the server's part: the command has left the
    scenario on the server's own disk, in the run directory. In the simulation, and with `flwr run .`, it is all there.

    Raises:
        SettingsError: where it is in neither.

    """
    if "server" in config:
        return config
    try:
        scenario = yaml.safe_load((run / "scenario.yaml").read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"Expected the server's settings in {run / 'scenario.yaml'}, got this: {error.strerror}. "
            "Start the run with `oleander run` on the server's own host."
        ) from error
    return config | {key: scenario.get(key) for key in ("server", "federation", "membership")}

"""The ServerApp: builds the strategy from the run config, runs it, writes the run directory."""

import os
from dataclasses import asdict
from typing import Any

import torch
from flwr.app import ArrayRecord, Context
from flwr.serverapp import Grid, ServerApp

from server_app.record import Record
from strategies import named
from strategies.recording import Recording
from strategies.roll_call import RollCall
from task import models
from task.datasets import Dataset, load_task, to_float
from task.runs import run_directory
from task.seeding import generator
from task.settings import TaskSettings, parse, unflatten
from task.training import Evaluation, evaluate

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Run the federation that the run config describes."""
    config = unflatten(context.run_config)
    out, data = config.pop("out"), config.pop("data")
    federation = config["federation"]
    task = parse(TaskSettings, config["task"], "task")
    record = Record(
        run_directory(out, config["name"], context.run_id),
        tuple(federation["keep_global"]),
        tuple(federation["keep_accuracy"]),
    )
    record.begin(config)

    dataset = load_task(task, data or None)
    torch.set_num_threads(os.cpu_count() or 1)  # the participants wait while the server evaluates
    device = "cuda" if federation["devices"] == "auto" and torch.cuda.is_available() else "cpu"
    outputs = task.outputs or len(dataset.classes)
    model = models.build(task.model, dataset.shape, outputs, generator(federation["seed"], "global model"))
    initial = models.weights(model)
    record.model(initial, "round-0000")
    model.to(device)
    images, labels = evaluation_set(dataset, task)

    def evaluate_arrays(arrays: ArrayRecord) -> Evaluation:
        model.load_state_dict(arrays.to_torch_state_dict())
        return evaluate(model, images, labels)

    roll_call = RollCall(federation["clients"])

    def keep(line: dict[str, Any], arrays: ArrayRecord) -> None:
        record.round(line, arrays.to_torch_state_dict())
        known = sorted(roll_call.nodes.values(), key=lambda node: node.client)
        record.nodes([asdict(node) for node in known])

    strategy = Recording(
        named.build(config["server"]["strategy"], config["server"]["options"]),
        roll_call=roll_call,
        weighting=federation["weighting"],
        fraction=federation["fraction"],
        seed=federation["seed"],
        min_replies=federation["min_replies"],
        timeout=federation["round_timeout"],
        evaluate=evaluate_arrays,
        record=keep,
    )
    result = strategy.start(
        grid,
        ArrayRecord(initial),
        num_rounds=federation["rounds"],
        timeout=federation["round_timeout"],
        evaluate_fn=strategy.after_round,
    )
    record.model(result.arrays.to_torch_state_dict(), "final")


def evaluation_set(dataset: Dataset, task: TaskSettings) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the server's test images float32 [N, C, H, W] and labels int64 [N], without the excluded classes."""
    kept = ~torch.isin(dataset.test.labels, torch.tensor(task.partition.exclude, dtype=torch.int64))
    return to_float(dataset.test.images[kept]), dataset.test.labels[kept]

"""Run directories of a malicious server, made by hand of real digits: loot whose worth is known."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from oleander import scenario as scenarios
from oleander import sections
from oleander.judge import noise
from oleander.rundir import RunDirectory
from server_app.record import Record
from task import models
from task.datasets import Dataset, load, to_float
from task.files import append_line
from task.partitions import held
from task.private import images as as_held
from task.private import turn
from task.runs import keep_arrays
from task.seeding import generator
from task.settings import PartitionSettings, PrivateSettings, TaskSettings

VICTIM, CLASSES, CLIENTS, ROUNDS, START, SAMPLES = 0, (2, 4, 7), 4, 5, 2, 24


def scenario(degrees: float = 30.0, seed: int = 0, attack: str = "toy", name: str = "server") -> scenarios.Scenario:
    """Four participants of three digits each; participant 0 holds twos, fours and sevens, turned."""
    return scenarios.resolve(
        scenarios.Scenario(
            name=name,
            task=TaskSettings(
                dataset="digits",
                model="digits-cnn",
                partition=PartitionSettings(kind="random-classes", images=90, classes_per_client=3),
                private=PrivateSettings(kind="rotated", client=VICTIM, degrees=degrees, classes=CLASSES),
            ),
            federation=sections.FederationSettings(clients=CLIENTS, rounds=ROUNDS, seed=seed),
            server=sections.ServerSettings(attack=attack, attack_options={"victim": VICTIM}, loot_images=SAMPLES),
        )
    )


def make(folder: Path, kind: str, chosen: scenarios.Scenario, *, other: bool = True) -> RunDirectory:
    """Write a run whose loot is of a known kind.

    Args:
        folder: of the run, must not be there.
        kind: `victim` (held-out digits turned as the victim's are), `upright` (the same, not turned) or `noise`; of
            classes that the victim does not hold it is upright digits, and so are the samples of "not the victim".
        chosen: the scenario, on any data set that needs no folder.
        other: whether there are samples of "not the victim".

    """
    dataset, seed = load(chosen.task.dataset), chosen.federation.seed
    run = RunDirectory.create(chosen, folder)
    record = Record(run.path, (), ())
    record.begin({})
    weights = models.weights(models.build(chosen.task.model, dataset.shape, 10, generator(seed, "test")))
    record.model(weights, "round-0000")
    for number in range(1, ROUNDS + 1):
        record.round(line(number), weights)
        told = {"round": number, "started": number >= START, "accuracy": 0.1 * number, "seconds": 0.5, "warnings": []}
        append_line(run.path / "loot" / "server" / "attack.jsonl", told)
    record.model(weights, "final")
    for number in range(START, ROUNDS + 1):
        _leave(run.path / "loot" / "server", kind, dataset, chosen, number=number, other=other)
    return run


def line(number: int) -> dict[str, Any]:
    """A line of rounds.jsonl whose metrics are the round's number in tenths; half its second is the attack's."""
    names = ("accuracy", "loss", "precision", "recall", "f1", "precision_all", "recall_all", "f1_all")
    return {"round": number, "seconds": 1.0, "attack_seconds": 0.5} | dict.fromkeys(names, number / 10)


def samples(kind: str, dataset: Dataset, label: int, degrees: float, draw: torch.Generator) -> Tensor:
    """Return SAMPLES images of a kind for a class."""
    places = (dataset.test.labels == label).nonzero().flatten()
    images = dataset.test.images[places[torch.randint(len(places), (SAMPLES,), generator=draw)]]
    if kind == "noise":
        return noise.uniform(to_float(images), draw)
    return to_float(turn(images, degrees) if kind == "victim" else images)


def _leave(folder: Path, kind: str, dataset: Dataset, chosen: scenarios.Scenario, *, number: int, other: bool) -> None:
    """Write one round's loot."""
    draw, private = generator(number, "fabricated"), chosen.task.private
    assert private is not None
    labels = torch.arange(10).repeat_interleave(SAMPLES)
    mine = [
        samples(kind if label in CLASSES else "upright", dataset, label, private.degrees, draw) for label in range(10)
    ]
    keep_arrays(folder / f"samples-round-{number:04d}.npz", images=torch.cat(mine), labels=labels)
    if other:
        theirs = [samples("upright", dataset, label, 0.0, draw) for label in range(10)]
        keep_arrays(folder / f"other-round-{number:04d}.npz", images=torch.cat(theirs), labels=labels)
    holding = held(dataset, chosen.task, CLIENTS, chosen.federation.seed)
    few = {client: mine[torch.randperm(len(mine), generator=draw)[:12]] for client, mine in holding.items()}
    images = [to_float(as_held(dataset, chosen.task, client, indices)) for client, indices in few.items()]
    keep_arrays(
        folder / f"representatives-round-{number:04d}.npz",
        images=torch.cat(images),
        labels=torch.cat([dataset.train.labels[indices] for indices in few.values()]),
        client=torch.cat([torch.full((len(indices),), client) for client, indices in few.items()]),
    )

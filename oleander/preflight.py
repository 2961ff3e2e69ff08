"""What can only be checked with the data at hand, checked before anything is started."""

import dataclasses
from typing import Any

import torch

import defenses.registry
from attacks import registry
from attacks.posing import inquiry, pose
from oleander import accounting
from oleander.roles import check_classes
from oleander.scenario import ClientSettings, Scenario
from task import models
from task.datasets import Split, load_task, to_float
from task.facts import Images, TaskFacts
from task.partitions import held
from task.settings import SettingsError


def settle(scenario: Scenario, data: str | None) -> Scenario:
    """Return the scenario with what the data decide filled in.

    Raises:
        SettingsError: if the data are missing or broken, or the partition, the shared model, an attack or a defence
            cannot be built for them.

    """
    dataset = load_task(scenario.task, data)
    classes = len(dataset.classes)
    extra = any(entry.options.get("fake_label") == "extra" for entry in scenario.clients)
    outputs = scenario.task.outputs or classes + extra
    scenario = dataclasses.replace(scenario, task=dataclasses.replace(scenario.task, outputs=outputs))
    check_classes(scenario, classes, outputs)
    parts = held(dataset, scenario.task, scenario.federation.clients, scenario.federation.seed)
    try:
        model = models.build(scenario.task.model, dataset.shape, outputs, torch.Generator())
        model(torch.zeros(1, *dataset.shape))
    except RuntimeError as error:
        raise SettingsError(
            f"Expected images that {scenario.task.model} can take, got {dataset.shape} ({error}). "
            "Set task.image_size, or choose another task.model."
        ) from error
    facts = TaskFacts(
        shape=dataset.shape,
        classes=classes,
        outputs=outputs,
        model=scenario.task.model,
        clients=scenario.federation.clients,
        optimizer=scenario.task.optimizer,
        batch_size=scenario.task.batch_size,
        local_epochs=scenario.task.local_epochs,
    )

    def inquire(name: str, options: dict[str, Any], own: Images) -> None:
        if scenario.membership is not None:
            question = pose(dataset, scenario.membership, parts, own, scenario.federation.seed)
            inquiry(name, options, scenario.membership, facts, question, torch.Generator())

    for entry in scenario.clients:
        if entry.attack is not None and registry.asks(entry.attack):
            for client in entry.ids:
                inquire(entry.attack, entry.options, _held(dataset.train, parts.get(client, torch.arange(0))))
        elif entry.attack is not None:
            registry.participant_attack(entry.attack, entry.options, facts, torch.Generator())
        if entry.defense is not None:
            for client in entry.ids:
                _try(entry, facts, dataset.train.labels[parts[client]])
    if registry.asks(scenario.server.attack):
        own = _held(dataset.test, torch.arange(len(dataset.test.labels)))
        inquire(scenario.server.attack or "", scenario.server.attack_options, own)
    elif scenario.server.attack is not None:
        registry.server_attack(scenario.server.attack, scenario.server.attack_options, facts, torch.Generator())
    accounting.check(scenario)
    return scenario


def _held(split: Split, indices: torch.Tensor) -> Images:
    """Return some images of a split."""
    return Images(to_float(split.images[indices]), split.labels[indices])


def _try(entry: ClientSettings, facts: TaskFacts, labels: torch.Tensor) -> None:
    """Build a defence for a participant whose images have these labels."""
    name = entry.defense or ""
    if name in defenses.registry.names(defenses.registry.DATA):
        defenses.registry.data_defense(name, entry.options, facts, torch.Generator()).check(labels)
    elif name in defenses.registry.names(defenses.registry.UPDATE):
        defenses.registry.update_defense(name, entry.options, facts, torch.Generator())

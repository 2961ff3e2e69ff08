"""What can only be checked with the data at hand, checked before anything is started."""

import dataclasses

import torch

import defenses.registry
from attacks import registry
from oleander import accounting
from oleander.roles import check_classes
from oleander.scenario import ClientSettings, Scenario
from task import models
from task.datasets import load_task
from task.facts import TaskFacts
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
    )
    for entry in scenario.clients:
        if entry.attack is not None:
            registry.participant_attack(entry.attack, entry.options, facts, torch.Generator())
        if entry.defense is not None:
            for client in entry.ids:
                _try(entry, facts, dataset.train.labels[parts[client]])
    if scenario.server.attack is not None:
        registry.server_attack(scenario.server.attack, scenario.server.attack_options, facts, torch.Generator())
    accounting.check(scenario)
    return scenario


def _try(entry: ClientSettings, facts: TaskFacts, labels: torch.Tensor) -> None:
    """Build a defence for a participant whose images have these labels."""
    name = entry.defense or ""
    if name in defenses.registry.names(defenses.registry.DATA):
        defenses.registry.data_defense(name, entry.options, facts, torch.Generator()).check(labels)
    elif name in defenses.registry.names(defenses.registry.UPDATE):
        defenses.registry.update_defense(name, entry.options, facts, torch.Generator())

"""What can only be checked with the data at hand, checked before anything is started."""

import dataclasses
from collections.abc import Mapping

import torch

import defenses.registry
from attacks import registry
from attacks.posing import inquiry, pose
from oleander import accounting
from oleander.roles import check_classes
from oleander.scenario import Scenario
from oleander.sections import ClientSettings
from task import models
from task.datasets import Dataset, load_task, to_float
from task.facts import Images, TaskFacts
from task.partitions import held, reserved
from task.settings import SettingsError, expect

Parts = Mapping[int, torch.Tensor]


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
        images=scenario.task.partition.images,
    )

    apart = reserved(dataset, scenario.task, scenario.federation.clients, scenario.federation.seed)
    _try_membership(scenario, dataset, (parts, apart), facts)
    for entry in scenario.clients:
        if entry.attack is not None and not registry.asks(entry.attack):
            registry.participant_attack(entry.attack, entry.options, facts, torch.Generator())
        if entry.defense is not None:
            for client in entry.ids:
                _try(entry, facts, dataset.train.labels[parts[client]], len(apart[client]))
    server = scenario.server
    if server.attack is not None and not registry.asks(server.attack):
        _check_reader(scenario, server.attack)
        registry.server_attack(server.attack, server.attack_options, facts, torch.Generator())
    accounting.check(scenario)
    return scenario


def _check_reader(scenario: Scenario, attack: str) -> None:
    """Refuse an attack that reads what its victim publishes, on a victim that publishes nothing."""
    if not hasattr(registry.module(attack), "READS_PUBLISHED"):
        return
    victim = scenario.server.attack_options["victim"]
    entry = next((one for one in scenario.clients if victim in one.ids), None)
    remedy = "Add {ids: [VICTIM], role: defended, defense: undefended}, which publishes its images, or another defence."
    published = entry is not None and entry.defense in defenses.registry.names(defenses.registry.DATA)
    expect(published, f"a victim of {attack} that publishes images (participant {victim})", "none", remedy)


def _try_membership(scenario: Scenario, dataset: Dataset, split: tuple[Parts, Parts], facts: TaskFacts) -> None:
    """Ask every membership attacker; none learns from it. `split`: what participants train on, and what they do not."""
    settings, train, test, (parts, apart) = scenario.membership, dataset.train, dataset.test, split
    if settings is None:
        return
    attackers = [
        (entry.attack, entry.options, train, parts.get(client, torch.arange(0)))
        for entry in scenario.clients
        for client in entry.ids
    ]
    attackers.append((scenario.server.attack, scenario.server.attack_options, test, torch.arange(len(test.labels))))
    for name, options, images, held_by in attackers:
        if name is not None and registry.asks(name):
            own = Images(to_float(images.images[held_by]), images.labels[held_by])
            known = defenses.registry.rehearsed(settings.defended, facts)
            question = pose(dataset, settings, parts, own, scenario.federation.seed, apart=apart, defended=known)
            inquiry(name, options, question, settings=settings, facts=facts, generator=torch.Generator())


def _try(entry: ClientSettings, facts: TaskFacts, labels: torch.Tensor, spare: int) -> None:
    """Build a defence for a participant whose images have these labels, and who has some that it does not train on."""
    name = entry.defense or ""
    if name in defenses.registry.names(defenses.registry.DATA):
        defenses.registry.data_defense(name, entry.options, facts, torch.Generator()).check(labels)
    elif name in defenses.registry.names(defenses.registry.UPDATE):
        defenses.registry.update_defense(name, entry.options, facts, torch.Generator())
    elif name in defenses.registry.names(defenses.registry.MODEL):
        defenses.registry.model_defense(name, entry.options, facts, torch.Generator()).check(len(labels), spare)

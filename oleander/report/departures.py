"""What attacks in a run, and in what it is set otherwise than Wang's, as far as the paper, or our reading of it, says.

The paper gives the networks, SGD at 0.002, Adam at 0.0002 for its GAN, the split of MNIST, the numbers of participants,
and no late start. Batches of 10, one local epoch and a turn by 30 degrees are ours where it says nothing; another value
is told all the same, so that runs are not taken for alike. Of the two attacks that it compares with, the settings are
those that the attacks have by default.
"""

from collections.abc import Collection, Mapping
from typing import Any

from attacks import registry
from oleander.scenario import Scenario
from task.settings import to_dict

MGAN_FREE = ("victim", "mode", "recipe", "start_round", "start_accuracy", "stop_accuracy")
"""Options that are no part of mGAN-AI's recipe; its start is told by itself."""
GAN_FREE = ("target", "start_accuracy", "start_round", "noise_early")
INVERSION_FREE = ("victim", "classes", "images", "every")
PAPERS_OWN: dict[str, tuple[Any, ...]] = {
    "network": ("wang", "wang-faces"),
    "model": ("wang-cnn", "wang-faces-cnn"),
    "lr": (0.0002,),
}
"""Values that are the paper's beside an attack's defaults."""
PARTITIONS: dict[str, dict[str, Any]] = {
    "mnist": {"kind": "random-classes", "classes_per_client": 3, "images": 100},
    "att-faces": {"kind": "whole-classes"},
}
IMAGE_SIZES = {"att-faces": 64}
LR, BATCH, EPOCHS, DEGREES = 0.002, 10, 1, 30.0


def kind(scenario: Scenario) -> str:
    """Return `passive`, `active`, `inversion`, `participant` (a client's GAN), `honest`, or another attack's name."""
    attack = scenario.server.attack
    if attack == "mgan-ai":
        return str(scenario.server.attack_options.get("mode"))
    if attack is not None:
        return "inversion" if attack == "model-inversion" else attack
    return "participant" if scenario.malicious() else "honest"


def departures(scenario: Scenario, clients: int | None = None) -> list[str]:
    """Return, in words, in what a run is set otherwise than the paper's.

    Args:
        scenario: resolved.
        clients: the paper's participants beside an attacker; None where that does not matter.

    """
    return [*_of_the_attack(scenario), *of_the_federation(scenario, clients)]


def honest(scenario: Scenario) -> int:
    """Return the number of participants that are no attackers."""
    return scenario.federation.clients - len(scenario.malicious())


def of_the_federation(scenario: Scenario, clients: int | None = None) -> list[str]:
    """Return the departures that are not the attack's; arguments as `departures`."""
    task, optimizer, federation = scenario.task, scenario.task.optimizer, scenario.federation
    private, partition = task.private, to_dict(task.partition)
    wanted = PARTITIONS.get(task.dataset, {})
    size = IMAGE_SIZES.get(task.dataset)
    degrees = (private.degrees or private.asked) if private is not None and private.kind == "rotated" else DEGREES
    said = {
        f"model {task.model}": task.model not in PAPERS_OWN["model"],
        f"optimizer {optimizer.name}": optimizer.name != "sgd",
        f"learning rate {optimizer.lr:g}": optimizer.lr != LR,
        f"momentum {optimizer.momentum:g}": bool(optimizer.momentum),
        f"batches of {task.batch_size}": task.batch_size != BATCH,
        f"local epochs {task.local_epochs}": task.local_epochs != (scenario.paper_local_epochs or EPOCHS),
        f"images a round {task.images_per_round}": task.images_per_round is not None,
        f"image size {task.image_size}": task.image_size != size,
        f"turned by {degrees:g} degrees": degrees != DEGREES,
        f"rounds {federation.rounds}": federation.rounds != (scenario.paper_rounds or federation.rounds),
        f"strategy {scenario.server.strategy}": scenario.server.strategy != "fedavg",
        f"weighting {federation.weighting}": federation.weighting != "uniform",
        f"fraction {federation.fraction:g}": federation.fraction != 1,
        f"{honest(scenario)} participants": clients is not None and honest(scenario) != clients,
    }
    found = [f"partition.{name} {partition[name]}" for name, value in wanted.items() if partition[name] != value]
    sampled = [f"{name} {value}" for name, value in scenario.server.options.items()]
    return [*(text for text, differs in said.items() if differs), *found, *sampled]


def _of_the_attack(scenario: Scenario) -> list[str]:
    """Return the attack's departures."""
    server = scenario.server
    if server.attack == "mgan-ai":
        given = server.attack_options
        recipe = given.get("recipe", "paper")
        usual = registry.options(server.attack, {"victim": 0, "mode": given.get("mode", "passive"), "recipe": recipe})
        named = [f"recipe {recipe}"] if recipe != "paper" else []
        return [*named, *_start(given), *_different(given, to_dict(usual), MGAN_FREE)]
    if server.attack is not None:
        usual = registry.options(server.attack, {})
        return _different(server.attack_options, to_dict(usual), INVERSION_FREE)
    found = [
        text
        for entry in scenario.clients
        if entry.attack is not None
        for text in _different(entry.options, to_dict(registry.options(entry.attack, {"target": 0})), GAN_FREE)
    ]
    return list(dict.fromkeys(found))


def _start(given: Mapping[str, Any]) -> list[str]:
    """Say when an attack begins that does not begin at once."""
    number, accuracy = given.get("start_round"), given.get("start_accuracy")
    if number == 1:
        return []
    found = [f"from round {number}"] if number is not None else []
    return found + ([f"from accuracy {accuracy:g}"] if accuracy is not None else [])


def _different(
    given: Mapping[str, Any], usual: Mapping[str, Any], free: Collection[str] = (), prefix: str = ""
) -> list[str]:
    """Return the options, in words, that are neither the usual ones nor the paper's; nested ones by their path."""
    found = []
    for name, default in usual.items():
        if name in free or name not in given:
            continue
        value = given[name]
        if isinstance(value, Mapping) and isinstance(default, Mapping):
            found += _different(value, default, prefix=f"{prefix}{name}.")
        elif not _same(value, default) and (prefix or value not in PAPERS_OWN.get(name, ())):
            found.append(f"{prefix}{name} {value:g}" if isinstance(value, float) else f"{prefix}{name} {value}")
    return found


def _same(ours: Any, theirs: Any) -> bool:
    """Say whether two settings are equal; a list and a tuple may be."""
    return list(ours) == list(theirs) if isinstance(ours, list | tuple) and theirs is not None else bool(ours == theirs)

"""The independent judge of a run: trained on public images, or fetched, with what is known of how far to trust it."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from oleander.judge import classifier, marks, properties, training_set
from oleander.judge.classifier import Judge, Settings
from oleander.judge.properties import PropertyJudge
from oleander.judge.victims import Victim
from task.datasets import Dataset, to_float
from task.models import weights
from task.private import turn
from task.seeding import generator
from task.settings import SettingsError

MOST_TURNED = 3000
FACES = Settings(steps=800, batch_size=64)
"""For a marked data set, of few images a class."""
NETWORK = "small convolutional network with a class more, 'not of this data'"


@dataclass(frozen=True, kw_only=True, eq=False)
class Independent:
    """Who judges a run.

    Attributes:
        model: asked for categories.
        facts: about it, for verdict.json.
        properties: asked for a category and the private property; None where there is no such property, or where
            nothing public tells what it looks like.
        property_facts: about that.
        missing: sentences on what cannot be judged.

    """

    model: Judge
    facts: dict[str, Any]
    properties: PropertyJudge | None = None
    property_facts: dict[str, Any] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def appoint(
    dataset: Dataset, holding: Mapping[int, Tensor], victim: Victim | None, seed: int, folder: Path
) -> Independent:
    """Return the judge of a run.

    Args:
        dataset: the public data set.
        holding: indices into its training images by participant.
        victim: the participant with a private property, none of whose images the judge is trained on; None for none.
        seed: of the run, for the draw of the training images.
        folder: of the cache.

    """
    if victim is None:
        return _of_categories(dataset, holding, seed, folder)
    if victim.settings.kind == "rotated":
        return _of_turned(dataset, holding, victim, seed, folder)
    try:
        return _of_marked(dataset, victim, seed, folder)
    except SettingsError as error:
        found = _of_categories(dataset, holding, seed, folder)
        return dataclasses.replace(found, missing=[f"The property is not judged: {error}"])


def _of_categories(dataset: Dataset, holding: Mapping[int, Tensor], seed: int, folder: Path) -> Independent:
    """Return a judge of categories alone."""
    classes = len(dataset.classes)
    chosen = training_set.choose(dataset.train.labels, classes, training_set.together(holding), seed)
    model = training_set.trained(dataset, chosen.indices, Settings(), folder)
    return Independent(model=model, facts=_facts(model, dataset, chosen, seed))


def _of_turned(dataset: Dataset, holding: Mapping[int, Tensor], victim: Victim, seed: int, folder: Path) -> Independent:
    """Return a judge of turned images."""
    labels, classes, how = dataset.train.labels, len(dataset.classes), properties.settings(dataset.shape)
    taken, never = training_set.together(holding), holding[victim.client]
    chosen = training_set.choose(labels, classes, taken, seed, never=never, most=MOST_TURNED)
    images, labels = dataset.train.images[chosen.indices], labels[chosen.indices]
    facts = [dataset.name, list(dataset.shape), classes, victim.asked, dataclasses.asdict(how)]
    name = training_set.key(f"{dataset.name}-turned", facts, images, labels)
    arrays = training_set.cached(
        folder,
        name,
        lambda: weights(properties.train(to_float(images), labels, classes, victim.asked, how).network),
    )
    network = classifier.build(dataset.shape, 2 * classes, how.seed)
    network.load_state_dict(arrays)
    judge = properties.TurnedJudge(network.eval())
    told = _facts(judge.by_category, dataset, chosen, seed)
    about = told | _on_turned(judge, dataset, victim.asked)
    about["trained_on"] += f", upright and turned by {victim.asked:g} degrees"
    about |= _on_the_victim(judge, victim)
    return Independent(model=judge.by_category, facts=told, properties=judge, property_facts=about)


def _of_marked(dataset: Dataset, victim: Victim, seed: int, folder: Path) -> Independent:
    """Return a judge of marked images, trained on all images that the victim does not hold.

    Raises:
        SettingsError: where there are no public marked images to learn from.

    """
    train, test, classes = dataset.train, dataset.test, len(dataset.classes)
    if train.marked is None or test.marked is None:
        raise SettingsError("Expected a data set with a table of marks, got none.")
    free = ~train.marked
    images, labels = torch.cat([train.images[free], test.images]), torch.cat([train.labels[free], test.labels])
    marked = torch.cat([train.marked[free], test.marked])
    facts = [dataset.name, list(dataset.shape), classes, list(victim.judged), dataclasses.asdict(FACES)]

    def learn(count: int) -> Judge:
        name = training_set.key(f"{dataset.name}-marked", facts, images[:count], labels[:count])
        given, wanted = to_float(images[:count]), labels[:count]
        arrays = training_set.cached(folder, name, lambda: weights(classifier.train(given, wanted, classes, FACES)))
        model = classifier.build(dataset.shape, classes, FACES.seed)
        model.load_state_dict(arrays)
        return model.eval()

    name = training_set.key(f"{dataset.name}-{dataset.mark}", [*facts, seed], images, labels, marked)
    given = to_float(images)
    kept = training_set.cached(
        folder,
        name,
        lambda: vars(marks.train(given, labels, marked, judged=victim.judged, classes=classes, seed=seed)),
    )
    mark = marks.Mark(**kept)
    judge, twin = marks.MarkedJudge(learn(len(images)), mark), learn(int(free.sum()))
    known = torch.isin(test.labels, train.labels[free])
    draw = generator(seed, "judge", "examination")
    trust = classifier.examine(twin, to_float(test.images[known]), test.labels[known], draw)
    told = dataclasses.asdict(trust) | {
        "classifier": NETWORK,
        "trained_on": f"all {len(images)} images that participant {victim.client} does not hold, the server's own "
        f"among them; its accuracy is that of one trained likewise without those {len(test.labels)}",
        "images": len(images),
        "held_images": int(free.sum()),
    }
    about = told | {
        "classifier": f"{NETWORK}, and a linear classifier of edges for {victim.mark}",
        "property_accuracy": mark.held_out.item(),
        "property_trained_on": f"{int(marked.sum())} of those images with {victim.mark} and "
        f"{int((~marked).sum())} without; its accuracy is the mean of both kinds' on classes left out",
    }
    about |= _on_the_victim(judge, victim)
    return Independent(model=judge.by_category, facts=told, properties=judge, property_facts=about)


def _facts(model: Judge, dataset: Dataset, chosen: training_set.TrainingSet, seed: int) -> dict[str, Any]:
    """Return what is known of a judge of categories."""
    draw = generator(seed, "judge", "examination")
    trust = classifier.examine(model, to_float(dataset.test.images), dataset.test.labels, draw)
    return dataclasses.asdict(trust) | {
        "classifier": NETWORK,
        "trained_on": chosen.words(dataset.classes),
        "images": len(chosen.indices),
        "held_images": chosen.held,
    }


def _on_turned(judge: PropertyJudge, dataset: Dataset, degrees: float) -> dict[str, Any]:
    """Try a judge of turned images on held-out images, each upright and turned."""
    labels = dataset.test.labels
    joint, alone = [], []
    for marked, images in ((False, dataset.test.images), (True, turn(dataset.test.images, degrees))):
        found = judge.verdicts(to_float(images))
        alone.append(found.marked == marked)
        joint.append((found.category == labels) & alone[-1] & ~found.junk)
    right = torch.stack(joint).double().mean(0)
    return {
        "test_accuracy": right.mean().item(),
        "test_images": 2 * len(labels),
        "by_class": [right[labels == label].mean().item() for label in range(judge.classes)],
        "property_accuracy": torch.stack(alone).double().mean().item(),
    }


def _on_the_victim(judge: PropertyJudge, victim: Victim) -> dict[str, Any]:
    """Try a judge on the victim's real images of the classes by which the property is judged."""
    wanted = torch.isin(victim.own.labels, torch.tensor(victim.judged, dtype=torch.int64))
    if not wanted.any():
        return {"victim_accuracy": None, "victim_category_accuracy": None, "victim_images": 0}
    found = judge.verdicts(victim.own.images[wanted])
    category = (found.category == victim.own.labels[wanted]) & ~found.junk
    return {
        "victim_accuracy": (category & (found.marked != victim.upright)).double().mean().item(),
        "victim_category_accuracy": category.double().mean().item(),
        "victim_images": int(wanted.sum()),
    }

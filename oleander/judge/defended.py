"""What a run shows of its defended participants: of what use their published images are, and what those still show.

Use and protection fall together (an image from which a classifier learns a six is a six), so that neither number stands
without the other, nor without the undefended client's.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from oleander.judge import distances, riafi
from oleander.judge.attackers import UNREADABLE
from oleander.judge.cases import Evidence
from oleander.judge.classifier import verdicts
from oleander.judge.riafi import Question
from oleander.judge.victims import belongings
from oleander.judge.words import percent
from oleander.rundir import RunDirectory
from oleander.scenario import UNDEFENDED, Scenario
from task.datasets import to_float
from task.facts import Images

COMPARED = 300
"""Images of a class whose distances are taken, pair by pair."""


def judged(
    run: RunDirectory, evidence: Evidence, folder: Path, progress: Callable[[str], None], missing: list[str]
) -> dict[str, dict[str, Any]]:
    """Judge every participant that publishes something in place of its images, as it was last fitted.

    Args:
        run: the run directory.
        evidence: data set, who holds what, and the judge.
        folder: of the cache.
        progress: told in words what is being done.
        missing: gets a sentence for each that has published nothing that can be read.

    Returns:
        By "client-N": `defense`, `classes`, `made` and `real` (images published), oleander.judge.riafi.answer, `seen`
        and `seen_noise` (shares of the made images that the independent judge takes for their class, and for nothing),
        `seen_real` (the same of real test images), `seen_published` (of all that is published, the real ones too: what
        anybody has who merely looks at the set, without an attack), `diversity` and `diversity_own` (mean distance of
        two images, pixels in [-1, 1]), `pixel_mean`, `pixel_deviation` and the same with `_own` (pixels in [0, 1]), and
        `words`.

    """
    from defenses import registry  # noqa: PLC0415 - the judge of a run without defences needs none

    scenario, found = run.scenario, {}
    asked = {
        client: entry.defense
        for entry in scenario.clients
        if entry.defense is not None and entry.defense in registry.names(registry.DATA)
        for client in entry.ids
    }
    try:
        published = run.published() if asked else {}
    except UNREADABLE as error:
        missing.append(f"What was published cannot be read: {error}.")
        return {}
    for client, defense in sorted(asked.items()):
        if client not in published:
            missing.append(f"Participant {client} has published nothing that lies in the run directory.")
            continue
        progress(f"Judging what participant {client} has published")
        images, labels, genuine = published[client]
        question = ask(scenario, evidence, client, Images(images, labels))
        numbers = riafi.answer(question, folder)
        numbers |= _seen(evidence, question, Images(images[~genuine], labels[~genuine]))
        counts = {"made": int((~genuine).sum()), "real": int(genuine.sum())}
        named = [evidence.dataset.classes[label] for label in sorted(set(labels.tolist()))]
        said = {"defense": defense, "classes": named, **counts, **numbers}
        found[f"client-{client}"] = said | {"words": words(client, said)}
    return found


def ask(scenario: Scenario, evidence: Evidence, client: int, published: Images) -> Question:
    """Return the question of RIAFI for a participant; classes that nobody holds are left out."""
    dataset, task, victim = evidence.dataset, scenario.task, evidence.victim
    own = belongings(dataset, task, evidence.holding, [client])
    mine, absent = _classes(own.labels), torch.tensor(task.partition.exclude, dtype=torch.int64)
    train, test = dataset.train, dataset.test
    rest = ~torch.isin(train.labels, torch.cat([mine, absent]))
    tested = ~torch.isin(test.labels, absent)
    images, labels = test.images[tested], test.labels[tested]
    shown = to_float(images)
    if victim is not None and victim.client == client:
        shown = torch.where(torch.isin(labels, mine)[:, None, None, None], to_float(victim.as_held(images)), shown)
    return Question(
        model=task.model,
        outputs=len(dataset.classes),
        own=Images(own.images, own.labels),
        published=published,
        others=Images(to_float(train.images[rest]), train.labels[rest]),
        test=Images(shown, labels),
        seed=scenario.federation.seed,
    )


def _seen(evidence: Evidence, question: Question, made: Images) -> dict[str, float]:
    """Return what the made images look like, to the judge and in numbers."""
    model, test = evidence.judge.model, question.test
    answers = verdicts(model, made.images)
    theirs = torch.isin(test.labels, _classes(question.own.labels))
    sets = {"": made, "_own": question.own}
    spread = {f"diversity{end}": _diversity(one) for end, one in sets.items()}
    pixels = {end: (one.images.double() + 1) / 2 for end, one in sets.items()}
    return {
        "seen": _share(answers == made.labels),
        "seen_noise": _share(answers == model.classes),
        "seen_published": _share(verdicts(model, question.published.images) == question.published.labels),
        "seen_real": _share(verdicts(model, test.images[theirs]) == test.labels[theirs]),
        **spread,
        **{f"pixel_mean{end}": values.mean().item() for end, values in pixels.items()},
        **{f"pixel_deviation{end}": values.std(correction=0).item() for end, values in pixels.items()},
    }


def _diversity(images: Images) -> float:
    """Return the mean distance of two images of a class; classes count alike. NaN where no class has two."""
    each = [distances.diversity(images.images[images.labels == one][:COMPARED]) for one in _classes(images.labels)]
    known = [value for value in each if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def words(client: int, said: dict[str, Any]) -> str:
    """Say what was published, of what use it is and what it still shows."""
    several = len(said["classes"]) > 1
    real = f"{said['real']} of them real" if said["real"] else "none of them real"
    how = "without a defence" if said["defense"] == UNDEFENDED else f"defended by {said['defense']}"
    text = f"Participant {client}, {how}, trains on {said['made'] + said['real']} images, {real}."
    text += (
        f" A classifier trained on them is right on {percent(said['riafi'])} of real images of its "
        f"class{'es' if several else ''} ({percent(said['riafi_undefended'])} if trained on its own images)"
    )
    if not said["made"]:
        return f"{text}."
    return f"{text}; an independent judge still takes {percent(said['seen'])} of the made ones for the class."


def _classes(labels: torch.Tensor) -> torch.Tensor:
    """Return the classes among labels, ascending, int64."""
    return torch.tensor(sorted(set(labels.tolist())), dtype=torch.int64)


def _share(right: torch.Tensor) -> float:
    """Return the share of True; NaN of nothing."""
    return right.double().mean().item() if len(right) else float("nan")

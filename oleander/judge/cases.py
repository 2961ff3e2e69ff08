"""Whom to judge in a run, and what each attacker is held against."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from attacks.mgan_batches import TURN
from attacks.registry import asks
from oleander.early_noise import sends_early_noise
from oleander.judge import marks, model_metrics, server, truth
from oleander.judge.attackers import LAST_ROUNDS, Attacker, Findings, judge_attacker
from oleander.judge.disclosure import Case
from oleander.judge.independent import Independent
from oleander.judge.server import SERVER
from oleander.judge.truth import Lens
from oleander.judge.victims import Belongings, Victim, belongings
from oleander.rundir import RunDirectory
from oleander.scenario import Scenario
from task.datasets import Dataset, to_float
from task.private import as_held, turned
from task.seeding import generator

AUXILIARY = 1000


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What the loot of a run is held against.

    Attributes:
        dataset: the public data set.
        holding: indices into its training images by participant.
        victim: the participant with a private property; None where nobody has one.
        judge: the independent judge.

    """

    dataset: Dataset
    holding: Mapping[int, Tensor]
    victim: Victim | None
    judge: Independent


def names(run: RunDirectory) -> list[str]:
    """Return the names of attackers who steal images: those of the scenario, and whoever left loot."""
    scenario = run.scenario
    steal = {f"client-{client}" for client in scenario.malicious()}
    steal |= set(run.loot()) | ({SERVER} if scenario.server.attack is not None else set())
    return sorted(steal - inquirers(scenario).keys())


def inquirers(scenario: Scenario) -> dict[str, str]:
    """Return the membership attacks by the attackers' names."""
    found = {f"client-{client}": str(scenario.role_of(client).attack) for client in scenario.malicious()}
    found |= {SERVER: scenario.server.attack} if scenario.server.attack is not None else {}
    return {who: attack for who, attack in found.items() if asks(attack)}


def judged(run: RunDirectory, evidence: Evidence, progress: Callable[[str], None]) -> dict[str, Findings]:
    """Judge every attacker of a run; return the findings by name."""
    scenario, dataset = run.scenario, evidence.dataset
    weights, found = run.global_model(), {}
    final = model_metrics.rebuild(scenario.task, dataset.shape, len(dataset.classes), weights) if weights else None
    for who in names(run):
        if who == SERVER:
            found[who] = _server(run, scenario, evidence, final, progress)
        else:
            attacker = _participant(who, scenario, evidence, final)
            found[who] = judge_attacker(run, attacker, progress)
            _score(run, attacker, dataset, evidence.victim, found[who])
    return found


def _participant(who: str, scenario: Scenario, evidence: Evidence, final: nn.Module | None) -> Attacker:
    """Return a participant who attacks, or someone who left loot and is not known."""
    number = who.removeprefix("client-")
    client = int(number) if number.isdigit() else None
    entry = scenario.role_of(client) if client is not None else None
    wanted = entry.options.get("target", ()) if entry else ()
    seen = as_held(evidence.dataset, scenario.task, evidence.holding)
    return Attacker(
        who=who,
        attack=(entry.attack if entry else None) or "unknown",
        wanted=tuple(wanted) if isinstance(wanted, list | tuple) else (wanted,),
        names=seen.classes,
        truth=partial(_of_participant, seen, evidence, client, scenario.federation.seed),
        model=evidence.judge.model,
        global_model=final,
        shape=seen.shape,
        early_noise=entry is not None and sends_early_noise(entry),
        seed=scenario.federation.seed,
        defenses=scenario.defended(),
    )


def _server(
    run: RunDirectory, scenario: Scenario, evidence: Evidence, final: nn.Module | None, progress: Callable[[str], None]
) -> Findings:
    """Judge the server's loot; of the victim where there is one with a property, else of whoever holds the class."""
    dataset, holding, victim, seed = evidence.dataset, evidence.holding, evidence.victim, scenario.federation.seed
    named = scenario.server.attack_options.get("victim")
    after = named if named is not None else victim.client if victim else None
    theirs = victim if victim is not None and victim.client == after else None
    seen = dataset if theirs else as_held(dataset, scenario.task, holding)
    lens = theirs.lens(dataset) if theirs else None
    attacker = Attacker(
        who=SERVER,
        attack=scenario.server.attack or "unknown",
        wanted=(),
        names=dataset.classes,
        truth=partial(_of_server, seen, holding, lens, seed),
        model=evidence.judge.model,
        global_model=final,
        shape=dataset.shape,
        early_noise=False,
        seed=seed,
        only=_classes(dataset, holding, after),
        defenses=scenario.defended(),
        most_rounds=server.MOST_ROUNDS,
        most_samples=server.most_samples(len(dataset.classes)),
    )
    everyone = belongings(dataset, scenario.task, holding, sorted(holding))
    case = None
    if theirs is not None and evidence.judge.properties is not None:
        by_up_to, log = float(scenario.server.attack_options.get("turned") or 0), run.attack_log(SERVER)
        case = Case(
            attacker=attacker,
            victim=theirs,
            judge=evidence.judge.properties,
            facts=evidence.judge.property_facts,
            public=_without(dataset, theirs, seed),
            auxiliary=auxiliary(dataset, theirs, by_up_to, seed),
            matched=auxiliary(dataset, theirs, by_up_to, seed, shares) if (shares := turns(log)) else None,
            turned=by_up_to,
        )
    found = server.judge_server(run, attacker, victim=after, case=case, holdings=everyone, progress=progress)
    if victim is not None and theirs is None:
        found.missing.append(
            f"The server's attack is after participant {after}, but the private property is participant "
            f"{victim.client}'s: whether it shows (J) is not judged. Set server.attack_options.victim to "
            f"{victim.client}."
        )
    _score(run, attacker, dataset, theirs, found)
    return found


def _score(run: RunDirectory, attacker: Attacker, dataset: Dataset, victim: Victim | None, found: Findings) -> None:
    """Add the inception score of the loot where there is a victim whose images it is held against."""
    if victim is not None:
        scores = server.of_inception(run, attacker, victim, _real(dataset, victim), found.missing)
        found.verdict |= {"inception": scores} if scores else {}


def _real(dataset: Dataset, victim: Victim) -> Belongings:
    """Return real images to compare scores with: test images as the victim would hold them; of a marked data set all.

    The marked data set has so few of the judged classes that those without the mark, which the judge learned from, must
    count as well: there, the score of real images is rather too high.
    """
    images, labels = dataset.test.images, dataset.test.labels
    if victim.settings.kind == "attribute":
        images, labels = torch.cat([images, dataset.train.images]), torch.cat([labels, dataset.train.labels])
    return Belongings(images=to_float(victim.as_held(images)), labels=labels, client=torch.full_like(labels, -1))


def _classes(dataset: Dataset, holding: Mapping[int, Tensor], client: int | None) -> tuple[int, ...] | None:
    """Return the classes that a participant holds; None, for all, where none is meant."""
    if client is None or client not in holding:
        return None
    return tuple(sorted(set(dataset.train.labels[holding[client]].tolist())))


def _without(dataset: Dataset, victim: Victim, seed: int) -> Belongings:
    """Return public images without the victim's property, of the classes by which it is judged.

    Those without a mark are blurred and noisy, several times each, since stolen images are: by the marks' judge, clean
    ones of these classes are what a mark is measured against.
    """
    parts = []
    for split in (dataset.test, dataset.train):
        fits = torch.isin(split.labels, torch.tensor(victim.judged, dtype=torch.int64))
        if victim.settings.kind == "rotated":
            fits &= split is dataset.test  # upright images of its own training set are too many to look at
        elif split.marked is not None:
            fits &= ~split.marked
        parts.append((split.images[fits], split.labels[fits]))
    images, labels = (torch.cat(both) for both in zip(*parts, strict=True))
    shown = to_float(images)
    if victim.settings.kind == "attribute":
        shown = torch.cat([marks.worn(shown, generator(seed, "judge", "public", one)) for one in range(marks.COPIES)])
        labels = labels.repeat(marks.COPIES)
    return Belongings(images=shown, labels=labels, client=torch.full_like(labels, -1))


def turns(log: Sequence[Mapping[str, Any]]) -> dict[float, float]:
    """Return for which turns the victim's update spoke: the mean share by degrees over the last rounds on record.

    Args:
        log: lines of a server's attack.jsonl.

    """
    lines = [{key: share for key, share in line.items() if key.startswith(TURN)} for line in log]
    late = [line for line in lines if line][-LAST_ROUNDS:]
    degrees = list(late[-1]) if late else []
    return {float(key.removeprefix(TURN)): sum(line[key] for line in late) / len(late) for key in degrees}


def auxiliary(
    dataset: Dataset, victim: Victim, degrees: float, seed: int, shares: Mapping[float, float] | None = None
) -> Belongings:
    """Return the server's own images of the judged classes, turned at random by up to `degrees` either way.

    Args:
        dataset: its test images are the server's.
        victim: whose classes count.
        degrees: 0 for images as they are.
        seed: of the run.
        shares: of turns, by the middle of each of equal steps in degrees; None for all turns alike.

    """
    fits = torch.isin(dataset.test.labels, torch.tensor(victim.judged, dtype=torch.int64))
    images, labels = to_float(dataset.test.images[fits]), dataset.test.labels[fits]
    if degrees and len(images):
        times = -(-AUXILIARY // len(images))
        images, labels = images.repeat(times, 1, 1, 1), labels.repeat(times)
        steps = shares or {0.0: 1.0}
        draw = generator(seed, "judge", "auxiliary")
        chosen = torch.multinomial(torch.tensor(list(steps.values())), len(images), replacement=True, generator=draw)
        within = (torch.rand(len(images), generator=draw) * 2 - 1) * degrees / len(steps)
        images = turned(images, torch.tensor(list(steps))[chosen] + within)
    return Belongings(images=images, labels=labels, client=torch.full_like(labels, -1))


def _of_participant(seen: Dataset, evidence: Evidence, client: int | None, seed: int, label: int) -> truth.Truth:
    """Return the truth about a class that a participant wants.

    Where the victim holds it, its images differ from free ones by its property, whatever the loot knows, so that the
    loot's nearness to the owners' own records cannot be tested.
    """
    found = truth.reveal(seen, evidence.holding, label, client, seed=seed)
    mixed = evidence.victim is not None and label in evidence.victim.classes
    return dataclasses.replace(found, others=found.others[:0]) if mixed else found


def _of_server(seen: Dataset, holding: Mapping[int, Tensor], lens: Lens | None, seed: int, label: int) -> truth.Truth:
    """Return the truth about a class that the server wants."""
    return truth.reveal(seen, holding, label, None, seed=seed, lens=lens)

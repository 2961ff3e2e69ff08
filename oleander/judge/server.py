"""A malicious server's loot: what is asked of any attacker's (oleander.judge.attackers), and whose it is.

Beside J and its controls (oleander.judge.disclosure) stand the inception score, what the representatives give away, and
the share of the rounds' time that the attack took, which a participant could notice.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from oleander.judge import disclosure, inception, likeness, server_words
from oleander.judge.attackers import UNREADABLE, Attacker, Findings, Loot, judge_attacker, sorted_out
from oleander.judge.disclosure import Case
from oleander.judge.sheets import Exhibits, compose
from oleander.judge.victims import Belongings, Victim
from oleander.rundir import RunDirectory
from task.seeding import generator

SERVER = "server"
MOST_ROUNDS, MOST_SAMPLES, LEAST_SAMPLES = 40, 1000, 25


def most_samples(classes: int) -> int:
    """Return how many samples of a class are looked at in a round; few where there are many classes."""
    return max(LEAST_SAMPLES, MOST_SAMPLES // classes)


def judge_server(
    run: RunDirectory,
    attacker: Attacker,
    *,
    victim: int | None,
    case: Case | None,
    holdings: Belongings,
    progress: Callable[[str], None],
) -> Findings:
    """Judge all of a server's loot.

    Args:
        run: the run directory.
        attacker: the server.
        victim: participant that it is after; None for no one in particular.
        case: the private property and its judge; None where there is none, or nobody can judge it.
        holdings: what the participants hold.
        progress: told in words what is being done.

    """
    found = judge_attacker(run, attacker, progress)
    verdict = found.verdict
    verdict["victim"] = victim
    verdict["attack_share"] = attack_share(run.rounds())
    others, not_owned = _controls(run, attacker, found)
    theirs = _representatives(run, attacker, found.missing)
    verdict["representatives"] = {}
    if theirs is not None:
        verdict["representatives"] = likeness.of_clients(theirs, holdings, len(attacker.names))
        verdict["representatives_round"] = max(run.representatives(SERVER))
    if found.loot:
        last = max(found.loot)
        exhibits = Exhibits(
            loot=found.loot[last],
            other=others[last],
            not_owned=not_owned[last],
            representatives=theirs,
            holdings=holdings,
            victim=victim,
            judged=case.victim.judged if case else (),
            round=last,
        )
        found.sheet = compose(exhibits, len(attacker.names), attacker.seed)
    if case is not None:
        progress("Asking for the private property")
        verdict["property"] = disclosure.of_property(case, found.loot, others, not_owned)
        for label, target in verdict["targets"].items():
            target.update(server_words.of_class(int(label), target, verdict["property"]))
        verdict |= {"verdict": server_words.of_server(verdict), "headline": server_words.headline(verdict)}
    return found


def attack_share(lines: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the share of the rounds' time that the server's attack took; None where that is not on record."""
    timed = [line for line in lines if "attack_seconds" in line and line.get("seconds")]
    total = sum(line["seconds"] for line in timed)
    return sum(line["attack_seconds"] for line in timed) / total if total else None


def of_inception(
    run: RunDirectory, attacker: Attacker, victim: Victim, real: Belongings, missing: list[str]
) -> dict[str, Any] | None:
    """Return the inception scores of an attacker's last loot, see oleander.judge.inception; None without.

    Always of the samples for the classes by which the victim is judged, so that attacks compare, whichever classes an
    attack makes beside them.

    Args:
        run: the run directory.
        attacker: whose loot it is.
        victim: whose classes count.
        real: real images to compare with; those of the judged classes are.
        missing: gets a sentence where there is nothing to score.

    Returns:
        The scores, `round`, and `classes`, how many of the `classes_asked` there are samples of.

    """
    last = max(run.loot().get(attacker.who, {}), default=None)
    if last is None:
        return None
    try:
        images, labels = run.samples(attacker.who, last)
    except UNREADABLE:  # said when the loot was judged
        return None
    judged = torch.tensor(victim.judged, dtype=torch.int64)
    chosen = torch.isin(labels, judged) if len(images) else labels.bool()
    if images.shape[1:] != attacker.shape or not images.isfinite().all() or not chosen.any():
        missing.append(f"There is no loot of {attacker.named} to compute an inception score of.")
        return None
    draw = generator(attacker.seed, "judge", attacker.who, "inception")
    reals, own = (one.images[torch.isin(one.labels, judged)] for one in (real, victim.own))
    found = inception.scores(attacker.model, images[chosen].clamp(-1, 1), reals, own, draw)
    shown = len(set(labels[chosen].tolist()))
    return found | {"round": last, "classes": shown, "classes_asked": len(victim.judged)}


def _representatives(run: RunDirectory, attacker: Attacker, missing: list[str]) -> Belongings | None:
    """Return the last representatives; None where there are none."""
    last = max(run.representatives(SERVER), default=None)
    if last is None:
        return None
    try:
        images, labels, client = run.representatives_of(SERVER, last)
    except UNREADABLE as error:
        missing.append(f"The representatives of round {last} cannot be read: {error}.")
        return None
    if images.shape[1:] != attacker.shape or not images.isfinite().all():
        missing.append(f"The representatives of round {last} are no finite images {list(attacker.shape)}.")
        return None
    return Belongings(images=images.clamp(-1, 1), labels=labels, client=client)


def _controls(run: RunDirectory, attacker: Attacker, found: Findings) -> tuple[Loot, Loot]:
    """Return what is looked at of "not the victim" and of classes that the victim does not hold, for each round judged.

    By round and class; a round of which there are none is empty.
    """
    kinds: tuple[tuple[str, Callable[[str, int], tuple[Tensor, Tensor] | None]], ...] = (
        ("“not the victim”", run.other_samples),
        ("classes that the victim does not hold", run.not_owned_samples),
    )
    controls: tuple[Loot, Loot] = ({}, {})
    for control, (name, read) in zip(controls, kinds, strict=True):
        for number in found.loot:
            control[number] = {}
            try:
                images = read(attacker.who, number)
            except UNREADABLE as error:
                found.missing.append(f"The samples of {name} in round {number} cannot be read: {error}.")
                continue
            if images is not None:
                control[number] = sorted_out(attacker, number, *images) or {}
    return controls

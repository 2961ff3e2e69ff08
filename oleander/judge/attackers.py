"""One attacker's loot, round by round and target by target."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from oleander.judge import targets, words
from oleander.judge.classifier import Judge
from oleander.judge.draws import drawn, evenly
from oleander.judge.truth import Truth
from oleander.rundir import RunDirectory
from task.seeding import generator

MOST_ROUNDS = 100
UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


@dataclass(frozen=True, kw_only=True, eq=False)
class Attacker:
    """Who is judged, and with what.

    Attributes:
        who: name of its folder in loot/.
        attack: module name.
        wanted: target classes that its options name; the loot may show more.
        names: of the data set's classes.
        truth: returns the truth about a class.
        model: the judge.
        global_model: the final one; None where the run did not get so far.
        shape: (C, H, W) of an image.
        early_noise: whether it sends noise from the first round on.
        seed: of all draws.

    """

    who: str
    attack: str
    wanted: tuple[int, ...]
    names: tuple[str, ...]
    truth: Callable[[int], Truth]
    model: Judge
    global_model: nn.Module | None
    shape: tuple[int, int, int]
    early_noise: bool
    seed: int


@dataclass(kw_only=True)
class Findings:
    """What was found: the attacker's part of verdict.json, what the figures show, and what is missing, in sentences."""

    verdict: dict[str, Any]
    truths: dict[int, Truth] = field(default_factory=dict)
    samples: dict[int, dict[int, Tensor]] = field(default_factory=dict)  # target -> round -> float32 [N, C, H, W]
    missing: list[str] = field(default_factory=list)


def judge_attacker(run: RunDirectory, attacker: Attacker, progress: Callable[[str], None]) -> Findings:
    """Judge all of an attacker's loot; the samples are drawn by a seed, the same ones for numbers and figures."""
    log = run.attack_log(attacker.who)
    found = Findings(verdict={})
    samples, seen = _read(run, attacker, found.missing)
    log_start = next((line["round"] for line in log if line.get("started")), None)
    start = log_start if log_start is not None else min(samples, default=None)
    wanted = sorted({*attacker.wanted, *seen})
    found.truths = {label: attacker.truth(label) for label in wanted}
    per_round = []
    for server_round, (images, labels) in samples.items():
        progress(f"Judging the loot of {attacker.who}, round {server_round}")
        for label in wanted:
            fakes = drawn(images[labels == label], attacker.seed, attacker.who, server_round, label)
            if len(fakes):
                numbers = targets.in_one_round(attacker.model, found.truths[label], fakes)
                per_round.append({"round": server_round, "target": label} | numbers)
                found.samples.setdefault(label, {})[server_round] = fakes
    judged = {str(label): _target(attacker, found, label, per_round) for label in wanted}
    last = max(samples, default=None)
    moments = words.Moments(start=start, last=last, early_noise=attacker.early_noise)
    found.verdict = {
        "attack": attacker.attack,
        "start_round": start,
        "noise_from_round": 1 if attacker.early_noise else None,
        "last_loot_round": last,
        "targets": judged,
        "per_round": per_round,
        "verdict": words.of_attacker(attacker.who, attacker.attack, moments, list(judged.values())),
    }
    if not samples:
        found.missing.append(f"There is no loot of {attacker.who}.")
    return found


def _read(
    run: RunDirectory, attacker: Attacker, missing: list[str]
) -> tuple[dict[int, tuple[Tensor, Tensor]], set[int]]:
    """Return the loot by round, of long runs only some rounds, and the classes that it means to show."""
    rounds = sorted(run.loot().get(attacker.who, {}))
    samples = {}
    for server_round in evenly(rounds, MOST_ROUNDS):
        try:
            images, labels = run.samples(attacker.who, server_round)
        except UNREADABLE as error:
            missing.append(f"The loot of {attacker.who} in round {server_round} cannot be read: {error}.")
            continue
        fits = images.shape[1:] == attacker.shape and len(images) == len(labels) and bool(images.isfinite().all())
        if fits and bool(((labels >= 0) & (labels < len(attacker.names))).all()):
            samples[server_round] = (images.clamp(-1, 1), labels)
        else:
            missing.append(
                f"The loot of {attacker.who} in round {server_round} is no finite images {list(attacker.shape)} of "
                f"known classes, and is left out."
            )
    if len(rounds) > MOST_ROUNDS:
        missing.append(
            f"Of {len(rounds)} rounds of loot of {attacker.who}, {MOST_ROUNDS} evenly spread ones were judged."
        )
    return samples, {label for _, labels in samples.values() for label in labels.tolist()}


def _target(attacker: Attacker, found: Findings, label: int, per_round: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what verdict.json says of one target."""
    truth, lines = found.truths[label], [line for line in per_round if line["target"] == label]
    numbers: dict[str, Any] = {
        "name": attacker.names[label],
        "owner": list(truth.owners),
        "control": truth.control,
        "samples": 0,
    }
    if lines:
        draw = generator(attacker.seed, "judge", attacker.who, "owner test", label)
        fakes = found.samples[label][lines[-1]["round"]]
        numbers |= {key: value for key, value in lines[-1].items() if key != "target"}
        numbers |= targets.at_the_end(attacker.model, truth, fakes, attacker.global_model, draw)
        numbers |= targets.over_rounds(lines)
    numbers["conclusion"] = words.conclusion(numbers)
    numbers["words"] = words.of_target(attacker.names[label], numbers)
    return numbers

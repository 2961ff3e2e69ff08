"""One attacker's loot, round by round and target by target."""

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from oleander.judge import targets, words
from oleander.judge.classifier import Judge
from oleander.judge.draws import MOST_SAMPLES, drawn, evenly
from oleander.judge.sheets import Sheet
from oleander.judge.truth import Truth
from oleander.rundir import RunDirectory
from task.seeding import generator

MOST_ROUNDS, LAST_ROUNDS = 100, 3
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
        only: the classes among its loot that count as targets; None for all.
        defenses: of the participants who have one, by their ids.
        most_rounds, most_samples: of the loot that are looked at, the latter in each round and class.

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
    only: tuple[int, ...] | None = None
    defenses: Mapping[int, str] = field(default_factory=dict)
    most_rounds: int = MOST_ROUNDS
    most_samples: int = MOST_SAMPLES

    @property
    def named(self) -> str:
        """Its name in a sentence."""
        return self.who if self.who.startswith("client-") else f"the {self.who}"


Loot = dict[int, dict[int, Tensor]]
"""Samples float32 [N, C, H, W] in [-1, 1] by round and class, in the order in which they were drawn."""


@dataclass(kw_only=True)
class Findings:
    """What was found of an attacker.

    Attributes:
        verdict: its part of verdict.json.
        truths: about its targets.
        samples: of each target by round, float32 [N, C, H, W], what the figures show.
        loot: all that was looked at, targets or not.
        sheet: of a server's attack, the sheet of pictures.
        missing: what is missing, in sentences.

    """

    verdict: dict[str, Any]
    truths: dict[int, Truth] = field(default_factory=dict)
    samples: dict[int, dict[int, Tensor]] = field(default_factory=dict)
    loot: Loot = field(default_factory=dict)
    sheet: Sheet | None = None
    missing: list[str] = field(default_factory=list)


def judge_attacker(run: RunDirectory, attacker: Attacker, progress: Callable[[str], None]) -> Findings:
    """Judge all of an attacker's loot; the samples are drawn by a seed, the same ones for numbers and figures."""
    log = run.attack_log(attacker.who)
    found = Findings(verdict={})
    found.loot = samples = _read(run, attacker, found.missing)
    log_start = next((line["round"] for line in log if line.get("started")), None)
    start = log_start if log_start is not None else min(samples, default=None)
    seen = {label for by_class in samples.values() for label in by_class}
    wanted = sorted({*attacker.wanted, *(seen if attacker.only is None else seen & {*attacker.only})})
    found.truths = {label: attacker.truth(label) for label in wanted}
    per_round = []
    for server_round, by_class in samples.items():
        progress(f"Judging the loot of {attacker.named}, round {server_round}")
        for label in wanted:
            if label in by_class:
                fakes = by_class[label]
                numbers = targets.in_one_round(attacker.model, found.truths[label], fakes)
                per_round.append({"round": server_round, "target": label} | numbers)
                found.samples.setdefault(label, {})[server_round] = fakes
    judged = {str(label): _target(attacker, found, label, per_round) for label in wanted}
    last = max(samples, default=None)
    noise = attacker.early_noise and bool(log)  # a run that died before the first round sent none
    elsewhere = run.is_of_several_hosts and attacker.who.startswith("client-") and not log and not samples
    failure = next((f"in round {number} {text}" for number, text in run.attack_failures()), "")
    mine = failure if attacker.who == "server" else ""
    moments = words.Moments(start=start, last=last, early_noise=noise, elsewhere=elsewhere, failure=mine)
    found.verdict = {
        "attack": attacker.attack,
        "start_round": start,
        "noise_from_round": 1 if noise else None,
        "last_loot_round": last,
        "targets": judged,
        "per_round": per_round,
        "verdict": words.of_attacker(attacker.who, attacker.attack, moments, list(judged.values())),
    }
    if not samples:
        found.missing.append(f"There is no loot of {attacker.named}.")
    return found


def _read(run: RunDirectory, attacker: Attacker, missing: list[str]) -> Loot:
    """Return the loot, of long runs only some rounds, the last ones among them."""
    rounds = sorted(run.loot().get(attacker.who, {}))
    chosen = sorted({*evenly(rounds, attacker.most_rounds), *rounds[-LAST_ROUNDS:]})
    found: Loot = {}
    for server_round in chosen:
        try:
            images, labels = run.samples(attacker.who, server_round)
        except UNREADABLE as error:
            missing.append(f"The loot of {attacker.named} in round {server_round} cannot be read: {error}.")
            continue
        by_class = sorted_out(attacker, server_round, images, labels)
        if by_class is None:
            missing.append(
                f"The loot of {attacker.named} in round {server_round} is no finite images {list(attacker.shape)} of "
                f"known classes, and is left out."
            )
        else:
            found[server_round] = by_class
    if len(rounds) > len(chosen):
        missing.append(
            f"Of {len(rounds)} rounds of loot of {attacker.named}, {len(chosen)} evenly spread ones were judged."
        )
    return found


def sorted_out(attacker: Attacker, server_round: int, images: Tensor, labels: Tensor) -> dict[int, Tensor] | None:
    """Return what is looked at of a round's images, by class; None where they are no images of the data set's."""
    fits = images.shape[1:] == attacker.shape and len(images) == len(labels) and bool(images.isfinite().all())
    if not fits or not bool(((labels >= 0) & (labels < len(attacker.names))).all()):
        return None
    of = {label: images[labels == label].clamp(-1, 1) for label in sorted(set(labels.tolist()))}
    return {
        label: drawn(mine, attacker.seed, attacker.who, server_round, label)[: attacker.most_samples]
        for label, mine in of.items()
    }


def _target(attacker: Attacker, found: Findings, label: int, per_round: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what verdict.json says of one target."""
    truth, lines = found.truths[label], [line for line in per_round if line["target"] == label]
    numbers: dict[str, Any] = {
        "name": attacker.names[label],
        "owner": list(truth.owners),
        "defenses": sorted({attacker.defenses[owner] for owner in truth.owners if owner in attacker.defenses}),
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

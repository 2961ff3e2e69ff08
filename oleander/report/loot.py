"""The loot of one run, target by target, beside the truth. Only here do stolen and private images meet on the page."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oleander.judge.draws import drawn, evenly
from oleander.judge.server import SERVER
from oleander.report.gather import Gathered
from oleander.report.metrics import targets_of, unbroken
from oleander.report.pictures import Pair, Pixels, Stage, file_uri, image_uri, pairs

SHOWN_PAIRS = 10
SHOWN_STAGES = 8
SAMPLES_PER_STAGE = 2

Images = tuple[Pixels, "np.ndarray[Any, np.dtype[np.int64]]"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """What one attacker got for one class.

    Attributes:
        who: the attacker.
        label: the class.
        control: whether nobody owns the class.
        owners: participants who do.
        round: round of the loot that is shown; None without any.
        side: height and width of an image in pixels.
        pairs: the first of the samples that the judge drew (oleander.judge.draws).
        stages: the first of them in some rounds from the first to the last.
        figure: the judge's own picture of the same loot, with the nearest images of other classes, as a data URI.
        numbers: the judge's.

    """

    who: str
    label: int
    control: bool
    owners: tuple[int, ...]
    round: int | None
    side: tuple[int, int] | None
    pairs: list[Pair]
    stages: list[Stage]
    figure: str
    numbers: dict[str, Any]

    @property
    def title(self) -> str:
        """The class by number and, where the judge knows it by another name, by that."""
        name = str(self.numbers.get("name", self.label))
        return f"Class {self.label}" if name == str(self.label) else f"Class {self.label}, {name}"

    @property
    def conclusion(self) -> str:
        """The judge's conclusion in a word or two; empty where there is none."""
        return str(self.numbers.get("conclusion", ""))

    @property
    def words(self) -> str:
        """The judge's words."""
        return unbroken(str(self.numbers.get("words", "")))


def truth(found: Gathered) -> dict[int, Images]:
    """Return the victims' images and labels by client; empty where the truth was not kept."""
    nothing: dict[int, tuple[Tensor, Tensor]] = {}
    kept = found.attempt("truth/", found.run.victims, nothing)
    return {client: (images.numpy(), labels.numpy()) for client, (images, labels) in kept.items()}


def held_classes(victims: dict[int, Images]) -> dict[int, dict[int, int]]:
    """Return how many images of each class each client holds."""
    counts = {}
    for client, (_, labels) in victims.items():
        classes, numbers = np.unique(labels, return_counts=True)
        counts[client] = dict(zip(classes.tolist(), numbers.tolist(), strict=True))
    return counts


def targets(found: Gathered, victims: dict[int, Images]) -> list[Target]:
    """Return every attacker's targets: those that were judged, and those that loot was found of; controls last."""
    nothing: dict[str, dict[int, Path]] = {}
    loot = found.attempt("loot/", found.run.loot, nothing)
    judged = {(who, int(target)): numbers for who, target, numbers in targets_of(found.verdict) if target.isdigit()}
    result: list[Target] = []
    for who in sorted({who for who, _ in judged} | set(loot)):
        rounds = evenly(sorted(loot.get(who, {})), SHOWN_STAGES)
        read = {number: samples for number in rounds if (samples := _samples(found, who, number)) is not None}
        last = max(read, default=None)
        seen = set(read[last][1].tolist()) if last is not None else set()
        known = {label for one, label in judged if one == who}
        labels = sorted(known if who == SERVER and known else known | seen)  # a server's loot shows every class
        result += [_target(found, victims, (who, label), read, judged.get((who, label), {})) for label in labels]
    return sorted(result, key=lambda target: (target.who, target.control, target.label))


def _samples(found: Gathered, who: str, server_round: int) -> Images | None:
    """Return the loot of a round as arrays; None, and a note, where it cannot be read."""
    read = found.attempt(
        f"The loot of {who} in round {server_round}", lambda: found.run.samples(who, server_round), None
    )
    return None if read is None else (read[0].numpy(), read[1].numpy())


def _target(
    found: Gathered,
    victims: dict[int, Images],
    key: tuple[str, int],
    read: dict[int, Images],
    numbers: dict[str, Any],
) -> Target:
    """Put together what one attacker got for one class (`key`: which attacker, which class)."""
    who, label = key
    figure = found.run.figures / f"nearest-{who}-{label}.png"
    seed = found.scenario.federation.seed
    chosen = {
        number: drawn(torch.from_numpy(images[labels == label]), seed, who, number, label).numpy()
        for number, (images, labels) in read.items()
        if (labels == label).any()
    }
    last = max(chosen, default=None)
    real = {client: images[labels == label] for client, (images, labels) in victims.items() if (labels == label).any()}
    owners = numbers.get("owner")
    control = numbers.get("control", label in found.scenario.task.partition.exclude)
    return Target(
        who=who,
        label=label,
        control=bool(control),
        owners=tuple(owners) if isinstance(owners, list) else tuple(sorted(real)),
        round=last,
        side=chosen[last].shape[2:] if last is not None else None,
        pairs=pairs(chosen[last][:SHOWN_PAIRS], real) if last is not None else [],
        stages=[
            Stage(round=number, pictures=[image_uri(image) for image in images[:SAMPLES_PER_STAGE]])
            for number, images in chosen.items()
        ],
        figure=found.attempt(figure.name, partial(file_uri, figure), "") if figure.is_file() else "",
        numbers=numbers,
    )

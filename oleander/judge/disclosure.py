"""Does a server's loot show what only the victim holds? J and its controls.

J is the share of samples for the victim's classes that the judge takes for the right category, with the victim's
property, out of category x {without, with} and "not of this data"; a class of which there are no samples counts as not
shown. Its controls stand beside it: samples of "not the victim", samples of classes that the victim does not hold, the
server's own images turned by any angle (what a generator shows that copies them and knows nothing of the victim), the
victim's real images, and public images without the property. `J_matched` is no control but the simplest attack of all:
the server's own images turned by what the victim's update says, without a generator. It knows the angle, and shows
nothing else of the victim's. The headline is the mean of the last three evaluations, never the best round.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from oleander.judge import distances
from oleander.judge.attackers import LAST_ROUNDS, Attacker, Loot
from oleander.judge.properties import PropertyJudge
from oleander.judge.statistics import wilson
from oleander.judge.victims import Belongings, Victim
from task.seeding import generator

HEADLINE = ("J", "J_other", "J_not_owned", "category", "noise_share", "nn_rmse_victim", "nn_rmse_others")


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A victim with a private property, and who judges it.

    Attributes:
        attacker: who is judged; see oleander.judge.attackers.
        victim: the participant with the private property.
        judge: of category and property.
        facts: about that judge.
        public: public images without the property, of the victim's judged classes.
        auxiliary: the server's own images of these classes, turned at random as the attack turns them ...
        turned: ... by up to so many degrees either way; 0 where it doesn't.
        matched: the same images at the turns for which the victim's update speaks, where the attack looks for these.

    """

    attacker: Attacker
    victim: Victim
    judge: PropertyJudge
    facts: dict[str, Any]
    public: Belongings
    auxiliary: Belongings
    turned: float = 0.0
    matched: Belongings | None = None


def of_property(case: Case, loot: Loot, others: Loot, not_owned: Loot) -> dict[str, Any]:
    """Return what is said of the private property; see the module's text.

    Args:
        case: see Case.
        loot: the samples.
        others: samples of "not the victim" by round and class; empty where there are none.
        not_owned: samples of classes that the victim does not hold, likewise; where there are none, the loot's own of
            such classes take their place, if it has any.

    """
    victim, judge = case.victim, case.judge
    lines = [
        in_one_round(case, by_class, others.get(number, {}), not_owned.get(number, {})) | {"round": number}
        for number, by_class in loot.items()
    ]
    late = lines[-LAST_ROUNDS:]
    means = {name: _mean([line[name] for line in late]) for name in HEADLINE}
    count = sum(late[-1]["counts"].values()) if late else 0
    share, last = means["J"], max(loot, default=0)
    foreign = _foreign(victim, loot.get(last, {}), not_owned.get(last, {}))
    low, high = wilson(round(share * count), count) if math.isfinite(share) else (math.nan, math.nan)
    unseen = {label: case.attacker.truth(label).held_out for label in victim.judged}
    real = nearness(victim, unseen, case.attacker.seed)
    return {
        "kind": victim.settings.kind,
        "words": victim.words,
        "without": victim.without,
        "control": victim.upright,
        "classes": list(victim.classes),
        "judged_classes": list(victim.judged),
        "shown_classes": len({label for line in late for label in line["counts"]}),
        "not_owned_classes": {str(label): case.attacker.names[label] for label in sorted(foreign)},
        "turned": case.turned,
        "judge": case.facts,
        "per_round": [{key: value for key, value in line.items() if key != "counts"} for line in lines],
        "rounds": [line["round"] for line in late],
        "absent": {str(line["round"]): gone for line in late if (gone := _absent(victim, line))},
        **means,
        "J_low": low,
        "J_high": high,
        "samples": count,
        "J_real": shown_share(judge, victim.own.images, victim.own.labels, victim.judged),
        "J_real_public": shown_share(judge, case.public.images, case.public.labels, victim.judged),
        "J_auxiliary": shown_share(judge, case.auxiliary.images, case.auxiliary.labels, victim.judged),
        "J_matched": shown_share(judge, case.matched.images, case.matched.labels, victim.judged)
        if case.matched
        else None,
        "nn_rmse_victim_real": real[0],
        "nn_rmse_others_real": real[1],
    }


def _absent(victim: Victim, line: Mapping[str, Any]) -> list[int]:
    """Return the judged classes of which a round has no samples."""
    return [label for label in victim.judged if str(label) not in line["counts"]]


def _foreign(victim: Victim, loot: Mapping[int, Tensor], not_owned: Mapping[int, Tensor]) -> Mapping[int, Tensor]:
    """Return a round's samples of classes that the victim does not hold."""
    return {label: images for label, images in (not_owned or loot).items() if label not in victim.classes}


def in_one_round(
    case: Case, loot: Mapping[int, Tensor], other: Mapping[int, Tensor], not_owned: Mapping[int, Tensor]
) -> dict[str, Any]:
    """Return one round's numbers.

    Args:
        case: see Case.
        loot: samples float32 [N, C, H, W] by class.
        other: the same of "not the victim".
        not_owned: the same of classes that the victim does not hold, see `of_property`.

    Returns:
        `J`, `J_other`, `J_not_owned`; `category`, the share that shows the right category with the property or
        without; `noise_share`; `nn_rmse_victim` and `nn_rmse_others`, see `nearness`; `by_class`, J by class as a
        text; `counts`, samples by class. NaN where there are no samples.

    """
    victim, judge = case.victim, case.judge
    mine = {label: loot[label] for label in victim.judged if label in loot}
    images, labels = _together(mine)
    found = judge.verdicts(images) if len(images) else None
    right = torch.zeros(0) if found is None else (found.category == labels) & ~found.junk
    shown = right if found is None else right & found.marked
    held = len(mine) / max(1, len(victim.judged))  # each class counts alike, also one of which there is nothing
    near = nearness(victim, mine, case.attacker.seed)
    return {
        "J": held * _mean(shown.tolist()),
        "J_other": shown_share(judge, *_together({label: other[label] for label in victim.judged if label in other})),
        "J_not_owned": shown_share(judge, *_together(_foreign(victim, loot, not_owned))),
        "category": held * _mean(right.tolist()),
        "noise_share": math.nan if found is None else found.junk.double().mean().item(),
        "nn_rmse_victim": near[0],
        "nn_rmse_others": near[1],
        "by_class": {str(label): _mean(shown[labels == label].tolist()) for label in mine},
        "counts": {str(label): len(images) for label, images in mine.items()},
    }


def nearness(victim: Victim, loot: Mapping[int, Tensor], seed: int) -> tuple[float, float]:
    """Return how far samples are from the victim's images of their class, and from the other participants'.

    Both as the mean root mean squared difference to the nearest of them, pixels in [-1, 1], from as many images on both
    sides, since more are nearer to anything. A loot that knows the class alone is as near to the others' as to the
    victim's. Classes that only one side holds are left out; NaN where none is left.
    """
    own, others = [], []
    for label, images in loot.items():
        sides = [victim.own.of(label), victim.others.of(label)]
        count = min(map(len, sides))
        if count and len(images):
            draw = generator(seed, "judge", "nearness", label)
            few = [side[torch.randperm(len(side), generator=draw)[:count]] for side in sides]
            own.append(distances.nearest(images, few[0])[0])
            others.append(distances.nearest(images, few[1])[0])
    if not own:
        return math.nan, math.nan
    return torch.cat(own).mean().item(), torch.cat(others).mean().item()


def _together(by_class: Mapping[int, Tensor]) -> tuple[Tensor, Tensor]:
    """Return images and labels of all classes."""
    if not by_class:
        return torch.empty(0), torch.empty(0, dtype=torch.int64)
    labels = [torch.full((len(images),), label) for label, images in by_class.items()]
    return torch.cat(list(by_class.values())), torch.cat(labels)


def shown_share(judge: PropertyJudge, images: Tensor, labels: Tensor, classes: Sequence[int] | None = None) -> float:
    """Return the share of images that show their category with the property; NaN of none.

    Args:
        judge: of category and property.
        images: float32 [N, C, H, W] in [-1, 1].
        labels: their categories, int64 [N].
        classes: those that count; None for all.

    """
    if classes is not None:
        chosen = torch.isin(labels, torch.tensor(list(classes), dtype=torch.int64))
        images, labels = images[chosen], labels[chosen]
    if not len(images):
        return math.nan
    found = judge.verdicts(images)
    return ((found.category == labels) & found.marked & ~found.junk).double().mean().item()


def _mean(values: Sequence[float]) -> float:
    """Return the mean of the numbers among the values; NaN of none."""
    numbers = [float(value) for value in values if math.isfinite(value)]
    return sum(numbers) / len(numbers) if numbers else math.nan

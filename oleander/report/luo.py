"""Luo's results beside ours: what look-alikes are worth, and what they still show, setting by setting and over seeds.

Runs of one setting and seed are one measurement, whichever attacker was beside. A claim is judged by the 95 % intervals
of the means over seeds, which are no narrower than the number of images allows: reproduced where they lie apart (or
beyond a level) as the paper has it, not reproduced where they lie the other way round, and not judged where they
overlap, or where there is one seed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oleander.judge.words import percent
from oleander.report.luo_points import SAMPLES, by_lambda1, by_lambda2, by_ratio, measured, point
from oleander.report.metrics import finite
from oleander.report.ranking import (
    NOT_JUDGED,
    NOT_REPRODUCED,
    ONE_SEED,
    OTHERWISE,
    OVERLAP,
    REPRODUCED,
    Judged,
    Run,
    apart,
    interval,
    shares,
    values,
)
from oleander.report.results import Paper, Result, Row

CLASS = "6"
NOTHING, NEAR_ALL, LITTLE = 0.05, 0.9, 10.0
"""A share that counts as 0, one above which the paper has RIAFI at the `LITTLE` lambda2, and that."""
LOOKED_AT = "see the pictures below"
COUNTED = {"riafi_own": "images_own", "stolen": SAMPLES}
"""Of how many each is a share."""


def rows(paper: Paper, runs: Sequence[Run]) -> list[Row]:
    """Put runs beside the paper's results; see oleander.report.beside.rows."""
    return [_row(result, [run for run in runs if run[0].task.dataset in result.datasets]) for result in paper.results]


def _row(result: Result, runs: Sequence[Run]) -> Row:
    """Put the runs of a result's data sets beside it."""
    known = [run for run in runs if point(run[0]) is not None and run[1].get("defended")]
    seeds = ", ".join(dict.fromkeys(str(scenario.federation.seed) for scenario, _ in known))
    ours, status = CHECKS[result.judged](result, known) if known else ("", "not run")
    if not ours:
        return Row(result=result, ours="", seeds="", status="not run")
    if status in (REPRODUCED, NOT_REPRODUCED) and (changed := _otherwise(known)):
        ours, status = f"{ours}; {changed}", OTHERWISE
    return Row(result=result, ours=ours, seeds=seeds, status=status)


def _otherwise(runs: Sequence[Run]) -> str:
    """Say in what runs are set otherwise than the paper's, as far as that is printed."""
    found = []
    for scenario, verdict in runs:
        for said in verdict["defended"].values():
            classes = list(said.get("riafi_by_class") or {})
            found += [f"class {', '.join(classes)}"] if classes != [CLASS] else []
        similar = {entry.options.get("similarity", "mean") for entry in scenario.clients} - {"mean"}
        found += [f"similarity {one}" for one in sorted(similar)]
    return ", ".join(dict.fromkeys(found))


def _along(found: Mapping[float, Sequence[Mapping[str, Any]]], symbol: str, name: str = "riafi_own") -> str:
    """Write a number along a setting, with what the judge still sees in the look-alikes."""
    parts = []
    for place, said in found.items():
        numbers, seen = values(said, name), values(said, "seen")
        if numbers:
            beside = f", {percent(sum(seen) / len(seen))} of them seen as the class" if seen else ""
            parts.append(f"{symbol} {place:g}: {shares(numbers)}{beside}")
    return "\n".join(parts)


def _count(said: Sequence[Mapping[str, Any]], name: str) -> int:
    """Return of how many a number is a share, the least over some runs; 0 where that is not on record."""
    return int(min(values(said, COUNTED[name]), default=0))


def _level(said: Sequence[Mapping[str, Any]], *, holds: Callable[[float], bool]) -> str:
    """Say whether RIAFI is where the paper has it: its whole interval, none of it, or some."""
    numbers = values(said, "riafi_own")
    if len(numbers) < 2:  # noqa: PLR2004 - one seed proves nothing
        return ONE_SEED if numbers else NOT_JUDGED
    _, low, high = interval(numbers, _count(said, "riafi_own"))
    ends = {holds(max(0.0, low)), holds(min(1.0, high))}
    return OVERLAP if len(ends) > 1 else REPRODUCED if ends == {True} else NOT_REPRODUCED


def _lambda1(_: Result, runs: Sequence[Run]) -> Judged:
    return _along(by_lambda1(measured(runs)), "lambda1"), "to look at"


def _at_zero(_: Result, runs: Sequence[Run]) -> Judged:
    said = by_lambda2(measured(runs)).get(0.0, [])
    text = _along({0.0: said}, "lambda2")
    return text, _level(said, holds=lambda share: share <= NOTHING)


def _at_ten(_: Result, runs: Sequence[Run]) -> Judged:
    said = by_lambda2(measured(runs)).get(LITTLE, [])
    text = _along({LITTLE: said}, "lambda2")
    return text, _level(said, holds=lambda share: share > NEAR_ALL)


def _falls(_: Result, runs: Sequence[Run]) -> Judged:
    found = {place: said for place, said in by_lambda2(measured(runs)).items() if place >= LITTLE}
    if len(found) < 2 or LITTLE not in found:  # noqa: PLR2004 - a fall has two ends
        return "", NOT_JUDGED
    first, last = found[LITTLE], found[max(found)]
    count = _count([*first, *last], "riafi_own")
    return _along(found, "lambda2"), apart(values(first, "riafi_own"), values(last, "riafi_own"), count)


def _rises(name: str) -> Callable[[Result, Sequence[Run]], Judged]:
    """Judge whether a number rises with the share of real images."""

    def check(_: Result, runs: Sequence[Run]) -> Judged:
        found = measured(runs)
        ours, noise = by_ratio(found), by_ratio(found, "fixed-noise")
        if len(ours) < 2:  # noqa: PLR2004 - a rise has two ends
            return "", NOT_JUDGED
        texts = [_along(ours, "MR", name)]
        texts += [f"the attacker who knows the defence:\n{_along(ours, 'MR', 'stolen_adaptive')}"] * (name == "stolen")
        texts += [f"noise in place of look-alikes:\n{_along(noise, 'MR', name)}"] if noise else []
        most, least = ours[max(ours)], ours[min(ours)]
        return "\n\n".join(texts), apart(values(most, name), values(least, name), _count([*most, *least], name))

    return check


def _slower(_: Result, runs: Sequence[Run]) -> Judged:
    """Compare the mean RIAFI, as a part of the undefended one, over the ratios above 0 that both data sets have."""
    curves = [by_ratio(measured([run for run in runs if run[0].task.dataset == one])) for one in ("mnist", SHIRTS)]
    common = sorted((set(curves[0]) & set(curves[1])) - {0.0})
    if not common:
        return "", NOT_JUDGED
    (sooner, many), (later, few) = (_over(curve, common, beside=True) for curve in curves)
    where = ", ".join(f"{one:g}" for one in common)
    return (
        f"of the undefended RIAFI, mean over MR {where}: MNIST {shares(sooner)}; Fashion-MNIST {shares(later)}",
        apart(sooner, later, min(many, few)),
    )


def _pixels(name: str, obfuscation: str, sign: int) -> Callable[[Result, Sequence[Run]], Judged]:
    """Judge whether obfuscation moves a number of the pixels away from the real images', up or down."""

    def check(_: Result, runs: Sequence[Run]) -> Judged:
        found = {place: said for place, said in measured(runs).items() if place.obfuscation == obfuscation}
        found = {place: said for place, said in found.items() if place.lambda2 > 0 and not place.ratio}
        if not found:
            return "", NOT_JUDGED
        chosen = max(found, key=lambda place: place.lambda1 == 0)
        ours, real = (values(list(found[chosen].values()), f"pixel_{name}{end}") for end in ("", "_own"))
        mean = " and ".join(f"{sum(one) / len(one):.2f}" for one in (ours, real))
        return f"{name} of the pixels, look-alikes and real images: {mean} (lambda2 {chosen.lambda2:g})", (
            apart(ours, real) if sign > 0 else apart(real, ours)
        )

    return check


def _max_or_min(_: Result, runs: Sequence[Run]) -> Judged:
    """Compare both signs, each by its mean over the lambda2 above 0 that both have."""
    most, least = (by_lambda2(measured(runs), one) for one in ("max", "min"))
    common = sorted((set(most) & set(least)) - {0.0})
    if not common:
        return "", NOT_JUDGED
    text = f"max:\n{_along(most, 'lambda2')}\n\nmin:\n{_along(least, 'lambda2')}"
    (more, many), (less, few) = (_over(one, common) for one in (most, least))
    where = ", ".join(f"{one:g}" for one in common)
    return f"{text}\n\ncompared: the means over lambda2 {where}", apart(more, less, min(many, few))


def _over(
    curve: Mapping[float, Sequence[Mapping[str, Any]]], places: Sequence[float], *, beside: bool = False
) -> tuple[list[float], int]:
    """Return each seed's mean RIAFI over some places of a curve, of seeds that have all; and of how many images.

    `beside`: as a part of the undefended one.
    """
    shares_of: dict[int, list[float]] = {}
    for place in places:
        for said in curve[place]:
            share = finite(said.get("riafi_own"))
            whole = finite(said.get("riafi_own_undefended")) if beside else 1.0
            if share is not None and whole:
                shares_of.setdefault(said["seed"], []).append(share / whole)
    complete = [sum(one) / len(one) for one in shares_of.values() if len(one) == len(places)]
    return complete, _count([said for place in places for said in curve[place]], "riafi_own")


def _looked_at(_: Result, runs: Sequence[Run]) -> Judged:
    return (LOOKED_AT, "to look at") if runs else ("", NOT_JUDGED)


SHIRTS = "fashion-mnist"
CHECKS: dict[str, Callable[[Result, Sequence[Run]], Judged]] = {
    "lambda1": _lambda1,
    "at zero": _at_zero,
    "at ten": _at_ten,
    "falls": _falls,
    "worth": _rises("riafi_own"),
    "stolen": _rises("stolen"),
    "slower": _slower,
    "spreads": _pixels("deviation", "max", 1),
    "shrinks": _pixels("deviation", "min", -1),
    "darkens": _pixels("mean", "min", -1),
    "max or min": _max_or_min,
    "loot": _looked_at,
}

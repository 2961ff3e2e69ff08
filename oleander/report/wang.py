"""Wang's results beside ours: runs of several seeds, recipes and controls, as means with intervals.

Runs that are set alike (oleander.report.departures) form a group, and nothing is averaged over groups. A row is judged
by the group whose settings are the paper's, if there is one, and by several seeds; else it says "with other settings",
or "not judged" and why. Runs with an upright victim are the control of the others, and never a result of their own.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oleander.judge.words import percent
from oleander.report import ranking
from oleander.report.departures import departures, kind
from oleander.report.metrics import finite, properties_of
from oleander.report.ranking import (
    NOT_JUDGED,
    NOT_REPRODUCED,
    ONE_SEED,
    OTHERWISE,
    REPRODUCED,
    Groups,
    Judged,
    Run,
    named,
    scores_of,
    seeds_of,
    shares,
    spread,
    values,
)
from oleander.report.results import Paper, Result, Row
from oleander.scenario import Scenario

HALF, CLEAR, TENTH = 0.5, 0.25, 0.1
NO_UPRIGHT, NO_WITHOUT = "not judged (no upright run)", "not judged (no run without the property)"
NO_NETWORK = "not judged (no ImageNet network)"
CONTROLS = {
    "J_other": "“not the victim”",
    "J_auxiliary": "the server's own images, turned by any angle",
    "J_real_public": "real images without the property",
}
MEASURES = {"J": "J"} | CONTROLS | {"J_not_owned": "classes not held", "J_real": "the victim's own images"}


def rows(paper: Paper, runs: Sequence[Run]) -> list[Row]:
    """Put runs beside the paper's results; see oleander.report.beside.rows."""
    return [_row(result, [run for run in runs if _covers(result, run[0])]) for result in paper.results]


def _covers(result: Result, scenario: Scenario) -> bool:
    """Say whether a run is of a result's data set and attack."""
    return scenario.task.dataset == result.dataset and kind(scenario) in result.attacks


def _row(result: Result, runs: Sequence[Run]) -> Row:
    """Put the runs that cover a result beside it."""
    seeds = ", ".join(dict.fromkeys(str(scenario.federation.seed) for scenario, _ in runs))
    if not runs:
        return Row(result=result, ours="", seeds="", status="not run")
    if result.judged == "loot":
        return Row(result=result, ours="see the pictures below", seeds=seeds, status="to look at")
    judge: dict[str, Callable[[Result, Groups], Judged]] = {
        "property": _property,
        "score": _score,
        "order": lambda _, groups: ranking.order(groups),
        "effect": lambda _, groups: ranking.effect(groups),
    }
    groups: Groups = {}
    for run in runs:
        groups.setdefault((kind(run[0]), tuple(departures(run[0], result.clients))), []).append(run)
    ours, status = judge[result.judged](result, dict(sorted(groups.items())))
    return Row(result=result, ours=ours, seeds=seeds, status=status)


def _property(_: Result, groups: Groups) -> Judged:
    """Judge pictures: J against its controls, each group by itself, an upright victim beside it."""
    texts, status = [], NOT_JUDGED
    for (_kind, changed), group in groups.items():
        said = [prop for _, verdict in group for _, prop in properties_of(verdict)]
        ours = [one for one in said if not one.get("control")]
        upright = values([one for one in said if one.get("control")], "J")
        measures = {name: values(ours, name) for name in MEASURES}
        if not measures["J"]:
            continue
        word, found = _of_group(measures, upright, group)
        written = [f"{label} {shares(measures[name])}" for name, label in MEASURES.items() if measures[name]]
        written += _classes(ours)
        written.append(f"upright victim {shares(upright)}" if upright else _without(group))
        texts.append(f"{named(changed)}: {word}.\n{'; '.join(written)}")
        status = found if not changed else OTHERWISE if status == NOT_JUDGED else status
    return "\n\n".join(texts), status


def _classes(said: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say of how few of the judged classes there were samples, where it was not of all."""
    counts = [(one["shown_classes"], len(one.get("judged_classes") or ())) for one in said if "shown_classes" in one]
    few, every = min(counts, key=lambda one: one[0] - one[1], default=(0, 0))
    return [f"samples of {few} of {every} classes only"] if few < every else []


def _rotated(group: Sequence[Run]) -> bool:
    """Say whether there can be an upright victim as a control."""
    return any(scenario.task.private is not None and scenario.task.private.kind == "rotated" for scenario, _ in group)


def _seeds(group: Sequence[Run]) -> int:
    """Return how many seeds runs are of that are no controls; runs of other classes may share one."""
    stolen = (
        scenario.federation.seed
        for scenario, verdict in group
        if any(not said.get("control") for _, said in properties_of(verdict))
    )
    return len(set(stolen))


def _without(group: Sequence[Run]) -> str:
    """Say which control is missing."""
    return f"no run with {'an upright victim' if _rotated(group) else 'a victim without the property'}"


def _of_group(
    measures: Mapping[str, Sequence[float]], upright: Sequence[float], group: Sequence[Run]
) -> tuple[str, str]:
    """Return what runs that are set alike show, and what that makes of the paper's result if they are set as it has it.

    What lies too low beside the controls within the runs cannot be shown by one more control; what does not, can only
    be shown with it.
    """
    controls = [*(measures[name] for name in CONTROLS), upright]
    highest = max((sum(found) / len(found) for found in controls if found), default=0.0)
    mean = sum(measures["J"]) / len(measures["J"])
    above, several = mean >= HALF and mean - highest >= CLEAR, _seeds(group) > 1
    if not above:
        return "not shown", NOT_REPRODUCED if several else ONE_SEED
    if not upright:
        return "beside the controls of its runs", NO_UPRIGHT if _rotated(group) else NO_WITHOUT
    return "shown", REPRODUCED if several else ONE_SEED


def _score(result: Result, groups: Groups) -> Judged:
    """Judge an inception score: by ImageNet's network where that was at hand; the judge's own stands beside it."""
    suffix = "_real" if result.metric.endswith("_real") else ""
    texts, status, network = [], OTHERWISE, False
    for (_, changed), group in (seeds_of(groups) if suffix else groups).items():
        found = scores_of(group)
        own, imagenet = values(found, f"is_task{suffix}"), values(found, f"is_imagenet{suffix}")
        if not own:
            continue
        network = network or bool(imagenet)
        by_imagenet = spread(imagenet) if imagenet else "not computed"
        told = [f"by ImageNet's network {by_imagenet}", f"by the judge's {spread(own)}", *_counts(found, suffix)]
        texts.append(f"{named(changed)}: {'; '.join(told)}")
        if not changed and imagenet and result.value is not None:
            near = abs(sum(imagenet) / len(imagenet) - result.value) <= TENTH * result.value
            status = ONE_SEED if len(imagenet) == 1 else REPRODUCED if near else NOT_REPRODUCED
    return "\n".join(texts), status if network else NO_NETWORK if texts else NOT_JUDGED


def _counts(found: Sequence[Mapping[str, Any]], suffix: str) -> list[str]:
    """Say how many images and classes scores are of, and how much was left out of them."""
    ranges = [
        ("images", values(found, f"samples{suffix}")),
        ("classes", values(found, "classes_asked" if suffix else "classes")),
    ]
    told = [
        f"{name} {min(many):.0f}" + (f" to {max(many):.0f}" if max(many) > min(many) else "")
        for name, many in ranges
        if many
    ]
    junk = [share for one in found if (share := finite(one.get(f"junk_share{suffix}"))) is not None]
    return told + ([f"not of this data {percent(sum(junk) / len(junk))}"] if junk else [])

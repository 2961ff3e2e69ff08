"""A paper's results beside ours: what was reproduced, by a rule that stands on the page, and what was not.

A run whose attack is set otherwise than the paper's reproduces nothing, however near its numbers are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from attacks.gan import Options
from oleander.judge.paper import READINGS
from oleander.report import luo, membership_papers, wang
from oleander.report.gather import Gathered
from oleander.report.metrics import finite, named, targets_of, written
from oleander.report.papers import PAPERS, paper
from oleander.report.results import Result, Row
from oleander.scenario import Scenario
from task.settings import to_dict

TOLERANCE = 0.1
HOLDS = 0.02
OTHERWISE = "with other settings"
FREE = ("target", "start_accuracy", "start_round", "noise_early")
"""Options that are no part of the paper's recipe: what is wanted, when it begins, and one that alone does nothing."""

OWN_RULES = {"chen": membership_papers.rows, "luo": luo.rows, "wang": wang.rows, "zhu": membership_papers.rows}
"""By the paper's name, who judges its results."""

Run = tuple[Scenario, Mapping[str, Any]]


def rows(name: str, runs: Sequence[Run]) -> list[Row]:
    """Put runs beside a paper's results.

    Args:
        name: the paper's short name.
        runs: (scenario, verdict) of each run.

    Returns:
        A row for every result of the paper, in its order.

    """
    if name in OWN_RULES:
        return OWN_RULES[name](paper(name), runs)
    return [_row(result, [run for run in runs if run[0].name in result.scenarios]) for result in paper(name).results]


def departures(scenario: Scenario) -> list[str]:
    """Return the options, in words, in which a GAN attack of the scenario differs from Sun's, the attack's defaults."""
    recipe = to_dict(Options(target=0))
    found = [
        f"{name} {entry.options[name]}"
        for entry in scenario.clients
        if entry.attack == "gan"
        for name, default in recipe.items()
        if name not in FREE and name in entry.options and not _same(entry.options[name], default)
    ]
    return list(dict.fromkeys(found))


def _same(ours: Any, theirs: Any) -> bool:
    """Say whether two settings are equal; a list and a tuple may be."""
    return list(ours) == list(theirs) if isinstance(ours, list | tuple) else bool(ours == theirs)


def reproduced(metric: str, theirs: float, ours: float) -> bool:
    """Say whether ours is within a tenth of the paper's number or, where one way is better for a theft, beyond it."""
    if abs(ours - theirs) <= TOLERANCE * abs(theirs):
        return True
    better = named(metric).better
    return (better == "lower" and ours < theirs) or (better == "higher" and ours > theirs)


def quoted(found: Gathered) -> list[tuple[str, str, str, str]]:
    """Return (label, the paper's number, ours, status) for every number that a run's scenario quotes from a paper."""
    values = {name: {"paper": value} for name, value in found.scenario.paper_values.items()}
    lines = []
    for name, pair in (found.verdict.get("paper") or values).items():
        if not isinstance(pair, Mapping):
            continue
        theirs, ours, style = finite(pair.get("paper")), finite(pair.get("ours")), named(name).style
        status = "not judged" if theirs is None or ours is None else _status(reproduced(name, theirs, ours))
        if theirs is not None and ours is not None and departures(found.scenario):
            status = OTHERWISE
        told = written(ours, style) + (_seen([(found.scenario, found.verdict)], name) if ours is not None else "")
        lines.append((named(name).label, written(theirs, style), told, status))
    return lines


def _seen(runs: Sequence[Run], name: str) -> str:
    """Say how many rounds of attack a least value was taken over, and how many the paper had; empty for others."""
    if name not in READINGS or READINGS[name][0] != "paper_style_minimum":
        return ""
    place = (*READINGS[name][:-1], "loot_rounds_seen")
    counts = sorted({int(count) for count in _values(_stolen(runs), place)})
    known = [one.attack_rounds for paper in PAPERS.values() for one in paper.results if one.metric == name]
    theirs = next((f"; the paper's after {count}" for count in known if count), "")
    if not counts:
        return ""
    many = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f" (the least of {many} rounds of loot{theirs})"


def _stolen(runs: Sequence[Run]) -> list[Mapping[str, Any]]:
    """Return the targets of runs that are no controls."""
    return [one for _, verdict in runs for _, _, one in targets_of(verdict) if not one.get("control")]


def _status(yes: bool) -> str:  # noqa: FBT001 - it puts a yes or no into words
    """Put a yes or no into words."""
    return "reproduced" if yes else "not reproduced"


def _row(result: Result, runs: Sequence[Run]) -> Row:
    """Put the runs of a result's scenarios beside it."""
    seeds = ", ".join(str(scenario.federation.seed) for scenario, _ in runs)
    if not runs:
        ours, status = "", "not run"
    elif result.judged == "metric":
        ours, status = _number(result, runs)
    elif result.judged == "stable":
        ours, status = _stable(runs)
    else:
        ours, status = f"see {', '.join(sorted({run[0].name for run in runs}))} below", "to look at"
    changed = sorted({text for scenario, _ in runs for text in departures(scenario)})
    if changed and status in ("reproduced", "not reproduced"):
        ours, status = f"{ours}; with {', '.join(changed)}", OTHERWISE
    return Row(result=result, ours=ours, seeds=seeds, status=status)


def _number(result: Result, runs: Sequence[Run]) -> tuple[str, str]:
    """Judge a number: its mean over the runs' targets, with the range."""
    targets, path = _stolen(runs), READINGS.get(result.metric, (result.metric,))
    found = _values(targets, path)
    if not found or result.value is None:
        return "", "not judged"
    text = f"{named(result.metric).label}: {_spread(found)}{_seen(runs, result.metric)}"
    last = _values(targets, path[1:2]) if path[0] == "paper_style_minimum" else []
    text += f"; last round: {_spread(last)}" if last else ""
    return text, _status(reproduced(result.metric, result.value, sum(found) / len(found)))


def _stable(runs: Sequence[Run]) -> tuple[str, str]:
    """Judge Fig. 7's claim: from the attack's start to the end accuracy holds, and precision, recall and F1 fall."""
    names = ("accuracy", "precision_all", "recall_all", "f1_all")
    texts, outcomes = [], []
    for _, verdict in runs:
        model = verdict.get("global_model") or {}
        start, final = model.get("start") or {}, model.get("final") or {}
        moves = [(finite(start.get(name)), finite(final.get(name))) for name in names]
        changes = [new - old for old, new in moves if old is not None and new is not None]
        if len(changes) < len(names):
            continue
        outcomes.append(changes[0] >= -HOLDS and all(change < 0 for change in changes[1:]))
        said = zip(names, changes, strict=True)
        texts.append(", ".join(f"{named(name).label.lower()} {100 * change:+.1f} points" for name, change in said))
    return ("; ".join(texts), _status(all(outcomes))) if texts else ("", "not judged")


def _values(targets: Sequence[Mapping[str, Any]], path: Sequence[str]) -> list[float]:
    """Return the numbers at the end of a path of keys, where they are."""
    found = []
    for place in targets:
        value: Any = place
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if (number := finite(value)) is not None:
            found.append(number)
    return found


def _spread(values: Sequence[float]) -> str:
    """Write a mean, and the range of several."""
    mean = written(sum(values) / len(values))
    return f"{mean} ({written(min(values))} to {written(max(values))})" if len(values) > 1 else mean

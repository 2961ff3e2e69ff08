"""A paper's results beside ours: what was reproduced, by a rule that stands on the page, and what was not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oleander.report.gather import Gathered
from oleander.report.metrics import finite, named, targets_of, written
from oleander.report.papers import Result, paper

TOLERANCE = 0.1
HOLDS = 0.02
MINIMUM = ("paper_style_minimum", "mse_of_means", "value")
PATHS = {"distance_minimum": MINIMUM, "distance_first": ("first_round", "mse_of_means")}

Run = tuple[str, int, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A result beside ours: `status` is `reproduced`, `not reproduced`, `to look at`, `not judged` or `not run`."""

    result: Result
    ours: str
    seeds: str
    status: str


def rows(name: str, runs: Sequence[Run]) -> list[Row]:
    """Put runs beside a paper's results.

    Args:
        name: the paper's short name.
        runs: (name of the scenario, seed, verdict) of each run.

    Returns:
        A row for every result of the paper, in its order.

    """
    return [_row(result, [run for run in runs if run[0] in result.scenarios]) for result in paper(name).results]


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
        lines.append((named(name).label, written(theirs, style), written(ours, style), status))
    return lines


def _status(yes: bool) -> str:  # noqa: FBT001 - it puts a yes or no into words
    """Put a yes or no into words."""
    return "reproduced" if yes else "not reproduced"


def _row(result: Result, runs: Sequence[Run]) -> Row:
    """Put the runs of a result's scenarios beside it."""
    seeds = ", ".join(str(seed) for _, seed, _ in runs)
    if not runs:
        ours, status = "", "not run"
    elif result.judged == "metric":
        ours, status = _number(result, runs)
    elif result.judged == "stable":
        ours, status = _stable(runs)
    else:
        ours, status = f"see {', '.join(sorted({run[0] for run in runs}))} below", "to look at"
    return Row(result=result, ours=ours, seeds=seeds, status=status)


def _number(result: Result, runs: Sequence[Run]) -> tuple[str, str]:
    """Judge a number: its mean over the runs' targets, with the range."""
    targets = [target for _, _, verdict in runs for _, _, target in targets_of(verdict) if not target.get("control")]
    found = _values(targets, PATHS.get(result.metric, (result.metric,)))
    if not found or result.value is None:
        return "", "not judged"
    text = f"{named(result.metric).label}: {_spread(found)}"
    last = _values(targets, ("mse_of_means",)) if PATHS.get(result.metric) == MINIMUM else []
    text += f"; last round: {_spread(last)}" if last else ""
    return text, _status(reproduced(result.metric, result.value, sum(found) / len(found)))


def _stable(runs: Sequence[Run]) -> tuple[str, str]:
    """Judge Fig. 7's claim: from the attack's start to the end accuracy holds, and precision, recall and F1 fall."""
    names = ("accuracy", "precision_all", "recall_all", "f1_all")
    texts, outcomes = [], []
    for _, _, verdict in runs:
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

"""Chen's and Zhu's results beside ours: whose labels, whose records, and how many labels or made images that takes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oleander.judge.statistics import mean_interval
from oleander.report.def_mia import against
from oleander.report.membership_runs import Asked, every, is_defended, settings_of
from oleander.report.metrics import finite, inquiries_of
from oleander.report.ranking import (
    NOT_JUDGED,
    NOT_REPRODUCED,
    ONE_SEED,
    REPRODUCED,
    Judged,
    Run,
    apart,
    area,
    shares,
    values,
)
from oleander.report.results import Paper, Result, Row
from oleander.scenario import Scenario

USER, CLASS, ASCENT = "user-membership", "class-membership", "gradient-ascent"
POINTS, LOOKED_AT = 0.02, "to look at"
PAPERS = (100, 60)
"""Participants, and the records of each, of Zhu's Table 1."""
UNSEEN = "nothing to show: the attack uses what its generators make and keeps none of it, in no run"
NOT_KEPT = "not judged (no images are kept)"


def rows(paper: Paper, runs: Sequence[Run]) -> list[Row]:
    """Put runs beside the paper's results; see oleander.report.beside.rows."""
    return [_row(result, [run for run in runs if run[0].task.dataset in result.datasets]) for result in paper.results]


def asked(runs: Sequence[Run], attack: str) -> list[Asked]:
    """Return the attackers of one kind, those without a defence alone."""
    return [one for one in every(runs) if one.attack == attack and not is_defended(one.scenario)]


def labels_held(scenario: Scenario) -> int | None:
    """Return how many labels the first participant holds, where whole ones are dealt."""
    settings, clients = scenario.task.partition, scenario.federation.clients
    if settings.kind != "whole-classes":
        return None
    parts = clients if settings.holders is None else len(settings.holders)
    return settings.first_classes or -(-(10 - len(settings.exclude)) // parts)


def _row(result: Result, runs: Sequence[Run]) -> Row:
    """Put the runs of a result's data sets beside it; where no run can show it, say that."""
    if result.judged == "unseen":
        return Row(result=result, ours=UNSEEN, seeds="", status=NOT_KEPT)
    name, _, rest = result.judged.partition(" ")
    known = [run for run in runs if inquiries_of(run[1])]
    ours, status = CHECKS[name](rest, known) if known else ("", "")
    seeds = ", ".join(dict.fromkeys(str(scenario.federation.seed) for scenario, _ in known)) if ours else ""
    return Row(result=result, ours=ours, seeds=seeds, status=status if ours else f"not run on {result.data}")


def _level(found: Sequence[float], theirs: float) -> Judged:
    """Hold shares against the paper's one."""
    if not found:
        return "", NOT_JUDGED
    near = abs(sum(found) / len(found) - theirs) <= POINTS
    return shares(found), ONE_SEED if len(found) == 1 else REPRODUCED if near else NOT_REPRODUCED


def _accuracy(theirs: str, runs: Sequence[Run]) -> Judged:
    found = [(verdict.get("global_model") or {}).get("final") or {} for _, verdict in _one_a_seed(runs)]
    return _level(values(found, "accuracy"), float(theirs))


def _one_a_seed(runs: Sequence[Run]) -> list[Run]:
    """Return of user-level runs without a defence those whose victim holds the fewest labels, one a seed."""
    fitting = [run for run in runs if asked([run], USER) and labels_held(run[0])]
    return list(
        {run[0].federation.seed: run for run in sorted(fitting, key=lambda run: -(labels_held(run[0]) or 0))}.values()
    )


def _labels(metric: str, runs: Sequence[Run]) -> Judged:
    """Compare the fewest and the most labels held."""
    by: dict[int, list[Asked]] = {}
    for one in asked(runs, USER):
        if (count := labels_held(one.scenario)) is not None and one.of("paper"):
            by.setdefault(count, []).append(one)
    if len(by) < 2:  # noqa: PLR2004 - a fall has two ends
        return "", NOT_JUDGED
    write, lines = (area if metric == "auc" else shares), []
    for count, group in sorted(by.items()):
        numbers, trivial = (values([one.of("paper", name) for one in group], metric) for name in ("", "argmax"))
        lines.append(f"{count} labels: {write(numbers)}; the model's argmax {write(trivial)}")
    first, last = (values([one.of("paper") for one in by[count]], metric) for count in (min(by), max(by)))
    return f"{'AUC' if metric == 'auc' else 'true positives'}, protocol paper:\n" + "\n".join(lines), apart(first, last)


def _ascent(_: str, runs: Sequence[Run]) -> Judged:
    """Compare the user-level attack on the fewest labels with gradient ascent, each by its own question."""
    known = [one for one in asked(runs, USER) if labels_held(one.scenario)]
    least = min((labels_held(one.scenario) or 0 for one in known), default=0)
    user = values([one.of("paper") for one in known if labels_held(one.scenario) == least], "balanced_accuracy")
    ascents = settings_of(asked(runs, ASCENT))
    if not user or not ascents:
        return "", NOT_JUDGED
    lines = [f"user level, {least} label{'s' * (least > 1)}, protocol paper: {shares(user)}"]
    for group in ascents:
        rate = f"{_where(group)}, rate {finite(group[0].options.get('rate')) or 0:g}"
        numbers = values([one.of("clean") for one in group], "balanced_accuracy")
        lines += [f"gradient ascent, {rate}, protocol clean: {shares(numbers)}"] if numbers else []
    return "\n".join([*lines, "balanced accuracy of two different questions"]), LOOKED_AT


def _adds(_: str, runs: Sequence[Run]) -> Judged:
    lines = []
    for group in settings_of(asked(runs, USER)):
        numbers = values([one.said["adds"].get("paper") or {} for one in group], "auc")
        lines += [f"{_where(group)}: AUC {_signed(numbers)} beside the strongest baseline"] if numbers else []
    return "\n".join(lines), LOOKED_AT


def _signed(numbers: Sequence[float]) -> str:
    """Write the mean of differences, with the interval over several runs."""
    mean, low, high = mean_interval(numbers)
    return f"{mean:+.2f}" if len(numbers) == 1 else f"{mean:+.2f} ({low:+.2f} to {high:+.2f} over {len(numbers)} runs)"


def _where(group: Sequence[Asked]) -> str:
    """Name a group of runs that are set alike."""
    task, federation = group[0].scenario.task, group[0].scenario.federation
    labels = labels_held(group[0].scenario)
    held = f"{labels} label{'s' * (labels > 1)}" if labels else f"{federation.clients} x {task.partition.images}"
    made = group[0].options.get("enlarge")
    enlarged = f", {made} made images a label" if made is not None and group[0].place == "participant" else ""
    others = group[0].options.get("others")
    enlarged += f", {others:g} others to each" if others else ""
    return f"{task.dataset}, {held}, {group[0].place}, {task.local_epochs} epochs, {federation.rounds} rounds{enlarged}"


def _fresh(_: str, runs: Sequence[Run]) -> Judged:
    lines = []
    for group in settings_of(asked(runs, USER)):
        areas, marked, right = (
            values([one.of("clean") for one in group], name) for name in ("auc", "fp_rate", "tp_rate")
        )
        told = f"marked: {shares(right)} of the members, {shares(marked)} of fresh images"
        lines += [f"{_where(group)}: AUC {area(areas)}; {told}"] if areas else []
    return "\n".join(lines), LOOKED_AT


def _tested(one: Asked, kind: str) -> Mapping[str, Any]:
    """Return what a class-level attacker found when it tested itself: of `all`, or of `real` images alone."""
    found: Mapping[str, Any] = (one.said.get("rehearsal") or {}).get(kind) or {}
    return found


def _thieves(runs: Sequence[Run]) -> list[Asked]:
    """Return the class-level attackers among the participants; a server's shadow tests itself on something else."""
    return [one for one in asked(runs, CLASS) if one.place == "participant" and _tested(one, "all")]


def _own(named: str, runs: Sequence[Run]) -> Judged:
    """Judge a number of what the class-level participant tests by itself, in the paper's federation."""
    metric, theirs = named.split()
    lines, status = [], NOT_JUDGED
    for group in settings_of([one for one in _thieves(runs) if one.options.get("enlarge")]):
        numbers, most = (values([_tested(one, "all") for one in group], name) for name in (metric, "majority"))
        if not numbers:
            continue
        trivial = f"; one answer to everything {shares(most)}" if metric == "accuracy" and most else ""
        lines.append(f"{_where(group)}: {_level(numbers, float(theirs))[0]}{trivial}")
        sizes = (group[0].scenario.federation.clients, group[0].scenario.task.partition.images)
        if sizes == PAPERS and status == NOT_JUDGED:  # the settings with most seeds come first
            status = _level(numbers, float(theirs))[1]
    return "\n".join(lines), status


def _real(_: str, runs: Sequence[Run]) -> Judged:
    lines = []
    for group in settings_of(_thieves(runs)):
        numbers = values([_tested(one, "real") for one in group], "balanced_accuracy")
        lines += [f"{_where(group)}: balanced accuracy {shares(numbers)}"] if numbers else []
    return "\n".join(lines), LOOKED_AT


def _clean(_: str, runs: Sequence[Run]) -> Judged:
    lines = []
    for group in settings_of(asked(runs, CLASS)):
        areas, trivial = (values([one.of("clean", name) for one in group], "auc") for name in ("", "margin-threshold"))
        lines += [f"{_where(group)}: AUC {area(areas)}; the margin's {area(trivial)}"] if areas and trivial else []
    return "\n".join(lines), LOOKED_AT


def _along(place: Callable[[Asked], float], unit: str, key: str) -> Callable[[str, Sequence[Run]], Judged]:
    """Judge whether what the class-level participant tests by itself rises along one setting, all others alike."""

    def check(_: str, runs: Sequence[Run]) -> Judged:
        groups = settings_of(_thieves(runs), key)
        group = max(groups, key=lambda some: len({place(one) for one in some}), default=[])
        by: dict[float, list[Asked]] = {}
        for one in group:
            by.setdefault(place(one), []).append(one)
        if len(by) < 2:  # noqa: PLR2004 - a rise has two ends
            return "", NOT_JUDGED
        own = {at: values([_tested(one, "all") for one in some], "balanced_accuracy") for at, some in by.items()}
        plain = {at: values([_tested(one, "all") for one in some], "accuracy") for at, some in by.items()}
        clean = {at: values([one.of("clean") for one in some], "auc") for at, some in by.items()}
        lines = [
            f"{at:g} {unit}: balanced {shares(own[at])}; plain {shares(plain[at])}; clean AUC {area(clean[at])}"
            for at in sorted(by)
            if own[at] and plain[at] and clean[at]
        ]
        return "\n".join(lines), apart(own[max(by)], own[min(by)])

    return check


CHECKS: dict[str, Callable[[str, Sequence[Run]], Judged]] = {
    "accuracy": _accuracy,
    "labels": _labels,
    "ascent": _ascent,
    "adds": _adds,
    "fresh": _fresh,
    "own": _own,
    "real": _real,
    "clean": _clean,
    "made": _along(
        lambda one: float(finite(one.options.get("enlarge")) or 0), "made images a label", "options.enlarge"
    ),
    "epochs": _along(lambda one: float(one.scenario.task.local_epochs), "epochs", "task.local_epochs"),
    "defended": lambda _, runs: against(every(runs)),
}

"""A run's verdict: everything from the run directory and public data, after the run."""

import math
from collections.abc import Callable
from typing import Any

from oleander import accounting
from oleander.early_noise import disturbed
from oleander.judge import (
    defended,
    figures,
    global_models,
    independent,
    membership,
    paper,
    protected,
    training_set,
    truth,
    victims,
    words,
)
from oleander.judge.assumptions import assumptions
from oleander.judge.cases import Evidence, inquirers, judged
from oleander.rundir import RunDirectory
from oleander.scenario import Scenario
from task.datasets import load_task
from task.files import write_json
from task.membership import declared
from task.partitions import held, reserved
from task.private import as_held

DIGITS = 6
UNITS = (
    "eq6_pairs and mse_of_means: pixels in [0, 1]; nn_rmse, nn_rmse_other, nn_rmse_real, diversity and "
    "owner_advantage: root mean squared difference per pixel, pixels in [-1, 1]; the rest are shares or pure numbers"
)


def judge(
    run: RunDirectory, data: str | None, progress: Callable[[str], None], *, pictures: bool = True
) -> dict[str, Any]:
    """Judge a run; write truth/victim-*.npz where missing, verdict.json and figures/*.png.

    Args:
        run: the run directory, of a finished run or of one that died; what is missing is stated under "missing".
        data: folder of the data sets.
        progress: told in words what is being done.
        pictures: whether to draw the figures, which takes longer than the judging.

    Returns:
        What verdict.json holds, see `plain`.

    Raises:
        SettingsError: where the data set cannot be read.

    """
    scenario = run.scenario
    dataset = load_task(scenario.task, data)
    holding = held(dataset, scenario.task, scenario.federation.clients, scenario.federation.seed)
    victim = victims.find(dataset, scenario.task, holding)
    progress("Training the judge, or fetching it")
    folder = training_set.cache_folder()
    appointed = independent.appoint(dataset, holding, victim, scenario.federation.seed, folder)
    evidence = Evidence(dataset=dataset, holding=holding, victim=victim, judge=appointed)
    found = judged(run, evidence, progress)
    asked = _asked(run, evidence, progress)
    unread: list[str] = []
    published = defended.judged(run, evidence, folder, progress, unread)
    owners = {one for each in found.values() for t in each.truths.values() for one in t.owners}
    owners |= {int(who.removeprefix("client-")) for who in published}
    truth.keep(run.path / "truth", as_held(dataset, scenario.task, holding), holding, owners)
    parts = {who: one.verdict for who, one in found.items()} | {who: one.verdict for who, one in asked.items()}
    names = dict(sorted(parts.items()))
    begun = [one["start_round"] for one in names.values()]
    start = min((number for number in begun if number is not None), default=None)
    progress("Judging the global models")
    points = global_models.checkpoints(run, scenario.task, dataset, start)
    verdict: dict[str, Any] = {
        "scenario": scenario.name,
        "seed": scenario.federation.seed,
        "headline": words.headline(names),
        "attackers": names,
        "defended": published,
        "protected": protected.judged(run),
        "global_model": global_models.numbers(run, points, start)
        | {"before_attack_is": words.of_the_rounds_before(noise=disturbed(scenario))},
        "judge": appointed.facts,
        "units": UNITS,
        "assumptions": assumptions(scenario),
        "privacy": accounting.accounts(scenario, run.rounds()),
        "missing": [
            *_missing(run, scenario, points),
            *appointed.missing,
            *(line for one in found.values() for line in one.missing),
            *(line for one in asked.values() for line in one.missing),
            *unread,
        ],
    }
    verdict["paper"] = paper.beside(scenario.paper_values, verdict)
    settled: dict[str, Any] = plain(verdict)
    write_json(run.path / "verdict.json", settled)
    if pictures:
        progress("Drawing the figures")
        figures.draw(run, found, points, start, dataset.classes, asked=asked)
    return settled


def _asked(run: RunDirectory, evidence: Evidence, progress: Callable[[str], None]) -> dict[str, membership.Judged]:
    """Judge every membership attacker."""
    scenario = run.scenario
    settings, seed = scenario.membership, scenario.federation.seed
    if settings is None:
        return {}
    apart = reserved(evidence.dataset, scenario.task, scenario.federation.clients, seed)
    told = membership.truth(run, evidence.dataset, settings, evidence.holding, seed, apart=apart)
    labels = evidence.dataset.train.labels[told.image]
    told_labels = declared(evidence.dataset, evidence.holding) if settings.declared else {}
    return {
        who: membership.judge(
            run, who, attack, settings, told, labels=labels, declared=told_labels, seed=seed, progress=progress
        )
        for who, attack in inquirers(scenario).items()
    }


def plain(value: Any) -> Any:
    """Return nested plain values as they are written: rounded, and None for NaN and infinity, which JSON does not know.

    How a sum is cut into pieces, and with it a last digit, may differ from one process to the next: rounded to DIGITS
    significant ones, far more than any of the numbers is good for, a second judging gives the same file.
    """
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if not isinstance(value, float):
        return value
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def _missing(run: RunDirectory, scenario: Scenario, points: global_models.Checkpoints) -> list[str]:
    """Say what a complete run would have had."""
    done, planned = len(run.rounds()), scenario.federation.rounds
    found = [f"{done} of {planned} rounds are on record."] if done < planned else []
    for point, name in (("first", "initial"), ("final", "final")):
        if point not in points.answers:
            found.append(f"There is no {name} global model.")
    return found

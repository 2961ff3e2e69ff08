"""A run's verdict: everything from the run directory and public data, after the run."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from oleander.early_noise import disturbed, sends_early_noise
from oleander.judge import (
    attackers,
    classifier,
    figures,
    global_models,
    model_metrics,
    paper,
    training_set,
    truth,
    words,
)
from oleander.judge.assumptions import assumptions
from oleander.judge.classifier import Judge
from oleander.rundir import RunDirectory
from oleander.scenario import Scenario
from server_app.record import write_json
from task import private
from task.datasets import Dataset, load_task, to_float
from task.partitions import held
from task.seeding import generator

UNITS = (
    "eq6_pairs and mse_of_means: pixels in [0, 1]; nn_rmse, nn_rmse_other, nn_rmse_real, diversity and "
    "owner_advantage: root mean squared difference per pixel, pixels in [-1, 1]; the rest are shares or pure numbers"
)


def judge(run: RunDirectory, data: str | None, progress: Callable[[str], None]) -> dict[str, Any]:
    """Judge a run; write truth/victim-*.npz where missing, verdict.json and figures/*.png.

    Args:
        run: the run directory, of a finished run or of one that died; what is missing is stated under "missing".
        data: folder of the data sets.
        progress: told in words what is being done.

    Returns:
        What verdict.json holds: plain values, None for what is not a number.

    Raises:
        SettingsError: where the data set cannot be read.

    """
    scenario = run.scenario
    dataset = load_task(scenario.task, data)
    holding = held(dataset, scenario.task, scenario.federation.clients, scenario.federation.seed)
    progress("Training the judge, or fetching it")
    model, facts = _independent_judge(scenario, dataset, holding)
    real = private.as_held(dataset, scenario.task, holding)
    found = [attackers.judge_attacker(run, attacker, progress) for attacker in _attackers(run, real, holding, model)]
    truth.keep(
        run.path / "truth", real, holding, {one for each in found for t in each.truths.values() for one in t.owners}
    )
    start = min((one.verdict["start_round"] for one in found if one.verdict["start_round"] is not None), default=None)
    progress("Judging the global models")
    points = global_models.checkpoints(run, scenario.task, dataset, start)
    names = {one: each.verdict for one, each in zip(_names(run), found, strict=True)}
    verdict: dict[str, Any] = {
        "scenario": scenario.name,
        "seed": scenario.federation.seed,
        "headline": words.headline(names),
        "attackers": names,
        "global_model": global_models.numbers(run, points, start)
        | {"before_attack_is": words.of_the_rounds_before(noise=disturbed(scenario))},
        "judge": facts,
        "units": UNITS,
        "assumptions": assumptions(scenario),
        "missing": _missing(run, scenario, points) + [line for each in found for line in each.missing],
    }
    verdict["paper"] = paper.beside(scenario.paper_values, verdict)
    plain: dict[str, Any] = without_nan(verdict)
    write_json(run.path / "verdict.json", plain)
    progress("Drawing the figures")
    figures.draw(run, dict(zip(names, found, strict=True)), points, start, dataset.classes)
    return plain


def without_nan(value: Any) -> Any:
    """Return nested plain values with None in place of NaN and infinity, which JSON does not know."""
    if isinstance(value, dict):
        return {key: without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _names(run: RunDirectory) -> list[str]:
    """Return the attackers' names: those of the scenario, and whoever left loot."""
    return sorted({f"client-{client}" for client in run.scenario.malicious()} | set(run.loot()))


def _attackers(run: RunDirectory, dataset: Dataset, holding: dict[int, Any], model: Judge) -> list[attackers.Attacker]:
    """Return whom to judge."""
    scenario = run.scenario
    seed, weights = scenario.federation.seed, run.global_model()
    final = model_metrics.rebuild(scenario.task, dataset.shape, len(dataset.classes), weights) if weights else None
    found = []
    for who in _names(run):
        number = who.removeprefix("client-")
        client = int(number) if number.isdigit() else None
        entry = scenario.role_of(client) if client is not None else None
        wanted = entry.options.get("target", ()) if entry else ()

        def reveal(label: int, client: int | None = client) -> truth.Truth:
            return truth.reveal(dataset, holding, label, client, seed)

        found.append(
            attackers.Attacker(
                who=who,
                attack=(entry.attack if entry else None) or "unknown",
                wanted=tuple(wanted) if isinstance(wanted, list | tuple) else (wanted,),
                names=dataset.classes,
                truth=reveal,
                model=model,
                global_model=final,
                shape=dataset.shape,
                early_noise=entry is not None and sends_early_noise(entry),
                seed=seed,
            )
        )
    return found


def _independent_judge(scenario: Scenario, dataset: Dataset, holding: dict[int, Any]) -> tuple[Judge, dict[str, Any]]:
    """Return the judge and its part of verdict.json."""
    taken = training_set.together(holding)
    chosen = training_set.choose(dataset.train.labels, len(dataset.classes), taken, scenario.federation.seed)
    model = training_set.trained(dataset, chosen.indices, classifier.Settings(), training_set.cache_folder())
    draw = generator(scenario.federation.seed, "judge", "examination")
    trust = classifier.examine(model, to_float(dataset.test.images), dataset.test.labels, draw)
    facts = dataclasses.asdict(trust) | {
        "classifier": "small convolutional network with a class more, 'not of this data'",
        "trained_on": chosen.words(dataset.classes),
        "images": len(chosen.indices),
        "held_images": chosen.held,
    }
    return model, facts


def _missing(run: RunDirectory, scenario: Scenario, points: global_models.Checkpoints) -> list[str]:
    """Say what a complete run would have had."""
    done, planned = len(run.rounds()), scenario.federation.rounds
    found = [f"{done} of {planned} rounds are on record."] if done < planned else []
    for point, name in (("first", "initial"), ("final", "final")):
        if point not in points.answers:
            found.append(f"There is no {name} global model.")
    return found

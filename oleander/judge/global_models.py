"""The global model at three points of a run: untrained, before the attack, and at the end."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from oleander.judge import model_metrics
from oleander.rundir import RunDirectory
from server_app.app import evaluation_set
from task.datasets import Dataset
from task.settings import TaskSettings
from task.training import logits

POINTS = ("first", "start", "final")


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoints:
    """What was found.

    Attributes:
        answers: logits float32 [N, outputs] on the test set by point, for those that were kept.
        rounds: round by point; None for the final model.
        labels: int64 [N] of the test set.

    """

    answers: dict[str, Tensor]
    rounds: dict[str, int | None]
    labels: Tensor


def checkpoints(run: RunDirectory, task: TaskSettings, dataset: Dataset, start: int | None) -> Checkpoints:
    """Ask the kept global models about the test set.

    Args:
        run: the run directory.
        task: what it learned.
        dataset: its data.
        start: round in which the attack began; the model at the start is the last one kept before it.

    """
    kept = run.global_rounds()
    before = [number for number in kept if start is not None and 0 < number < start]
    rounds: dict[str, int | None] = {"first": 0} if 0 in kept else {}
    if before:
        rounds["start"] = before[-1]
    rounds["final"] = None
    images, labels = evaluation_set(dataset, task)
    answers = {}
    for point, number in rounds.items():
        weights = run.global_model(number)
        if weights is not None:
            model = model_metrics.rebuild(task, dataset.shape, len(dataset.classes), weights)
            answers[point] = logits(model, images)
    return Checkpoints(answers=answers, rounds=rounds, labels=labels)


def numbers(run: RunDirectory, points: Checkpoints, start: int | None) -> dict[str, Any]:
    """Return the global model's part of verdict.json."""
    metrics = {
        point: model_metrics.metrics(answers, points.labels) | {"round": points.rounds[point]}
        for point, answers in points.answers.items()
    }
    areas = {
        point: {str(label): area for label, area in model_metrics.aucs(answers, points.labels).items()}
        for point, answers in points.answers.items()
    }
    before, after = model_metrics.before_and_after(run.rounds(), start)
    return metrics | {"before_attack": before, "after_attack": after, "auc": areas}

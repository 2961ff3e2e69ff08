"""The global model before and after: Sun's Fig. 6 (ROC, AUC per class) and Fig. 7 (accuracy, precision, recall, F1)."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from task.models import build
from task.seeding import generator
from task.settings import TaskSettings
from task.training import score

NAMES = ("accuracy", "loss", "precision", "recall", "f1", "precision_all", "recall_all", "f1_all")
Curve = tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]


def rebuild(task: TaskSettings, shape: tuple[int, int, int], classes: int, weights: Mapping[str, Tensor]) -> nn.Module:
    """Return the shared model with these weights, in evaluation mode."""
    model = build(task.model, shape, task.outputs or classes, generator(0))
    model.load_state_dict(dict(weights))
    return model.eval()


def metrics(answers: Tensor, labels: Tensor) -> dict[str, float]:
    """Return task.training.Evaluation of logits [N, outputs] as a mapping."""
    return asdict(score(answers, labels))


def aucs(answers: Tensor, labels: Tensor) -> dict[int, float]:
    """Return the area under the ROC curve of each class, one against the rest, by its probability.

    Args:
        answers: logits float32 [N, outputs].
        labels: int64 [N].

    Returns:
        From 0 to 1 by class, 0.5 for guessing; NaN where all labels are the same. Classes without images are left out.

    """
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415  # takes two seconds

    found = {}
    for label in sorted(set(labels.tolist())):
        positive = (labels == label).numpy()
        found[label] = math.nan if positive.all() else float(roc_auc_score(positive, _scores(answers, label)))
    return found


def roc_curves(answers: Tensor, labels: Tensor) -> dict[int, Curve]:
    """Return (false positive rate, true positive rate) by class for which there is a curve; see `aucs`."""
    from sklearn.metrics import roc_curve  # noqa: PLC0415  # takes two seconds

    found = {}
    for label in sorted(set(labels.tolist())):
        positive = (labels == label).numpy()
        if not positive.all():
            false, true, _ = roc_curve(positive, _scores(answers, label))
            found[label] = (false, true)
    return found


def _scores(answers: Tensor, label: int) -> "np.ndarray[Any, Any]":
    """Return log(p / (1 - p)) of a class: in the order of p, but without the ties near 0 and 1 that rounding makes."""
    answers = answers.double()
    rest = torch.cat([answers[:, :label], answers[:, label + 1 :]], 1)
    return (answers[:, label] - rest.logsumexp(1)).numpy()


def means(lines: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the mean of every metric over the lines of rounds.jsonl that have it as a finite number.

    And their number as `rounds`, and `accuracy_swing`, the mean change of accuracy from one line to the next, whichever
    way; empty without lines.
    """
    if not lines:
        return {}
    found: dict[str, float] = {"rounds": len(lines)}
    for name in NAMES:
        values = [x for line in lines if isinstance(x := line.get(name), int | float) and math.isfinite(x)]
        if values:
            found[name] = sum(values) / len(values)
        if name == "accuracy" and len(values) > 1:
            moves = [abs(new - old) for old, new in itertools.pairwise(values)]
            found["accuracy_swing"] = sum(moves) / len(moves)
    return found


def before_and_after(
    lines: Sequence[Mapping[str, Any]], start: int | None
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the means over the rounds before `start` and from it on: its model is the first to be poisoned."""
    if start is None:
        return means(lines), {}
    before = [line for line in lines if line.get("round", 0) < start]
    return means(before), means([line for line in lines if line.get("round", 0) >= start])

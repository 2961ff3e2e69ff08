"""ROC, AUC and means against scikit-learn and by hand."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from oleander.judge import model_metrics


def test_auc_is_that_of_the_probability() -> None:
    """As scikit-learn has it for softmax outputs, class by class; a class without images has none."""
    draw = torch.Generator().manual_seed(0)
    answers, labels = torch.randn(60, 4, generator=draw), torch.randint(3, (60,), generator=draw)
    probabilities = answers.double().softmax(1).numpy()
    found = model_metrics.aucs(answers, labels)
    assert list(found) == [0, 1, 2]
    for label, area in found.items():
        assert area == pytest.approx(roc_auc_score((labels == label).numpy(), probabilities[:, label]))


def test_certain_answers_keep_their_order() -> None:
    """Probabilities that float32 rounds to 1 tie (AUC 0.5); their log odds do not."""
    answers, labels = torch.tensor([[90.0, 0.0], [80.0, 0.0]]), torch.tensor([0, 1])
    assert answers.softmax(1)[:, 0].tolist() == [1, 1]
    assert model_metrics.aucs(answers, labels) == {0: 1.0, 1: 1.0}


def test_one_class_alone_has_no_curve() -> None:
    """There is nothing to tell it from."""
    answers = torch.zeros(3, 2)
    assert math.isnan(model_metrics.aucs(answers, torch.zeros(3, dtype=torch.int64))[0])
    assert model_metrics.roc_curves(answers, torch.zeros(3, dtype=torch.int64)) == {}


def test_a_roc_curve_encloses_its_auc() -> None:
    """By the trapezoid rule."""
    draw = torch.Generator().manual_seed(3)
    answers, labels = torch.randn(40, 3, generator=draw), torch.randint(3, (40,), generator=draw)
    areas = model_metrics.aucs(answers, labels)
    for label, (false, true) in model_metrics.roc_curves(answers, labels).items():
        assert np.trapezoid(true, false) == pytest.approx(areas[label])


def test_the_round_in_which_the_attack_begins_counts_as_after() -> None:
    """Its global model is the first with the attacker's poison in it."""
    lines = [{"round": number, "accuracy": number / 10} for number in (1, 2, 3, 4)]
    before, after = model_metrics.before_and_after(lines, 3)
    swing = {"accuracy_swing": pytest.approx(0.1)}
    assert before == {"rounds": 2, "accuracy": pytest.approx(0.15)} | swing
    assert after == {"rounds": 2, "accuracy": pytest.approx(0.35)} | swing
    assert model_metrics.before_and_after(lines, None) == ({"rounds": 4, "accuracy": pytest.approx(0.25)} | swing, {})
    assert model_metrics.means([]) == {}

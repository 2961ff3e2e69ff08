"""ROC numbers against closed forms, against scikit-learn's, and by hand."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, precision_score, roc_auc_score

from oleander.judge import rates

NORMAL = NormalDist()


def gaussians(distance: float, count: int, seed: int = 0) -> tuple[rates.Floats, rates.Bools]:
    """Return scores of `count` members, N(distance, 1), and as many others, N(0, 1), and who is who."""
    draws = np.random.default_rng(seed)
    scores = np.concatenate([draws.normal(distance, 1, count), draws.normal(0, 1, count)])
    return scores, np.arange(2 * count) < count


@pytest.mark.parametrize("distance", [0.0, 0.5, 1.0, 2.0])
def test_two_gaussians_have_the_auc_and_the_rates_of_their_closed_forms(distance: float) -> None:
    """AUC = Phi(d / sqrt 2); TPR at FPR a = Phi(d + Phi^-1(a)); balanced accuracy at d / 2 = Phi(d / 2)."""
    scores, member = gaussians(distance, 40_000)
    found = rates.curve(scores, member)
    said = rates.decisions(scores > distance / 2, member)
    assert roc_auc_score(member, scores) == pytest.approx(NORMAL.cdf(distance / math.sqrt(2)), abs=0.006)
    for rate in (0.01, 0.001):
        assert rates.at(found, rate) == pytest.approx(NORMAL.cdf(distance + NORMAL.inv_cdf(rate)), abs=0.015)
    assert said["balanced_accuracy"] == pytest.approx(NORMAL.cdf(distance / 2), abs=0.006)


def test_the_numbers_are_those_of_scikit_learn_and_the_interval_holds_the_truth() -> None:
    """AUC, precision and F1 are scikit-learn's; the interval covers Phi(d / sqrt 2) and is as wide as it has to be."""
    scores, member = gaussians(1.0, 400)
    marked = scores > 0.5
    found = rates.numbers(scores, marked, member, rates.bootstrap(scores, marked, member, np.random.default_rng(1)))
    truth = NORMAL.cdf(1 / math.sqrt(2))
    assert found["auc"] == pytest.approx(roc_auc_score(member, scores))
    assert found["precision"] == pytest.approx(precision_score(member, marked))
    assert found["f1"] == pytest.approx(f1_score(member, marked))
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(member, marked))
    assert found["auc_low"] < truth < found["auc_high"]
    # Hanley and McNeil (1982): the standard error of an AUC, here 0.0153
    q1, q2 = truth / (2 - truth), 2 * truth**2 / (1 + truth)
    error = math.sqrt((truth * (1 - truth) + 399 * (q1 - truth**2) + 399 * (q2 - truth**2)) / 400**2)
    assert found["auc_high"] - found["auc_low"] == pytest.approx(2 * 1.96 * error, rel=0.12)


def test_a_draw_is_weighed_as_scikit_learn_weighs_it_even_where_scores_tie() -> None:
    """The bootstrap's AUC of many draws scatters about scikit-learn's AUC of tied scores, with half for a tie."""
    draws = np.random.default_rng(3)
    member = np.arange(300) < 150
    scores = draws.integers(0, 4, 300) + member.astype(float)
    spread = rates.bootstrap(scores, scores > 2, member, draws)
    assert spread["auc"].mean() == pytest.approx(roc_auc_score(member, scores), abs=0.003)
    assert spread["balanced_accuracy"].mean() == pytest.approx(balanced_accuracy_score(member, scores > 2), abs=0.003)


def test_the_rates_by_hand() -> None:
    """Three members and two others: the two highest are members, then another one, then a member and an other tie."""
    scores, member = np.array([5.0, 4.0, 3.0, 2.0, 2.0]), np.array([True, True, False, True, False])
    found = rates.curve(scores, member)
    assert rates.at(found, 0.01) == pytest.approx(2 / 3)
    assert rates.at(found, 0.5) == pytest.approx(2 / 3)
    assert rates.at(found, 1.0) == 1
    said = rates.decisions(scores > 2, member)
    assert said == pytest.approx(
        {
            "balanced_accuracy": (2 / 3 + 1 / 2) / 2,
            "accuracy": 3 / 5,
            "precision": 2 / 3,
            "recall": 2 / 3,
            "f1": 2 / 3,
            "tp_rate": 2 / 3,
            "fn_rate": 1 / 3,
            "fp_rate": 1 / 2,
            "tn_rate": 1 / 2,
        }
    )


def test_shuffled_membership_gives_a_half_within_the_interval() -> None:
    """Perfect scores say nothing of a truth that was drawn anew: of 40 shuffles, nearly all intervals hold 0.5."""
    scores, member = gaussians(3.0, 200)
    draws = np.random.default_rng(5)
    found = []
    for _ in range(40):
        lots = draws.permutation(member)
        found.append(rates.numbers(scores, scores > 1, lots, rates.bootstrap(scores, scores > 1, lots, draws)))
    assert sum(one["auc_low"] <= 0.5 <= one["auc_high"] for one in found) >= 35
    assert np.mean([one["auc"] for one in found]) == pytest.approx(0.5, abs=0.02)


def test_no_interval_is_given_where_the_draws_fail() -> None:
    """At 1 % of 2,000 others twenty decide, at 0.1 % two: no draw goes beyond the largest of them."""
    scores, member = gaussians(1.0, 2000)
    said = rates.numbers(
        scores, scores > 0, member, rates.bootstrap(scores, scores > 0, member, np.random.default_rng(2))
    )
    assert said["tpr_at_1pc_low"] <= said["tpr_at_1pc"] <= said["tpr_at_1pc_high"]
    assert np.isnan([said["tpr_at_01pc_low"], said["tpr_at_01pc_high"]]).all()
    assert said["tpr_at_01pc"] > 0


def test_two_methods_are_compared_on_the_same_draws() -> None:
    """Scores and their cubes rank alike, so that every draw of records gives both the same AUC."""
    scores, member = gaussians(1.0, 50)
    first, second = (
        rates.bootstrap(values, scores > 0, member, np.random.default_rng(2))["auc"] for values in (scores, scores**3)
    )
    assert np.array_equal(first, second)
    other = rates.bootstrap(-scores, scores > 0, member, np.random.default_rng(2))["auc"]
    assert np.allclose(first + other, 1)


def test_nothing_marked_has_no_precision() -> None:
    """Who marks nobody has a balanced accuracy of a half and no precision."""
    said = rates.decisions(np.zeros(4, dtype=bool), np.array([True, True, False, False]))
    assert said["balanced_accuracy"] == 0.5
    assert math.isnan(said["precision"])

"""Intervals and the owner test against scipy and cases whose answer is known."""

import pytest
import scipy.stats
import torch

from oleander.judge.statistics import mean_interval, owner_test, share_interval, wilson


@pytest.mark.parametrize(("hits", "count"), [(0, 10), (7, 10), (60, 60), (1, 1000)])
def test_the_interval_is_wilsons(hits: int, count: int) -> None:
    """As scipy has it."""
    expected = scipy.stats.binomtest(hits, count).proportion_ci(0.95, method="wilson")
    assert wilson(hits, count) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_of_nothing_nothing_is_known() -> None:
    """No samples leave every share possible."""
    assert wilson(0, 0) == (0.0, 1.0)


def test_loot_that_knows_the_owners_records_is_found_out() -> None:
    """Distance 0 to the owner's ten and 1 to ten others: no other lot does as well, p is the least there is."""
    owned = torch.arange(20) < 10
    distances = torch.where(owned, 0.0, 1.0).expand(5, 20)
    advantage, p = owner_test(distances, owned, 99, torch.Generator().manual_seed(0))
    assert advantage == 1
    assert p == pytest.approx(0.01)


def test_loot_that_knows_the_class_alone_is_not() -> None:
    """Of 40 such cases about 5 % fall below p = 0.05, since any lot would do as well."""
    draw = torch.Generator().manual_seed(0)
    owned = torch.arange(30) < 15
    found = [owner_test(torch.rand(6, 30, generator=draw), owned, 99, draw)[1] for _ in range(40)]
    assert sum(p < 0.05 for p in found) <= 6
    assert 0.3 < sum(found) / len(found) < 0.7


def test_the_interval_of_runs_is_students() -> None:
    """As scipy has it; of one run nothing is known but its value."""
    values = [0.5, 0.7, 0.9]
    expected = scipy.stats.t.interval(0.95, 2, loc=0.7, scale=scipy.stats.sem(values))
    assert mean_interval(values) == pytest.approx((0.7, *expected))
    assert mean_interval([0.5]) == (0.5, -float("inf"), float("inf"))


def test_equal_shares_are_no_surer_than_their_images() -> None:
    """Three runs with 36 of 36 each: Wilson's interval of 108 of 108 begins at 0.9656; it never leaves [0, 1]."""
    mean, low, high = share_interval([1.0, 1.0, 1.0], 36)
    assert (mean, high) == (1.0, 1.0)
    assert low == pytest.approx(0.9656, abs=1e-4)
    wide, student = share_interval([0.0, 0.0, 0.05], 100), mean_interval([0.0, 0.0, 0.05])
    assert student[1] < 0
    assert wide == (student[0], 0.0, student[2])

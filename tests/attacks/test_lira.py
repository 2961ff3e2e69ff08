"""The likelihood ratio of LiRA against SciPy's normal densities."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from attacks.lira import Options, halves, likelihood_ratio
from task.seeding import generator

SHADOWS = torch.tensor([[4.0, 0.0], [6.0, 2.0], [1.0, 1.0], [3.0, 9.0]], dtype=torch.float64)
INSIDE = torch.tensor([[True, False], [True, False], [False, False], [False, True]])


def test_the_ratio_is_that_of_two_normal_densities_of_fixed_variance() -> None:
    """Means by record; variances over all: in 2 / 1 (the record seen once counts for none), out (2 + 2) / 3."""
    found = torch.tensor([4.5, 5.0], dtype=torch.float64)
    expected = [
        norm.logpdf(one, within, np.sqrt(2.0)) - norm.logpdf(one, without, np.sqrt(4 / 3))
        for one, within, without in ((4.5, 5.0, 2.0), (5.0, 9.0, 1.0))
    ]
    assert likelihood_ratio(found, SHADOWS, INSIDE).tolist() == pytest.approx(expected)


def test_a_record_that_no_shadow_has_seen_gets_the_usual_distance() -> None:
    """The first record's means are 5 and 2; the second, of which all shadows say 1, is taken to be at 4 inside."""
    inside = torch.tensor([[True, False], [True, False], [False, False], [False, False]])
    shadows = torch.tensor([[4.0, 1.0], [6.0, 1.0], [1.0, 1.0], [3.0, 1.0]], dtype=torch.float64)
    scores = likelihood_ratio(torch.tensor([5.0, 4.0], dtype=torch.float64), shadows, inside)
    scale = np.sqrt(2.0), np.sqrt(2.0 / 4)
    expected = norm.logpdf(4.0, 4.0, scale[0]) - norm.logpdf(4.0, 1.0, scale[1])
    assert scores[1].item() == pytest.approx(expected)


@pytest.mark.parametrize(("most", "inside"), [(None, 10), (3, 3)])
def test_a_record_is_in_half_of_the_shadows(most: int | None, inside: int) -> None:
    """By pairs of halves, each with the same number; in fewer where a participant holds less."""
    shadows = torch.stack(list(halves(20, most, Options(shadows=6), generator(0))))
    assert shadows.sum(1).tolist() == [inside] * 6
    for first, second in zip(shadows[::2], shadows[1::2], strict=True):
        assert not (first & second).any()
    if most is None:
        assert (shadows.sum(0) == 3).all()

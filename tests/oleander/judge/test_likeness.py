"""Representatives of known worth."""

import math

import pytest
import torch
from torch import Tensor

from oleander.judge import likeness
from oleander.judge.victims import Belongings


def grey(*levels: float) -> Tensor:
    """Return images 1x2x2 of one grey each."""
    return torch.tensor(levels).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)


TRUTH = Belongings(
    images=grey(0.0, 0.4, 1.0, 1.0), labels=torch.tensor([0, 1, 2, 2]), client=torch.tensor([3, 3, 5, 5])
)


def test_distances_are_to_the_means() -> None:
    """Client 3's images average 0.2, client 5's 1: representatives of 0.1 and 0.5 average 0.3."""
    given = Belongings(images=grey(0.1, 0.5), labels=torch.tensor([0, 1]), client=torch.tensor([3, 3]))
    found = likeness.of_clients(given, TRUTH, 3)["3"]
    assert found["images"] == 2
    assert found["rmse_to_mean"] == pytest.approx(0.1)
    assert found["rmse_to_other_means"] == pytest.approx(0.7)
    assert found["nearest_mean"] == 3
    assert found["rmse_to_class_means"] == pytest.approx(0.1)


def test_labels_agree_by_their_shares() -> None:
    """Three of 0 and one of 2, where half are 0 and half are 1: a half agrees, three quarters are held."""
    given = Belongings(images=grey(*[0.2] * 4), labels=torch.tensor([0, 0, 0, 2]), client=torch.full((4,), 3))
    found = likeness.of_clients(given, TRUTH, 3)["3"]
    assert found["label_agreement"] == pytest.approx(0.5)
    assert found["labels_held"] == pytest.approx(0.75)


def test_a_label_that_is_not_held_has_no_class_mean() -> None:
    """Client 5 holds only 2: a representative labelled 0 is near its mean image, and to no class of its."""
    given = Belongings(images=grey(1.0), labels=torch.tensor([0]), client=torch.tensor([5]))
    found = likeness.of_clients(given, TRUTH, 3)["5"]
    assert found["rmse_to_mean"] == 0
    assert found["labels_held"] == 0
    assert math.isnan(found["rmse_to_class_means"])


def test_who_holds_nothing_is_left_out() -> None:
    """There is no truth about client 9."""
    given = Belongings(images=grey(1.0), labels=torch.tensor([0]), client=torch.tensor([9]))
    assert likeness.of_clients(given, TRUTH, 3) == {}

"""The labels that an update gives away, against the truth."""

import pytest
import torch
from local_training import SHAPE, linear, problem, step

from attacks.representatives import labels
from task.seeding import generator
from task.settings import SettingsError


@pytest.mark.parametrize("counts", [[12, 0, 0, 0], [7, 5, 0, 0], [4, 4, 4, 0], [0, 9, 0, 3], [0, 0, 6, 6]])
def test_labels_of_a_model_without_opinions_are_exact(counts: list[int]) -> None:
    """One step from all-zero weights moves the bias by n_c / n - 1 / C: classes above the mean are counted exactly."""
    model = linear(4)
    model.load_state_dict({name: torch.zeros_like(part) for name, part in model.state_dict().items()})
    known = torch.arange(4).repeat_interleave(torch.tensor(counts))
    update = step(model, torch.rand(12, *SHAPE, dtype=torch.float64, generator=generator(15)), known)
    assert torch.bincount(labels(update, 12), minlength=4).tolist() == counts
    assert len(labels(update, 5)) == 5


@pytest.mark.parametrize(("trained", "most"), [(0, 0.1), (5, 0.2), (20, 0.3)])
def test_labels_of_random_clients_are_mostly_right(trained: int, most: float) -> None:
    """Clients of three random classes, by a fresh model, one that learns and one that has learned.

    At most so large a share of the labels is wrong, by the counts of the truth; of labels drawn blindly it is 0.7.
    """
    _, updates, truth = problem(20, trained=trained)
    wrong = 0.0
    for client, update in updates.items():
        counted = torch.bincount(labels(update, 30), minlength=10)
        wrong += (counted - torch.bincount(truth[client].labels, minlength=10)).abs().sum().item() / 60
    assert wrong / len(updates) < most


@pytest.mark.parametrize("batch_size", [30, 5])
def test_a_client_of_one_class_is_read_without_error(batch_size: int) -> None:
    """In one step or in several, all labels are the class that it holds."""
    _, updates, truth = problem(5, held=1, batch_size=batch_size)
    for client, update in updates.items():
        assert labels(update, 10).unique().tolist() == truth[client].labels.unique().tolist()


def test_labels_are_dealt_by_largest_remainder() -> None:
    """Shares of 1/2, 1/4 and 1/4 of 3 images are 1.5, 0.75 and 0.75: one each; of 2, ties go to the lower class."""
    update = {"3.bias": torch.tensor([3.0, 1.0, 1.0, -1.0]), "3.weight": torch.zeros(4, 2)}
    assert labels(update, 3).tolist() == [0, 1, 2]
    assert labels(update, 2).tolist() == [0, 1]


def test_a_last_layer_without_bias_is_refused_with_what_is_needed() -> None:
    """The text says that labels are read from that bias."""
    update = step(linear(4, bias=False), torch.zeros(1, *SHAPE, dtype=torch.float64), torch.tensor([0]))
    with pytest.raises(SettingsError, match="last layer is linear and has a bias"):
        labels(update, 10)


def test_the_last_layer_is_the_one_of_the_highest_number() -> None:
    """Numbers are compared as numbers: layer 10 comes after layer 9."""
    update = {"10.bias": torch.tensor([-1.0, 1.0]), "9.bias": torch.tensor([1.0, -1.0])}
    assert labels(update, 2).tolist() == [1, 1]

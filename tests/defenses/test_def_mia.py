"""DefMIA: what it makes small, by hand and by other people's code, and what it keeps to."""

import functools

import inquiries
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional

from defenses import def_mia, hiding, registry
from defenses.protocols import Sent, Trained
from task import models
from task.datasets import load, to_float
from task.facts import Images
from task.membership import ask
from task.seeding import generator
from task.settings import SettingsError
from task.training import logits, margin

NUMBERS = st.lists(st.floats(-50, 50), min_size=1, max_size=20)


def digits(places: Tensor) -> Images:
    """Return some of the training images."""
    known = load("digits").train
    return Images(to_float(known.images[places]), known.labels[places])


@functools.cache
def trained() -> Trained:
    """Return participant 0's model that knows its forty digits by heart, and forty that nobody trained on."""
    spare = ask(load("digits"), inquiries.SETTINGS, inquiries.holding(), inquiries.SEED).reference[:40]
    return Trained(
        before=models.weights(inquiries.start()),
        model=inquiries.sent(0),
        own=digits(inquiries.holding()[0]),
        spare=digits(spare),
    )


@functools.cache
def sent(objective: str, bound: float = 0.5) -> Sent:
    """Return what participant 0 sends."""
    options = {"objective": objective, "loss_bound": bound, "steps": 150, "lr": 0.02}
    return registry.model_defense("def-mia", options, inquiries.FACTS, generator(0)).protect(trained(), generator(1))


def answers(weights: dict[str, Tensor], images: Images) -> Tensor:
    """Return the logits of a model with these weights."""
    model = models.build("digits-cnn", (1, 8, 8), 10, generator(0))
    model.load_state_dict(weights)
    return logits(model, images.images)


def auc(weights: dict[str, Tensor]) -> float:
    """Return how well the margin tells participant 0's digits from those that nobody has seen, nor the defender."""
    fresh = ask(load("digits"), inquiries.SETTINGS, inquiries.holding(), inquiries.SEED)
    both = (trained().own, digits(fresh.reference[40:]))
    scores = [margin(answers(weights, one).double(), one.labels) for one in both]
    return float(roc_auc_score([1] * len(scores[0]) + [0] * len(scores[1]), torch.cat(scores)))


def test_a_member_goes_to_the_other_record_of_its_rank() -> None:
    """Margins 4, 1, 9 against 0, 2, 8: the ranks 1, 0, 2 give 2, 0, 8; the 0 is held at 0.5, and nobody goes up."""
    margins, others = torch.tensor([4.0, 1.0, 9.0]), torch.tensor([8.0, 0.0, 2.0])
    right = torch.tensor([True, True, True])
    assert hiding.like_the_others(margins, others, right, 0.5).tolist() == [2.0, 0.5, 8.0]
    assert hiding.like_the_others(margins, others + 100, right, 0.5).tolist() == margins.tolist()
    right[2] = False
    assert hiding.like_the_others(margins, others, right, 0.5).tolist() == [2.0, 0.5, 9.0]


def test_who_looks_like_the_others_already_stays() -> None:
    """Members swapped for others of the same margins: each one's target is its own margin."""
    margins = torch.randn(30, generator=generator(0)).abs() + 1
    shuffled = margins[torch.randperm(30, generator=generator(1))]
    torch.testing.assert_close(hiding.like_the_others(margins, shuffled, margins > 0, 0.2), margins)


@given(NUMBERS, NUMBERS)
def test_the_wasserstein_distance_is_scipy_s(first: list[float], second: list[float]) -> None:
    """Of sets of any two sizes, in either order."""
    ours = hiding.wasserstein(*(torch.tensor(one, dtype=torch.float64) for one in (first, second))).item()
    assert ours == pytest.approx(wasserstein_distance(first, second), abs=1e-9)


def test_what_shifts_all_logits_alike_is_no_move() -> None:
    """Adding 3 to every logit changes no probability; adding 2 to one of two moves both centred ones by 1: 0.5 each."""
    before = torch.randn(5, 2, generator=generator(0))
    assert hiding.moved(before + 3, before).item() == pytest.approx(0, abs=1e-12)
    assert hiding.moved(before + torch.tensor([2.0, 0.0]), before).item() == pytest.approx(0.5)


def test_only_rightly_answered_members_are_led() -> None:
    """Margins of two outputs are differences: 3 - 1 to the target 0.5 is 1.5 off, smooth L1 of which is 1."""
    answered, labels = torch.tensor([[3.0, 1.0], [0.0, 5.0]]), torch.tensor([0, 0])
    targets, right = torch.tensor([0.5, 7.0]), torch.tensor([True, False])
    assert hiding.to_targets(answered, labels, targets, right).item() == pytest.approx(1.0)
    assert hiding.to_targets(answered, labels, targets, ~right).item() == pytest.approx(11.5)
    assert hiding.to_targets(answered, labels, targets, torch.zeros_like(right)).item() == 0


def test_a_surrogate_tells_apart_what_can_be_told_apart() -> None:
    """Members sure of their label, others not: positive for the ones, negative for the others."""
    labels = torch.arange(10).repeat(3)
    sure, unsure = 9 * functional.one_hot(labels, 10).float(), torch.zeros(30, 10)
    network = hiding.surrogate((sure, labels), (unsure, labels), (16, 8), 300, generator(0))
    assert (network(sure, labels) > 0).all()
    assert (network(unsure, labels) < 0).all()


@pytest.mark.parametrize("objective", def_mia.OBJECTIVES)
@pytest.mark.parametrize("bound", [0.1, 0.5])
def test_the_bound_is_kept_and_so_are_the_labels_where_they_must_be(objective: str, bound: float) -> None:
    """Measured anew on the weights that are sent: the rise of the loss on own records, and whose answer has changed."""
    before, found = models.weights(trained().model), sent(objective, bound)
    own = trained().own
    was, now = answers(before, own), answers(found.weights, own)
    rise = (functional.cross_entropy(now, own.labels) - functional.cross_entropy(was, own.labels)).item()
    assert rise <= bound + 1e-5
    assert found.metrics["loss_rise"] == pytest.approx(rise, abs=1e-4)
    changed = (was.argmax(1) != now.argmax(1)).double().mean().item()
    assert found.metrics["labels_changed"] == pytest.approx(changed)
    assert changed == 0 or objective == "label-free"
    assert found.metrics["left"] <= 1


def test_the_surrogate_is_brought_to_a_half() -> None:
    """Of the smooth L1 distance of its logits from 0 less than a tenth is left."""
    assert sent("literal").metrics["left"] < 0.1


@pytest.mark.parametrize("objective", ["well-posed", "label-free"])
def test_members_are_hidden_from_a_threshold(objective: str) -> None:
    """The margin's AUC against digits that the defender has not seen falls by more than its standard error, 0.04."""
    assert auc(sent(objective).weights) < auc(models.weights(trained().model)) - 0.04


def test_one_step_sees_the_model_as_it_is_and_nothing_else() -> None:
    """The first iterate is no change; it is always allowed, and it is what is sent where there is nothing better."""
    build = registry.model_defense("def-mia", {"steps": 1}, inquiries.FACTS, generator(0))
    found, before = build.protect(trained(), generator(1)), models.weights(trained().model)
    assert all(torch.equal(found.weights[name], tensor) for name, tensor in before.items())
    assert found.metrics == {"loss_rise": 0, "loss_bound": 0.5, "labels_changed": 0, "left": 1}


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"objective": "well-possed"}, "Did you mean 'well-posed'"),
        ({"loss_bound": 0.0}, "loss_bound > 0"),
        ({"steps": 0}, "steps > 0"),
        ({"lr": -1.0}, "lr > 0"),
        ({"surrogate_steps": 0}, "surrogate_steps > 0"),
        ({"anchor": -0.1}, "anchor >= 0"),
        ({"least_margin": -0.1}, "least_margin >= 0"),
        ({"surrogate": []}, "surrogate to be widths"),
        ({"surrogate": [8, 0]}, "surrogate to be widths"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], error: str) -> None:
    """Each with what was expected."""
    with pytest.raises(SettingsError, match=error):
        registry.options("def-mia", options)


def test_who_has_nothing_to_compare_with_is_refused() -> None:
    """A participant without a reserve, with a remedy."""
    defense = registry.model_defense("def-mia", {}, inquiries.FACTS, generator(0))
    with pytest.raises(SettingsError, match=r"never trains on, got 0\. Set task\.partition\.reserve"):
        defense.check(30, 0)
    defense.check(30, 30)

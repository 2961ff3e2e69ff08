"""Confidence vectors that tell little: what is kept, what is misled, and what does not change."""

import functools

import inquiries
import pytest
import torch

from defenses import confidence, hiding
from defenses.confidence import Options, Served, mislead, serve
from task.datasets import load, to_float
from task.facts import Images
from task.membership import ask
from task.seeding import generator
from task.settings import SettingsError
from task.training import logits

QUICK = {"steps": 60, "surrogate_steps": 100}


@functools.cache
def records() -> tuple[Images, Images]:
    """Return what participant 0 has learned by heart, and as many digits that nobody has."""
    known = load("digits").train
    spare = ask(load("digits"), inquiries.SETTINGS, inquiries.holding(), inquiries.SEED).reference[:40]
    mine, others = (Images(to_float(known.images[one]), known.labels[one]) for one in (inquiries.holding()[0], spare))
    return mine, others


@functools.cache
def served(budget: float = 1.0) -> Served:
    """Return participant 0's model, served."""
    return serve(inquiries.sent(0), *records(), Options(budget=budget, **QUICK), generator(3))


def test_answers_are_confidences_with_every_label_kept_and_the_same_each_time() -> None:
    """They add up to one, the largest stays the largest, and alone or among others a query gets one answer."""
    images = torch.cat([one.images for one in records()])
    answered = served()(images)
    assert torch.allclose(answered.exp().sum(1), torch.ones(len(images), dtype=torch.float64))
    assert torch.equal(answered.argmax(1), logits(inquiries.sent(0), images).argmax(1))
    assert torch.equal(served()(images), answered)
    torch.testing.assert_close(torch.cat([served()(images[:1]), served()(images[1:])]), answered, rtol=0, atol=1e-4)


def test_the_surrogate_is_less_sure_and_the_budget_is_kept() -> None:
    """Its mean distance from a half falls; a smaller budget moves the vectors by less, and by no more than it says."""
    images, moved, sure = torch.cat([one.images for one in records()]), {}, {}
    plain = logits(inquiries.sent(0), images).double().softmax(1)
    surrogate = served().surrogate
    assert surrogate is not None
    for budget in (0.02, 1.0):
        found = served(budget)(images)
        moved[budget] = float((found.exp() - plain).abs().sum(1).mean())
        said = torch.sigmoid(surrogate(found.float(), found.argmax(1)))
        sure[budget] = float((said - 0.5).abs().mean())
    before = torch.sigmoid(surrogate(plain.log().float(), plain.argmax(1)))
    assert sure[1.0] < 0.8 * float((before - 0.5).abs().mean())
    assert moved[1.0] > 0
    assert moved[0.02] <= 0.03


def test_what_can_be_led_across_a_half_is_and_nothing_else_moves() -> None:
    """Against a surrogate whose logit is how sure the answer is above 0.8; one that is always sure is not misled."""

    class Sure(hiding.Surrogate):
        def forward(self, answered: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            return answered.softmax(1).gather(1, labels[:, None])[:, 0] - 0.8

    class Always(hiding.Surrogate):
        def forward(self, answered: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            return answered.sum(1) * 0 + 1 + 0 * labels

    answered = torch.tensor([[4.0, 0.0, 1.0], [0.1, 0.2, 0.0]])
    found = mislead(answered, Sure(3, (2,)), Options(**QUICK)).softmax(1).amax(1)
    assert found[0] < 0.8 < answered.softmax(1).amax(1)[0]
    assert found[1] > 0.8
    assert torch.equal(mislead(answered, Always(3, (2,)), Options(**QUICK)), answered)


def test_without_a_surrogate_the_model_is_served_as_it_is() -> None:
    """The log-softmax of its logits."""
    images = records()[0].images
    bare = Served(inquiries.sent(0), None, Options(), generator(0))
    torch.testing.assert_close(bare(images), logits(inquiries.sent(0), images).double().log_softmax(1))


def test_wrong_requests_are_refused() -> None:
    """A budget that is none, no widths, nothing to compare with."""
    with pytest.raises(SettingsError, match="budget > 0"):
        Options(budget=0)
    with pytest.raises(SettingsError, match="surrogate"):
        Options(surrogate=())
    nothing = Images(torch.empty(0, 1, 8, 8), torch.empty(0, dtype=torch.int64))
    with pytest.raises(SettingsError, match="not trained on"):
        serve(inquiries.sent(0), records()[0], nothing, Options(), generator(0))
    assert not hasattr(confidence, "ACTS_ON")

"""The active attack: the step that it takes, when it takes it, and what comes back."""

import inquiries
import pytest
import torch
from torch.nn import functional

from attacks import registry
from attacks.gradient_ascent import GradientAscent, Options, ascended
from task import models
from task.models import weights
from task.seeding import generator
from task.training import logits, make_optimizer, train

FACTS = inquiries.FACTS


def make(**options: float) -> GradientAscent:
    """Build the attack."""
    attack = registry.membership_attack("gradient-ascent", options, FACTS, inquiries.question(), generator(0))
    assert isinstance(attack, GradientAscent)
    return attack


def test_the_step_is_that_of_a_finite_difference() -> None:
    """To first order the mean loss rises by rate * |gradient|^2; the gradient is the step over the rate."""
    before, records, rate = weights(inquiries.start()), inquiries.question().records, 1e-4
    after = ascended(before, records.images, records.labels, FACTS, rate)
    square = sum(float(((after[name] - before[name]) / rate).square().sum()) for name in before)

    def loss(state: dict[str, torch.Tensor]) -> float:
        model = models.build(FACTS.model, FACTS.shape, FACTS.outputs, generator(0))
        model.load_state_dict(state)
        return functional.cross_entropy(logits(model, records.images).double(), records.labels).item()

    assert loss(after) - loss(before) == pytest.approx(rate * square, rel=0.05)


def test_a_server_spoils_for_each_participant_what_it_is_asked_about_it() -> None:
    """Participants 0 and 1 are sent different weights; 3, about whom nothing is asked, the very ones."""
    attack, before = make(), weights(inquiries.start())
    records, clients = inquiries.question().records, inquiries.question().clients
    sent = attack.outgoing(1, before)
    mine = clients == 1
    expected = ascended(before, records.images[mine], records.labels[mine], FACTS, Options().rate)
    assert all(torch.equal(sent[name], expected[name]) for name in before)
    assert not all(torch.equal(sent[name], tensor) for name, tensor in attack.outgoing(0, before).items())
    assert attack.outgoing(3, before) is before


def test_the_control_looks_and_spoils_nothing() -> None:
    """With rate 0 the very weights are sent; the means over the rounds are there all the same."""
    attack, before = make(rate=0.0), weights(inquiries.start())
    assert attack.outgoing(0, before) is before
    attack.observe(inquiries.view(server=True), generator(0))
    assert attack.started
    assert attack.scores(inquiries.view(server=True), generator(0)).marked.sum() == 90


def test_nothing_is_spoiled_before_the_start() -> None:
    """A server with start round 2 sends the very weights in round 1, others in round 2."""
    attack, before = make(start_round=2), weights(inquiries.start())
    assert attack.outgoing(0, before) is before
    attack.observe(inquiries.view(server=True), generator(0))
    assert not attack.started
    assert attack.outgoing(0, before) is not before
    attack.observe(inquiries.view(server=True, server_round=2), generator(0))
    assert attack.started


def test_who_trains_on_spoiled_records_gives_them_away() -> None:
    """After a strong ascent on all records, a participant's training brings down the loss of its own most."""
    question, told = inquiries.question(), inquiries.truth()
    mine = question.clients == 0
    images, labels = question.records.images[mine], question.records.labels[mine]
    model = models.build(FACTS.model, FACTS.shape, FACTS.outputs, generator(0))
    model.load_state_dict(ascended(weights(inquiries.start()), images, labels, FACTS, 1.0))
    member = told.member[mine]

    def losses() -> torch.Tensor:
        return functional.cross_entropy(logits(model, images), labels, reduction="none")

    spoiled = losses()
    train(
        model,
        images[member],
        labels[member],
        optimizer=make_optimizer(model, FACTS.optimizer),
        batch_size=FACTS.batch_size,
        epochs=20,
        generator=generator(0),
    )
    fall = spoiled - losses()
    assert fall[member].mean() > fall[~member].mean() > 0

"""The membership baselines: the numbers that their definitions give."""

import dataclasses

import inquiries
import pytest
import torch
from torch.nn import functional

from attacks import registry
from attacks.asking import minus_loss
from attacks.posing import inquiry
from task.seeding import generator
from task.training import logits, margin


def test_the_gap_attack_is_as_right_as_its_closed_form_says() -> None:
    """Balanced accuracy 0.5 + (accuracy on members - accuracy on others) / 2 (Yeom et al.)."""
    view, member = inquiries.view(server=False), inquiries.truth().member
    attack = registry.membership_attack("label-only", {}, inquiries.FACTS, view.question, generator(0))
    marked = attack.scores(view, generator(0)).marked
    records = view.question.records
    right = logits(view.global_model, records.images).argmax(1) == records.labels
    gap = right[member].double().mean() - right[~member].double().mean()
    balanced = (marked[member].double().mean() + (~marked[~member]).double().mean()) / 2
    assert balanced == pytest.approx(0.5 + gap.item() / 2)


def test_margin_and_loss_rank_alike_and_the_margin_does_not_tie() -> None:
    """Loss = log(1 + exp(-margin)): of logits 40, 41 and 50 above the others float32 makes the same loss of 0."""
    answered = torch.tensor([[40.0, 0.0, 0.0], [41.0, 0.0, 0.0], [50.0, 0.0, 0.0], [-3.0, 1.0, 2.0]])
    labels = torch.zeros(4, dtype=torch.int64)
    assert functional.cross_entropy(answered[:3], labels[:3], reduction="none").tolist() == [0, 0, 0]
    margins = margin(answered.double(), labels)
    assert margins[:3].diff().min() > 0
    expected = -torch.log1p(torch.exp(-margins))
    assert torch.allclose(minus_loss(answered.double(), labels), expected)


def test_the_threshold_is_the_mean_over_records_that_the_attacker_knows_for_members() -> None:
    """A participant marks records with at most the mean loss of its own (Yeom); a server, without any, half of all."""
    view = inquiries.view(server=False)
    attack = registry.membership_attack("loss-threshold", {}, inquiries.FACTS, view.question, generator(0))
    found, own = attack.scores(view, generator(0)), view.question.own
    usual = functional.cross_entropy(logits(view.global_model, own.images).double(), own.labels)
    assert torch.equal(found.marked, -found.values <= usual)
    at_server = attack.scores(inquiries.view(server=True), generator(0))
    assert at_server.marked.sum() == 90


def test_argmax_marks_whatever_the_model_takes_for_a_declared_label() -> None:
    """Participants who declared 0 and 1, 2 and 3, and nothing."""
    asked = dataclasses.replace(inquiries.question(), declared={0: (0, 1), 1: (2, 3)})
    view = dataclasses.replace(inquiries.view(server=False), question=asked)
    attack = registry.membership_attack("argmax", {}, inquiries.FACTS, asked, generator(0))
    found = attack.scores(view, generator(0))
    answered = logits(view.global_model, asked.records.images)
    taken, mass = answered.argmax(1), answered.double().softmax(1)
    for client, labels in {0: (0, 1), 1: (2, 3), 2: ()}.items():
        mine = asked.clients == client
        expected = torch.isin(taken[mine], torch.tensor(labels, dtype=torch.int64))
        assert torch.equal(found.marked[mine], expected)
        assert torch.allclose(found.values[mine], mass[mine][:, list(labels)].sum(1))


def test_argmax_stays_out_where_declared_labels_say_nothing() -> None:
    """Everyone holds all ten labels: there are three other baselines beside margin-threshold, or two without it."""
    names = {
        name: set(
            inquiry(
                name,
                {},
                inquiries.question(),
                settings=inquiries.SETTINGS,
                facts=inquiries.FACTS,
                generator=generator(0),
            ).baselines
        )
        for name in ("margin-threshold", "argmax")
    }
    assert names == {
        "margin-threshold": {"label-only", "loss-threshold"},
        "argmax": {"label-only", "loss-threshold", "margin-threshold"},
    }

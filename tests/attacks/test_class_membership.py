"""In / out networks: all labels in one batch are what each alone would be, and what is refused."""

import dataclasses

import inquiries
import pytest
import torch

from attacks import registry
from attacks.asking import subset
from attacks.class_membership import ClassMembership, Options, fit, forward
from attacks.views import Question
from task.seeding import generator
from task.settings import SettingsError

OPTIONS = Options(hidden=8, fit_steps=60)


def toy() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return 90 predictions over four outputs, their labels 0 to 2, and members, who are surer of their label."""
    draws = generator(0)
    labels, member = torch.arange(90) % 3, torch.arange(90) % 2 == 0
    raw = torch.randn(90, 4, generator=draws)
    raw[torch.arange(90), labels] += 3.0 * member
    return raw.softmax(1), labels, member


def make(question: Question | None = None, **options: float) -> ClassMembership:
    """Build the attack."""
    asked = question or inquiries.question()
    attack = registry.membership_attack("class-membership", options, inquiries.FACTS, asked, generator(0))
    assert isinstance(attack, ClassMembership)
    return attack


def test_one_batch_is_the_same_as_one_after_the_other() -> None:
    """The network of a label learns from its own vectors alone: those of the others may be anything."""
    vectors, labels, member = toy()
    together = fit(vectors, labels, member, classes=3, options=OPTIONS, generator=generator(1))
    for label in range(3):
        other = labels != label
        changed, turned = vectors.clone(), member.clone()
        changed[other] = vectors[other].flip(0)
        turned[other] = ~member[other]
        alone = fit(changed, labels, turned, classes=3, options=OPTIONS, generator=generator(1))
        mine = labels == label
        left, right = (networks.logits(vectors[mine], labels[mine]) for networks in (together, alone))
        assert torch.allclose(left, right, atol=1e-6)


def test_networks_learn_who_is_surer() -> None:
    """Members of every label get the higher logits, on vectors that were not trained on, too."""
    vectors, labels, member = toy()
    learned = torch.arange(90) < 60
    networks = fit(
        vectors[learned],
        labels[learned],
        member[learned],
        classes=3,
        options=dataclasses.replace(OPTIONS, fit_steps=300),
        generator=generator(1),
    )
    found = networks.logits(vectors[~learned], labels[~learned])
    assert ((found > 0) == member[~learned]).double().mean() > 0.8


def test_a_label_without_members_is_answered_by_what_is_usual() -> None:
    """Label 1 has no member, label 3 no record: both get the middle of the other logits; alone, 0."""
    vectors, labels, member = toy()
    networks = fit(vectors, labels, member & (labels != 1), classes=4, options=OPTIONS, generator=generator(1))
    assert networks.known.tolist() == [True, False, True, False]
    first, usual, last, same, middle = networks.logits(vectors[:5], torch.tensor([0, 1, 2, 3, 0])).tolist()
    assert usual == same == sorted([first, last, middle])[1]
    assert networks.logits(vectors[:2], torch.tensor([1, 3])).tolist() == [0, 0]


def test_forward_is_a_network_of_each_label() -> None:
    """By hand: hidden ReLU(x W + b), then a sum."""
    first = torch.tensor([[[1.0, -1.0]], [[2.0, 0.0]]])
    ones, bias = torch.ones(2, 2, 1), torch.tensor([[[0.5]], [[0.0]]])
    found = forward((first, torch.zeros(2, 1, 2), ones, bias), torch.tensor([[[3.0], [-3.0]], [[3.0], [-3.0]]]))
    assert found.tolist() == [[3.5, 3.5], [6.0, 0.0]]


def test_an_attacker_tests_itself_on_what_it_did_not_learn_from() -> None:
    """A fifth of its own records and references; no record in question is among them, nothing made without a GAN."""
    found = make(fit_steps=10).scores(inquiries.view(server=False), generator(0)).rehearsal
    assert found is not None
    assert len(found.values) == round(0.2 * (40 + 120))
    assert not found.made.any()
    assert 0 < found.member.sum() < len(found.member)
    assert ((found.values >= 0) & (found.values <= 1)).all()


def test_fewer_records_than_classes_are_refused() -> None:
    """Of the attacker's own, and of the references."""
    asked = inquiries.question()
    few = torch.arange(7)
    with pytest.raises(SettingsError, match=r"at least a record for each of 10 classes, got 7\. Raise task\.partition"):
        make(dataclasses.replace(asked, own=subset(asked.own, few)))
    with pytest.raises(SettingsError, match=r"at least a reference for each of 10 classes, got 7\. Raise membership"):
        make(dataclasses.replace(asked, reference=subset(asked.reference, few)))


def test_so_many_others_are_learned_from_for_each_member() -> None:
    """Half an other to each of its 40 records; without a word all 120 references. More than there are is refused."""
    for options, wanted in (({"others": 0.5}, 20), ({}, 120)):
        attack = make(**options, fit_steps=10)
        attack.scores(inquiries.view(server=False), generator(0))
        assert attack.metrics()["others"] == wanted
    with pytest.raises(SettingsError, match=r"Expected 160 references, 4 to each of 40 members, got 120\. Raise"):
        make(others=4)


def test_as_many_are_marked_as_there_are_members() -> None:
    """However rare members were among what it learned from: 40 beside 120."""
    attack = make(dataclasses.replace(inquiries.question(), members=7), fit_steps=10)
    found = attack.scores(inquiries.view(server=False), generator(0))
    assert found.marked.sum() == 7
    assert found.values[found.marked].min() >= found.values[~found.marked].max()

"""Attackers who learn what members look like: from a shadow, a defended shadow, or records that they are told of."""

import dataclasses
from collections.abc import Mapping

import inquiries
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from attacks import learning, registry
from attacks.asking import asked, same_for_all
from attacks.shadow import shadow
from attacks.views import Known, Question, RecordView, Scores
from task.facts import Images
from task.models import weights
from task.seeding import generator
from task.settings import SettingsError
from task.training import margin

QUICK = {"fit_steps": 150}


def scores(name: str, view: RecordView) -> Scores:
    """Return the answer of one of the attackers."""
    attack = registry.membership_attack(name, QUICK, inquiries.FACTS, view.question, generator(0))
    return attack.scores(view, generator(1))


def test_areas_and_cuts_are_those_of_the_scores() -> None:
    """Against scikit-learn, with ties; the cut marks what tells most, and nothing is said of nothing."""
    values = torch.tensor([3.0, 2.0, 2.0, 1.0, 0.0], dtype=torch.float64)
    member = torch.tensor([True, True, False, True, False])
    assert learning.area(values, member) == pytest.approx(roc_auc_score(member, values))
    assert learning.best_cut(values, member) == 1  # 1 - 1/2; from 3 on 1/3, from 2 on 2/3 - 1/2
    nothing = torch.zeros(0, dtype=torch.float64)
    assert (learning.area(nothing, nothing.bool()), learning.best_cut(nothing, nothing.bool())) == (0.5, 0)


def test_who_cannot_learn_more_than_the_margin_answers_by_it() -> None:
    """Members and others are told apart by the margin alone: what is held out shows that, and no network is asked."""
    view = inquiries.view(server=True)
    lot = torch.Generator().manual_seed(0)
    member = torch.arange(80) < 40
    known = torch.randn(80, 12, generator=lot, dtype=torch.float64)
    known[:, 0] = member * 4.0 + torch.rand(80, generator=lot)
    said = learning.learned(view, known, member, learning.Options(fit_steps=3), generator(1))
    margins = margin(asked(view), view.question.records.labels)
    assert torch.equal(said.values.argsort(), margins.argsort())


def test_what_a_network_sees_of_two_answers() -> None:
    """Probabilities 0.7, 0.2, 0.1: of label 1 odds of 0.25, wrong, the others in order; of label 0 right."""
    answered = torch.tensor([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1]]).log()
    found = learning.features(answered, torch.tensor([1, 0]))
    logs = {share: torch.tensor(share).log().item() for share in (0.25, 7 / 3, 0.7, 0.2, 0.1)}
    expected = [[logs[0.25], 0, logs[0.2], logs[0.7], logs[0.1]], [logs[7 / 3], 1, logs[0.7], logs[0.2], logs[0.1]]]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), atol=1e-6, rtol=0)


def hidden_in_the_middle(count: int = 200) -> tuple[Images, Tensor]:
    """Return records whose logits are themselves: members have a margin of 1, others one of 0 or 2 as often."""
    draws, labels = generator(3), torch.zeros(count, dtype=torch.int64)
    member = torch.arange(count) % 2 == 0
    lead = torch.where(member, 1.0, 2.0 * torch.randint(2, (count,), generator=draws))
    logits = torch.stack([lead, torch.zeros(count)], 1) + 0.1 * torch.randn(count, 2, generator=draws)
    return Images(logits.view(count, 2, 1, 1), labels), member


def test_who_adapts_finds_members_whom_a_threshold_does_not() -> None:
    """In the middle of all margins: AUC a half by the margin, nearly 1 for who knows some of them."""
    (told, known), (asked, member) = (
        (Images(images.images[half], images.labels[half]), inside[half])
        for images, inside in [hidden_in_the_middle()]
        for half in torch.arange(200).tensor_split(2)
    )
    clients = torch.zeros(100, dtype=torch.int64)
    question = Question(
        records=asked,
        clients=clients,
        own=told,
        reference=told,
        declared={},
        known=Known(records=told, clients=clients, member=known),
    )
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 2))
    model.load_state_dict({"1.weight": torch.eye(2), "1.bias": torch.zeros(2)})
    view = RecordView(
        round=1,
        accuracy=0.5,
        question=question,
        global_model=model,
        model_of=same_for_all(model),
        own_trained=False,
    )
    by = {
        name: roc_auc_score(
            member,
            registry.membership_attack(name, {}, inquiries.FACTS, question, generator(0))
            .scores(view, generator(1))
            .values,
        )
        for name in ("margin-threshold", "adaptive-learner")
    }
    assert by["margin-threshold"] == pytest.approx(0.5, abs=0.12)
    assert by["adaptive-learner"] > 0.95


def test_who_knows_of_no_defence_is_the_fixed_attacker() -> None:
    """The same draws, the same answers to the bit."""
    view = inquiries.view(server=True)
    assert torch.equal(scores("fixed-learner", view).values, scores("shadow-learner", view).values)


@pytest.mark.parametrize("server", [False, True])
def test_a_shadow_is_defended_as_the_attacker_knows(*, server: bool) -> None:
    """It gets the weights before and after, the records and half of the references; the fixed attacker does not ask."""
    seen: list[tuple[int, int]] = []

    def forget(
        before: Mapping[str, Tensor], model: nn.Module, own: Images, spare: Images, draws: torch.Generator
    ) -> Mapping[str, Tensor]:
        del draws
        assert not torch.equal(before["7.weight"], weights(model)["7.weight"])
        seen.append((len(own.labels), len(spare.labels)))
        return before

    view = inquiries.view(server=server)
    view = dataclasses.replace(view, question=dataclasses.replace(view.question, defended=forget))
    fixed = scores("fixed-learner", view).values
    assert seen == []
    assert not torch.equal(fixed, scores("shadow-learner", view).values)
    assert seen == [(40, 60)]
    model = shadow(view, inquiries.FACTS, inquiries.own(), generator(0), spare=inquiries.own(), defended=forget)
    before = weights(view.global_model)
    assert all(torch.equal(tensor, before[name]) for name, tensor in weights(model).items())


@pytest.mark.parametrize(
    ("name", "changes", "error"),
    [
        (
            "adaptive-learner",
            {"known": None},
            r"whose membership the attacker is told, got none\. Set membership\.known",
        ),
        (
            "fixed-learner",
            {"reference": Images(torch.zeros(1, 1, 8, 8), torch.zeros(1))},
            "at least two references, got 1",
        ),
        (
            "shadow-learner",
            {"own": Images(torch.zeros(0, 1, 8, 8), torch.zeros(0))},
            "an attacker that holds records, got 0",
        ),
    ],
)
def test_who_has_nothing_to_learn_from_is_refused(name: str, changes: dict[str, object], error: str) -> None:
    """When it is built, with a remedy."""
    question = dataclasses.replace(inquiries.question(), **changes)
    with pytest.raises(SettingsError, match=error):
        registry.membership_attack(name, {}, inquiries.FACTS, question, generator(0))


@pytest.mark.parametrize("option", ["hidden", "fit_steps", "fit_lr"])
def test_wrong_options_are_refused(option: str) -> None:
    """None may be 0."""
    with pytest.raises(SettingsError, match=f"{option} > 0"):
        registry.options("adaptive-learner", {option: 0})

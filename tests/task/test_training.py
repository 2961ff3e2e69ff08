"""Tests of local training and of the metrics: steps worked out by hand, scikit-learn, and closed forms."""

import copy
import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, log_loss, precision_recall_fscore_support
from torch import Tensor, nn

from task import models, training
from task.seeding import generator
from task.settings import OptimizerSettings


def linear(inputs: int, outputs: int) -> nn.Module:
    """Return a linear classifier of zeros for images [1, 1, inputs]."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(inputs, outputs))
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    return model


def blobs(count: int) -> tuple[Tensor, Tensor]:
    """Return images [count, 1, 8, 8] of two classes, dark and bright, and their labels."""
    labels = torch.arange(count) % 2
    noise = torch.rand(count, 1, 8, 8, generator=generator(0, "blobs")) * 0.2
    return noise + labels.view(-1, 1, 1, 1) - 0.6, labels


def fit(model: nn.Module, optimizer: torch.optim.Optimizer, seed: int, **options: float) -> float:
    """Train one epoch on the blobs in batches of 4."""
    images, labels = blobs(10)
    return training.train(
        model, images, labels, optimizer=optimizer, batch_size=4, epochs=1, generator=generator(seed), **options
    )


def one_hot(predicted: Tensor, outputs: int) -> Tensor:
    """Return logits that give the predicted classes."""
    return nn.functional.one_hot(predicted, outputs).float()


def test_one_step_of_sgd_by_hand() -> None:
    """From zeros, the gradient for image x of class 0 of two is (-1/2, 1/2) x, so lr 0.1 moves the weights +-0.05 x."""
    model = linear(3, 2)
    optimizer = training.make_optimizer(model, OptimizerSettings(lr=0.1))
    x = torch.tensor([1.0, -2.0, 4.0])
    loss = training.train(
        model,
        x.view(1, 1, 1, 3),
        torch.tensor([0]),
        optimizer=optimizer,
        batch_size=1,
        epochs=1,
        generator=generator(0),
    )
    state = model.state_dict()
    assert loss == pytest.approx(math.log(2))
    assert torch.allclose(state["1.weight"], torch.stack([0.05 * x, -0.05 * x]))
    assert torch.allclose(state["1.bias"], torch.tensor([0.05, -0.05]))


def test_fedprox_pulls_back_to_the_start() -> None:
    """The second step's gradient gains mu (w_1 - w_0): with bias b_1 = 0.05, lr 0.1 and mu 4 that is 0.02 less."""
    moved = []
    for mu in (0.0, 4.0):
        model = linear(1, 2)
        optimizer = training.make_optimizer(model, OptimizerSettings(lr=0.1))
        images, labels = torch.zeros(2, 1, 1, 1), torch.tensor([0, 0])
        training.train(
            model,
            images,
            labels,
            optimizer=optimizer,
            batch_size=1,
            epochs=1,
            generator=generator(0),
            proximal_mu=mu,
        )
        moved.append(model.state_dict()["1.bias"][0].item())
    second = 0.1 * (1 - 1 / (1 + math.exp(-0.1)))  # lr times the wrong class's probability at logits +-0.05
    assert moved[0] == pytest.approx(0.05 + second)
    assert moved[1] == pytest.approx(0.05 + second - 0.1 * 4 * 0.05)


def test_loss_is_the_mean_over_images_not_batches() -> None:
    """With a learning rate that moves nothing, the loss of ten images in batches of 4, 4 and 2 is their plain mean."""
    model = models.build("digits-cnn", (1, 8, 8), 3, generator(0))
    images, labels = blobs(10)
    plain = training.evaluate(model, images, labels).loss
    optimizer = training.make_optimizer(model, OptimizerSettings(lr=1e-30))
    assert fit(model, optimizer, seed=0) == pytest.approx(plain, abs=1e-6)


def test_training_learns_and_repeats() -> None:
    """Dark and bright images are told apart; the same generator gives bit-identical weights, another one does not."""
    trained = []
    for seed in (0, 0, 1):
        model = models.build("digits-cnn", (1, 8, 8), 2, generator(0))
        optimizer = training.make_optimizer(model, OptimizerSettings(lr=0.1))
        before = torch.get_rng_state()
        for epoch in range(5):
            fit(model, optimizer, seed=10 * seed + epoch)
        assert torch.equal(torch.get_rng_state(), before)
        trained.append(models.weights(model))
    assert training.evaluate(model, *blobs(40)).accuracy == 1.0
    assert all(torch.equal(trained[0][key], trained[1][key]) for key in trained[0])
    assert not all(torch.equal(trained[0][key], trained[2][key]) for key in trained[0])


def test_every_image_is_seen_once_an_epoch() -> None:
    """Ten images over three epochs: each is seen three times, in an order that differs from epoch to epoch."""
    seen: list[list[int]] = []

    class Spy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bias = nn.Parameter(torch.zeros(2))

        def forward(self, images: Tensor) -> Tensor:
            seen.append(images.flatten().int().tolist())
            return self.bias.expand(len(images), 2)

    model = Spy()
    training.train(
        model,
        torch.arange(10.0).view(10, 1, 1, 1),
        torch.zeros(10, dtype=torch.int64),
        optimizer=training.make_optimizer(model, OptimizerSettings()),
        batch_size=4,
        epochs=3,
        generator=generator(0),
    )
    assert [len(batch) for batch in seen] == [4, 4, 2] * 3
    epochs = [list(itertools.chain(*seen[first : first + 3])) for first in (0, 3, 6)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1]


def test_no_images_change_nothing() -> None:
    """A participant without images returns the weights that it got, and a loss of 0."""
    model = models.build("digits-cnn", (1, 8, 8), 2, generator(0))
    before = models.weights(model)
    loss = training.train(
        model,
        torch.zeros(0, 1, 8, 8),
        torch.zeros(0, dtype=torch.int64),
        optimizer=training.make_optimizer(model, OptimizerSettings()),
        batch_size=4,
        epochs=2,
        generator=generator(0),
    )
    assert loss == 0.0
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


@pytest.mark.parametrize(
    "settings",
    [
        OptimizerSettings(name="adam", lr=0.01),
        OptimizerSettings(name="rmsprop", lr=0.001),
        OptimizerSettings(name="sgd", lr=0.05, momentum=0.9),
    ],
)
def test_kept_state_is_training_without_interruption(settings: OptimizerSettings) -> None:
    """Saved and put into a fresh optimizer each round, the state gives bit-identical weights; thrown away, others."""
    start = models.build("digits-cnn", (1, 8, 8), 2, generator(0))
    straight, kept, lost = (copy.deepcopy(start) for _ in range(3))
    through = training.make_optimizer(straight, settings)
    arrays: dict[str, Tensor] = {}
    for turn in range(3):
        fit(straight, through, seed=turn)
        optimizer = training.make_optimizer(kept, settings)
        training.restore_optimizer(optimizer, arrays)
        fit(kept, optimizer, seed=turn)
        arrays = training.optimizer_arrays(optimizer)
        fit(lost, training.make_optimizer(lost, settings), seed=turn)
    states = [models.weights(model) for model in (straight, kept, lost)]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert not any(torch.equal(states[0][key], states[2][key]) for key in states[0])


def test_adams_first_step_by_hand() -> None:
    """Adam's first step is lr times the sign of the gradient, whatever its size; its state has three entries."""
    model = linear(3, 2)
    optimizer = training.make_optimizer(model, OptimizerSettings(name="adam", lr=0.01, betas=(0.5, 0.999), eps=1e-12))
    x = torch.tensor([1.0, -2.0, 4.0])
    images = x.view(1, 1, 1, 3)
    training.train(
        model, images, torch.tensor([0]), optimizer=optimizer, batch_size=1, epochs=1, generator=generator(0)
    )
    assert torch.allclose(model.state_dict()["1.weight"], 0.01 * torch.stack([x.sign(), -x.sign()]))
    arrays = training.optimizer_arrays(optimizer)
    assert sorted(arrays) == [f"{index}.{name}" for index in range(2) for name in ("exp_avg", "exp_avg_sq", "step")]
    assert torch.allclose(arrays["0.exp_avg"], 0.5 * torch.stack([-0.5 * x, 0.5 * x]))  # (1 - beta_1) * gradient


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 10)), min_size=1, max_size=60))
def test_score_agrees_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    """Over the real classes and over all seen ones, precision, recall, F1, accuracy and loss are scikit-learn's."""
    labels, predicted = torch.tensor(pairs).unbind(1)
    answers = one_hot(predicted, 11)
    result = training.score(answers, labels)
    real = sorted(set(labels.tolist()))
    seen = sorted(set(labels.tolist()) | set(predicted.tolist()))
    for classes, ours in (
        (real, (result.precision, result.recall, result.f1)),
        (seen, (result.precision_all, result.recall_all, result.f1_all)),
    ):
        theirs = precision_recall_fscore_support(labels, predicted, labels=classes, average="macro", zero_division=0)
        assert ours == pytest.approx(theirs[:3])
    assert result.accuracy == pytest.approx(accuracy_score(labels, predicted))
    assert result.loss == pytest.approx(log_loss(labels, answers.double().softmax(1), labels=range(11)))


def test_one_image_taken_for_a_fake_lowers_recall_all() -> None:
    """100 images, 10 of each class, all right but one called "fake": recall 0.99 over ten, 0.9 over eleven."""
    labels = torch.arange(10).repeat_interleave(10)
    predicted = labels.clone()
    predicted[0] = 10
    result = training.score(one_hot(predicted, 11), labels)
    assert result.accuracy == pytest.approx(0.99)
    assert result.recall == pytest.approx(0.99)
    assert result.recall_all == pytest.approx(9.9 / 11)
    assert result.precision == pytest.approx(1.0)
    assert result.precision_all == pytest.approx(10 / 11)


def test_evaluate_does_not_depend_on_batches_or_mode() -> None:
    """More images than one batch holds are all answered, in order, by a model in evaluation mode."""
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(1, 2, bias=False))
    with torch.no_grad():
        model[2].weight.copy_(torch.tensor([[0.0], [1.0]]))
    images = torch.linspace(-1, 1, training.CPU_BATCH + 1).view(-1, 1, 1, 1)
    answers = training.logits(model, images)
    assert torch.equal(answers[:, 1], images.flatten())
    assert not answers.requires_grad
    assert training.evaluate(model, images, (images.flatten() > 0).long()).accuracy == 1.0


@pytest.mark.parametrize(("wanted", "expected"), [(None, 7), (3, 3), (9, 7)])
def test_draw_takes_what_there_is(wanted: int | None, expected: int) -> None:
    """Different indices in random order: all, as many as wanted, or as many as there are."""
    drawn = training.draw(7, wanted, generator(0)).tolist()
    assert len(drawn) == len(set(drawn)) == expected
    assert set(drawn) <= set(range(7))

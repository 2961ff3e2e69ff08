"""Model inversion: what the model is sure of, when an image ends, what is kept."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from attacks import model_inversion
from attacks.model_inversion import Options, build, invert
from attacks.views import ServerView
from task import models
from task.datasets import load, to_float
from task.facts import Images, TaskFacts
from task.seeding import generator
from task.settings import OptimizerSettings, SettingsError, parse
from task.training import logits, make_optimizer, train

SHAPE = (1, 8, 8)
FACTS = TaskFacts(shape=SHAPE, classes=10, outputs=11, model="digits-cnn", clients=3)
SMALL: dict[str, Any] = {"images": 2, "steps": 40, "cost": "log", "denoise_every": 0}


@pytest.fixture(scope="module")
def model() -> nn.Module:
    """Return a model that knows the digits."""
    digits = load("digits", None)
    model = models.build("digits-cnn", SHAPE, 11, generator(0, "model"))
    optimizer = make_optimizer(model, OptimizerSettings(lr=0.1))
    images, labels = to_float(digits.train.images), digits.train.labels
    train(model, images, labels, optimizer=optimizer, batch_size=32, epochs=5, generator=generator(0))
    return model.eval().requires_grad_(requires_grad=False)


def view(model: nn.Module, number: int = 1, *, last: bool = True) -> ServerView:
    """Return a round without updates."""
    return ServerView(
        round=number,
        last=last,
        global_model=nn.Identity(),
        aggregate=model,
        updates={},
        accuracy=0.9,
        auxiliary=Images(torch.empty(0, *SHAPE), torch.empty(0, dtype=torch.int64)),
    )


def attacked(model: nn.Module, **options: Any) -> model_inversion.ModelInversion:
    """Return the attack after the last round."""
    attack = build(parse(Options, SMALL | options, "options"), FACTS, generator(1))
    attack.observe(view(model), generator(2))
    return attack


def blank(count: int) -> Tensor:
    """Return black images."""
    return torch.zeros(count, *SHAPE)


@pytest.mark.parametrize("cost", ["confidence", "log"])
def test_one_step_is_the_gradient_of_the_cost(cost: str) -> None:
    """Logits (w (2 mean(p) - 1), 0): -log f has the slope -(1 - f) 2w / 64 in each pixel, 1 - f has f times that."""
    slope = 3.0
    linear = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    linear[1].weight.data = torch.stack([torch.full((64,), slope / 64), torch.zeros(64)])
    linear[1].bias.data = torch.zeros(2)
    start = torch.full((1, *SHAPE), 0.4)
    found, confidences, steps = invert(
        linear, start, torch.tensor([0]), Options(steps=1, cost=cost, denoise_every=0, lr=0.1)
    )
    sure = torch.sigmoid(torch.tensor(slope * (2 * 0.4 - 1))).item()
    wanted = 0.4 + 0.1 * (1 - sure) * 2 * slope / 64 * (sure if cost == "confidence" else 1)
    assert found.flatten().tolist() == pytest.approx([wanted] * 64, abs=1e-6)
    assert confidences.item() == pytest.approx(torch.sigmoid(torch.tensor(slope * (2 * wanted - 1))).item(), abs=1e-6)
    assert steps.item() == 1


def test_the_model_becomes_sure_of_every_category(model: nn.Module) -> None:
    """From noise, without denoising, it takes every image for its category with the asked confidence."""
    attack = attacked(model, steps=2000)
    loot = attack.loot(2, generator(3))
    answers = logits(model, loot.images).softmax(1)
    assert loot.labels.tolist() == [label for label in range(10) for _ in range(2)]
    assert (answers[torch.arange(20), loot.labels] > 0.989).all()
    assert attack.metrics()["reached"] == 1
    assert attack.metrics()["confidence"] > 0.989


def test_an_image_goes_the_same_way_alone_and_in_company(model: nn.Module) -> None:
    """Images that end at different steps do not disturb each other."""
    start, labels = torch.rand(6, *SHAPE, generator=generator(4)), torch.arange(6)
    options = Options(steps=60, cost="log", denoise_every=7)
    together = invert(model, start, labels, options)
    alone = [invert(model, start[row : row + 1], labels[row : row + 1], options) for row in range(6)]
    for part, others in zip(together, zip(*alone, strict=True), strict=True):
        assert torch.allclose(part, torch.cat(others), rtol=0, atol=1e-5)


def test_it_ends_at_the_confidence_or_without_gain_or_after_all_steps(model: nn.Module) -> None:
    """At once (or once denoised) when any confidence will do; without a gain after `patience`; else after `steps`."""
    start, label = torch.rand(1, *SHAPE, generator=generator(5)), torch.tensor([8])
    assert invert(model, start, label, Options(confidence=1e-9, denoise_every=0))[2].item() == 0
    assert invert(model, start, label, Options(confidence=1e-9, denoise_every=7))[2].item() == 7
    flat = nn.Sequential(nn.Flatten(), nn.Linear(64, 11))
    flat[1].weight.data.zero_()
    assert invert(flat, start, label, Options(patience=17, denoise_every=0))[2].item() == 17
    assert invert(model, start, label, Options(steps=5, confidence=1, cost="log", denoise_every=0))[2].item() == 5


def test_the_best_image_is_kept() -> None:
    """Steps that are far too long jump over the goal: what is returned is never worse than the start."""

    class Ridge(nn.Module):
        """Sure where the mean pixel, in [-1, 1], is 0."""

        def __init__(self) -> None:
            super().__init__()
            self.height = nn.Parameter(torch.tensor(4.0))

        def forward(self, images: Tensor) -> Tensor:
            """Return logits of two categories."""
            mean = images.flatten(1).mean(1)
            return torch.stack([self.height * (1 - 4 * mean.square()), torch.zeros_like(mean)], 1)

    start = torch.full((1, *SHAPE), 0.6)
    label = torch.tensor([0])
    options = Options(steps=30, lr=1000, cost="log", denoise_every=0, confidence=1)
    ridge = Ridge()
    found, confidence, _ = invert(ridge, start, label, options)
    before = ridge(start * 2 - 1).softmax(1)[0, 0]
    assert confidence >= before
    assert ridge(found * 2 - 1).softmax(1)[0, 0].item() == pytest.approx(confidence.item())


def test_only_denoised_images_count_where_there_is_denoising(model: nn.Module) -> None:
    """Ten steps, denoising after the tenth: the answer is that image or the start, never one in between."""
    start, labels = torch.rand(10, *SHAPE, generator=generator(6)), torch.arange(10)
    options = {"steps": 10, "cost": "log"}
    smooth, _, _ = invert(model, start, labels, Options(denoise_every=10, **options))
    rough, _, _ = invert(model, start, labels, Options(denoise_every=0, **options))
    moved = (smooth - start).flatten(1).abs().amax(1) > 0
    assert moved.any()
    assert smooth[moved].diff(dim=-1).abs().mean() < 0.8 * rough[moved].diff(dim=-1).abs().mean()


def test_a_blank_start_gives_one_image_of_each_category_again_and_again(model: nn.Module) -> None:
    """Noise gives different ones, as many as `images`, which then repeat."""
    black = attacked(model, start="blank").loot(3, generator(3)).images.view(10, 3, *SHAPE)
    assert torch.equal(black[:, 0], black[:, 2])
    noisy = attacked(model).loot(3, generator(3)).images.view(10, 3, *SHAPE)
    assert not torch.equal(noisy[:, 0], noisy[:, 1])
    assert torch.equal(noisy[:, 0], noisy[:, 2])


def test_it_looks_at_the_last_round_and_at_every_so_many(model: nn.Module) -> None:
    """Nothing before; with `every: 2` there is loot after the second round, of the chosen classes."""
    attack = build(parse(Options, SMALL, "options"), FACTS, generator(1))
    attack.observe(view(model, last=False), generator(2))
    assert not attack.started
    assert attack.metrics() == {}
    assert len(attack.loot(3, generator(3)).images) == 0
    often = build(parse(Options, SMALL | {"every": 2, "classes": [3, 1]}, "options"), FACTS, generator(1))
    for number in (1, 2):
        often.observe(view(model, number, last=False), generator(2))
    assert often.loot(2, generator(3)).labels.tolist() == [3, 3, 1, 1]
    assert often.control(2, generator(3)).images.shape == (0, *SHAPE)
    assert often.representatives() == {}


def test_more_images_than_fit_in_a_batch_are_the_same(model: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """In batches of seven or all at once."""
    whole = attacked(model).loot(2, generator(3)).images
    monkeypatch.setattr(model_inversion, "BATCH", 7)
    assert torch.allclose(attacked(model).loot(2, generator(3)).images, whole, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"classes": [10]}, "classes from 0 to 9"),
        ({"classes": []}, "at least one class"),
        ({"classes": [1, 1]}, "each once"),
        ({"victim": 3}, "a victim from 0 to 2"),
        ({"cost": "square"}, "a cost"),
        ({"start": "grey"}, "a start"),
        ({"steps": 0}, "steps > 0"),
        ({"confidence": 1.5}, "confidence"),
        ({"every": 0}, "every > 0"),
        ({"denoise_every": -1}, "denoise_every >= 0"),
    ],
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, Any], text: str) -> None:
    """Each by its name, when they are parsed or when the task is known."""
    with pytest.raises(SettingsError, match=text):
        build(parse(Options, wrong, "options"), FACTS, generator(0))


def test_denoising_must_come_before_patience_ends() -> None:
    """Only denoised images count, so that the attack would give back the noise that it began with."""
    with pytest.raises(SettingsError, match="denoise_every"):
        Options(denoise_every=150, patience=100)

"""Equation 4's values, against sums written out with NumPy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attacks import registry
from attacks.mgan_batches import Batches
from attacks.mgan_training import Networks
from attacks.update_match import Sent
from task import models
from task.facts import Images, TaskFacts
from task.models import weights
from task.seeding import generator

FACTS = TaskFacts(shape=(1, 8, 8), classes=10, outputs=10, model="digits-cnn", clients=3)
CATEGORIES = [3, 6]
OPTIONS = registry.options(
    "mgan-ai",
    {"victim": 1, "recipe": "paper", "network": "small", "steps": 1, "batch_size": 8, "discriminator_lr": 1e-12},
)


def images(count: int, seed: int) -> Images:
    """Return noise with the two categories in turn."""
    found = torch.rand(count, *FACTS.shape, generator=generator(seed))
    return Images(found, torch.tensor(CATEGORIES).repeat(count // 2))


def batches() -> Batches:
    """Return batches whose draws begin anew."""
    pools = (images(10, 1), images(20, 2))
    arguments: dict[str, Any] = {"generator": generator(7), "device": torch.device("cpu")}
    return Batches(OPTIONS, CATEGORIES, images(30, 3), pools, **arguments)


def yes(answers: Tensor) -> NDArray[np.float64]:
    """Return the probabilities of logits."""
    found: NDArray[np.float64] = 1 / (1 + np.exp(-answers.detach().double().numpy()))
    return found


def test_both_sides_lose_what_equation_4_says() -> None:
    """D: real against fake, and victim against others; G: its category, real, and the identity that it was told."""
    networks = Networks(OPTIONS, FACTS, generator(0))
    model = models.build("digits-cnn", FACTS.shape, FACTS.outputs, generator(5))
    update = {name: torch.zeros_like(tensor) for name, tensor in weights(model).items()}
    leaning, draws, half = weights(model), batches(), OPTIONS.batch_size // 2
    networks.shared.load_state_dict(leaning)
    make: Callable[..., Tensor] = networks.generator.train()

    noise, told, who = draws.conditions(half)
    fakes, known = make(noise, told, who), draws.auxiliary(half)
    real, fake = yes(networks.real(known.images, known.labels)), yes(networks.real(fakes, told))
    expected = {"real_loss": -(np.log(real).mean() + np.log(1 - fake).mean()) / 2}
    found = draws.representatives(half)
    mine = yes(networks.identity(found.images, found.labels))
    expected["identity_loss"] = -(np.log(mine[:half]).mean() + np.log(1 - mine[half:]).mean()) / 2

    noise, told, who = draws.conditions(OPTIONS.batch_size)
    made = make(noise, told, who)
    answers = networks.shared(made).detach().double().numpy()
    shares = np.exp(answers) / np.exp(answers).sum(1, keepdims=True)
    expected["generator_category_loss"] = -np.log(shares[np.arange(len(told)), told.numpy()]).mean()
    expected["generator_real_loss"] = -np.log(yes(networks.real(made, told))).mean()
    mine, asked = yes(networks.identity(made, told)), who.numpy()
    expected["generator_identity_loss"] = -np.where(asked == 1, np.log(mine), np.log(1 - mine)).mean()

    fresh = Networks(OPTIONS, FACTS, generator(0))
    sent = Sent(fresh.frozen(leaning), update, torch.full((10,), 0.1, dtype=torch.float64))
    losses = fresh.train(leaning, sent, batches(), 1)
    for name, value in expected.items():
        np.testing.assert_allclose(losses[name], value, rtol=1e-4, err_msg=name)
    assert set(losses) == set(expected)
    assert 0 < asked.sum() < len(asked)

"""What clients make of a model that knows the digits a little, and one step of gradient descent, for tests."""

import functools

import torch
from torch import Tensor, nn

from attacks.matching import Update
from task import models
from task.datasets import load, to_float
from task.facts import Images
from task.seeding import generator
from task.settings import OptimizerSettings
from task.training import make_optimizer, train

SHAPE = (1, 8, 8)
Problem = tuple[nn.Module, dict[int, Update], dict[int, Images]]


@functools.cache
def problem(clients: int, *, held: int = 3, images: int = 30, batch_size: int = 10, trained: int = 5) -> Problem:
    """Return a model that knows the digits a little, and what clients of `held` random classes made of it.

    Returns:
        The model, the clients' updates and their images.

    """
    digits = load("digits", None)
    pixels, known = to_float(digits.train.images), digits.train.labels
    model = models.build("digits-cnn", SHAPE, 10, generator(0, "model"))
    settings = OptimizerSettings(lr=0.05)
    train(
        model,
        pixels[:500],
        known[:500],
        optimizer=make_optimizer(model, settings),
        batch_size=50,
        epochs=trained,
        generator=generator(0),
    )
    before = models.weights(model)
    updates: dict[int, Update] = {}
    truth = {}
    for client in range(clients):
        draws = generator(1, client)
        classes = torch.randperm(10, generator=draws)[:held].tolist()
        own = torch.cat([(known == one).nonzero()[: images // held, 0] for one in classes])
        model.load_state_dict(before)
        optimizer = make_optimizer(model, settings)
        train(
            model, pixels[own], known[own], optimizer=optimizer, batch_size=batch_size, epochs=1, generator=generator(2)
        )
        updates[client] = {name: after - before[name] for name, after in models.weights(model).items()}
        truth[client] = Images(pixels[own], known[own])
    model.load_state_dict(before)
    model.zero_grad(set_to_none=True)
    return model.double().eval().requires_grad_(requires_grad=False), updates, truth


def linear(outputs: int, *, bias: bool = True) -> nn.Module:
    """Return one linear layer on the pixels, of random weights."""
    model = models.initialised(lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, outputs, bias=bias)), generator(3))
    return model.double().eval().requires_grad_(requires_grad=False)


def step(model: nn.Module, images: Tensor, known: Tensor, rate: float = 0.1) -> dict[str, Tensor]:
    """Return one step of gradient descent: -rate times the gradient of the mean cross-entropy."""
    model = model.requires_grad_()
    loss = nn.functional.cross_entropy(model(images), known)
    parts = torch.autograd.grad(loss, list(model.parameters()))
    model.requires_grad_(requires_grad=False)
    return {name: -rate * part for (name, _), part in zip(model.named_parameters(), parts, strict=True)}

"""Would it pay to train many virtual clients of one model at once (torch.func, vmap over clients)?

    python -m benchmarks.clients_at_once [--clients 1000] [--at-once 32] [--repeats 3]

For each of some shared models, all clients take their local steps of SGD one after another, as the federation does, and
in groups by `torch.func.vmap` over their weights and images. Prints the median seconds of both, their ratio, and how
far the weights end from each other. The images are random: what is computed does not depend on them. One thread.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from task import models
from task.models import Shape
from task.seeding import generator
from task.settings import OptimizerSettings
from task.training import make_optimizer, train

RATE, OUTPUTS = 0.1, 10


@dataclass(frozen=True)
class Case:
    """A shared model, the shape of its images, and what a client does with so many of them in a round."""

    model: str
    shape: Shape
    images: int
    batch_size: int


CASES = (
    Case("softmax-regression", (1, 8, 8), 32, 32),
    Case("digits-cnn", (1, 8, 8), 60, 20),
    Case("sun-cnn", (1, 28, 28), 60, 20),
)


def build(case: Case) -> nn.Sequential:
    """Return the shared model as it is sent."""
    return models.build(case.model, case.shape, OUTPUTS, generator(0, "global model"))


def order(client: int) -> torch.Generator:
    """Return what draws the order of a client's images."""
    return generator(0, "client", client)


def one_by_one(case: Case, images: Tensor, labels: Tensor) -> list[dict[str, Tensor]]:
    """Return each client's weights; images [clients, N, C, H, W], labels [clients, N]."""
    model, found = build(case), []
    sent = models.weights(model)
    for client, (own, told) in enumerate(zip(images, labels, strict=True)):
        model.load_state_dict(sent)
        optimizer = make_optimizer(model, OptimizerSettings(name="sgd", lr=RATE))
        draws = order(client)
        train(model, own, told, optimizer=optimizer, batch_size=case.batch_size, epochs=1, generator=draws)
        found.append(models.weights(model))
    return found


def at_once(case: Case, images: Tensor, labels: Tensor, count: int) -> list[dict[str, Tensor]]:
    """Return the same, `count` clients at a time."""
    model, found = build(case).train(), []

    def loss(weights: dict[str, Tensor], own: Tensor, told: Tensor) -> Tensor:
        return functional.cross_entropy(functional_call(model, weights, (own,)), told)

    slopes = vmap(grad(loss))
    orders = torch.stack([torch.randperm(case.images, generator=order(one)) for one in range(len(images))])
    sent = {name: part.detach() for name, part in model.named_parameters()}
    for first in range(0, len(images), count):
        own, told, drawn = (part[first : first + count] for part in (images, labels, orders))
        mine = {name: part.expand(len(own), *part.shape).clone() for name, part in sent.items()}
        rows = torch.arange(len(own))[:, None]
        for start in range(0, case.images, case.batch_size):
            batch = drawn[:, start : start + case.batch_size]
            found_slopes = slopes(mine, own[rows, batch], told[rows, batch])
            mine = {name: part - RATE * found_slopes[name] for name, part in mine.items()}
        found += [{name: part[one] for name, part in mine.items()} for one in range(len(own))]
    return found


def timed(work: Callable[[], list[dict[str, Tensor]]], repeats: int) -> tuple[float, list[dict[str, Tensor]]]:
    """Return the median seconds of some work, and what came out."""
    work()  # once without the clock: libraries set themselves up
    taken: list[float] = []
    found: list[dict[str, Tensor]] = []
    for _ in range(repeats):
        began = time.perf_counter()
        found = work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken), found


def compare(case: Case, clients: int, count: int, repeats: int) -> tuple[float, float, float]:
    """Return the seconds one by one and at once, and the largest difference of a weight."""
    draws = generator(0, "images")
    images = torch.rand(clients, case.images, *case.shape, generator=draws) * 2 - 1
    labels = torch.randint(OUTPUTS, (clients, case.images), generator=draws)
    alone, theirs = timed(lambda: one_by_one(case, images, labels), repeats)
    together, ours = timed(lambda: at_once(case, images, labels, count), repeats)
    pairs = zip(ours, theirs, strict=True)
    apart = max((one[name] - other[name]).abs().max().item() for one, other in pairs for name in one)
    return alone, together, apart


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)  # as a participant does
    for case in CASES:
        alone, together, apart = compare(case, given.clients, given.at_once, given.repeats)
        steps = -(-case.images // case.batch_size)
        print(
            f"{case.model}, {case.images} images, {steps} steps, {given.clients} clients: one by one {alone:.2f} s, "
            f"{given.at_once} at once {together:.2f} s, ratio {alone / together:.1f}; weights apart {apart:.1e} at most"
        )


if __name__ == "__main__":
    main()

"""The same federation as a plain PyTorch loop without Flower: same seeds, same final weights.

    python -m benchmarks.bare_loop SCENARIO [--data DIR] [--rounds N] [--run DIR]

It prints the median seconds of a round on one core, and says whether its final weights are those of `oleander run`,
given that run's folder. Research on a server's attack uses it, too: a passive attack changes nothing, so that one loop
serves many variants.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from oleander import scenario as scenarios
from oleander.preflight import settle
from oleander.rundir import RunDirectory
from oleander.scenario import Scenario
from server_app.app import evaluation_set
from task import models
from task.datasets import load_task
from task.partitions import held
from task.private import images as own_images
from task.seeding import generator
from task.training import draw, evaluate, make_optimizer, optimizer_arrays, restore_optimizer, train

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Round:
    """One round: its number from 1, the model that was sent, what each client sent back, and the new model."""

    number: int
    sent: Weights
    replies: dict[int, Weights]
    aggregate: Weights


class Clients:
    """Honest participants of a scenario in this process.

    Args:
        scenario: settled.
        data: folder of the data sets.

    """

    def __init__(self, scenario: Scenario, data: str | None) -> None:
        self.scenario, self.task = scenario, scenario.task
        self.dataset = load_task(self.task, data)
        self.seed = scenario.federation.seed
        parts = held(self.dataset, self.task, scenario.federation.clients, self.seed)
        self.images = {one: own_images(self.dataset, self.task, one, part) for one, part in parts.items()}
        self.labels = {one: self.dataset.train.labels[part] for one, part in parts.items()}
        self._optimizers: dict[int, Weights] = {}
        self.model = models.build(self.task.model, self.dataset.shape, self.task.outputs or 0, torch.Generator())

    def initial(self) -> Weights:
        """Return the first global model."""
        draws = generator(self.seed, "global model")
        return models.weights(models.build(self.task.model, self.dataset.shape, self.task.outputs or 0, draws))

    def train(self, client: int, number: int, weights: Mapping[str, Tensor]) -> Weights:
        """Return what `client` makes of these weights in round `number`."""
        task = self.task

        def randomness(purpose: str) -> torch.Generator:
            return generator(self.seed, "client", client, purpose, number)

        self.model.load_state_dict(weights)
        optimizer = make_optimizer(self.model, task.optimizer)
        if task.optimizer.keep_state:
            restore_optimizer(optimizer, self._optimizers.get(client, {}))
        order = draw(len(self.labels[client]), task.images_per_round, randomness("draw"))
        train(
            self.model,
            self.images[client][order].float().div_(127.5).sub_(1),
            self.labels[client][order],
            optimizer=optimizer,
            batch_size=task.batch_size,
            epochs=task.local_epochs,
            generator=randomness("train"),
        )
        if task.optimizer.keep_state:
            self._optimizers[client] = optimizer_arrays(optimizer)
        return models.weights(self.model)


def mean(replies: list[Weights]) -> Weights:
    """Return the plain mean as Flower's FedAvg takes it."""
    share = 1.0 / len(replies)
    arrays = {name: sum(np.asarray(one[name]) * share for one in replies) for name in replies[0]}
    return {name: torch.from_numpy(np.asarray(array)) for name, array in arrays.items()}


def rounds(clients: Clients) -> Iterator[Round]:
    """Run the honest federation under FedAvg with equal weights, round by round."""
    weights = clients.initial()
    for number in range(1, clients.scenario.federation.rounds + 1):
        replies = {one: clients.train(one, number, weights) for one in sorted(clients.images)}
        aggregate = mean(list(replies.values()))
        yield Round(number, weights, replies, aggregate)
        weights = aggregate


def timed(
    scenario: Scenario, data: str | None, clock: Callable[[], float] = time.perf_counter
) -> tuple[list[float], Weights]:
    """Return what each round after the first takes by a clock, and the final weights.

    On one thread, as the participants compute; each new model is evaluated, as the server does.
    """
    threads, clients, final = torch.get_num_threads(), Clients(scenario, data), Weights()
    images, labels = evaluation_set(clients.dataset, scenario.task)
    torch.set_num_threads(1)
    taken, began = [], clock()
    for one in rounds(clients):
        final = one.aggregate
        clients.model.load_state_dict(final)
        evaluate(clients.model, images, labels)
        taken.append(clock() - began)
        began = clock()
    torch.set_num_threads(threads)
    return taken[1:], final


def alike(final: Weights, run: RunDirectory) -> str:
    """Say whether these are a run's final weights, byte for byte."""
    theirs = run.global_model() or {}
    same = theirs.keys() == final.keys() and all(torch.equal(theirs[name], final[name]) for name in final)
    return "same final weights" if same else "OTHER FINAL WEIGHTS"


def main() -> None:
    """Run it, print the speed, compare with a run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]  # it has one
    parser.add_argument("scenario")
    parser.add_argument("--data")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--run", type=Path, help="folder of a run of the same scenario and seed")
    given = parser.parse_args()
    overrides = [f"federation.rounds={given.rounds}"] if given.rounds else []
    scenario = settle(scenarios.load(given.scenario, overrides), given.data)
    taken, final = timed(scenario, given.data)
    seconds = statistics.median(taken) if taken else float("nan")
    sys.stdout.write(f"{seconds:.3f} s a round, {scenario.federation.clients} clients one after another\n")
    if given.run:
        sys.stdout.write(f"{alike(final, RunDirectory.open(given.run))} as {given.run}\n")


if __name__ == "__main__":
    main()

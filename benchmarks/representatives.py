"""Representatives of ten clients: SciPy's L-BFGS-B one client after another against all clients at once.

    python benchmarks/representatives.py [--data DIR] [--epochs 3] [--dtype float32] [--threads 2] [--clients 100]

The clients hold 100 MNIST images of three random digits each and take one local epoch of batches of 10 (SGD 0.002) from
a half-width network of Wang's that has learned for some epochs from the server's own images. Both paths get the same
precision, start and threads; but SciPy's own linear algebra gets one, since two pools of threads that wait for each
other slow the reference fivefold on two cores. For each way to solve the problems it prints seconds, the objective
(mean and largest over the clients) and how many times faster than SciPy it is; then the peak memory of two iterations
for 100 clients in chunks, measured in processes of their own.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from threadpoolctl import threadpool_limits
from torch import nn

from attacks.matching import Update
from attacks.representatives import Settings, estimate, estimate_scipy, losses
from task import models
from task.datasets import load, to_float
from task.partitions import partition
from task.seeding import generator
from task.settings import OptimizerSettings, PartitionSettings
from task.training import evaluate, make_optimizer, train

SHAPE, CLASSES, CLIENTS, IMAGES, OWN = (1, 28, 28), 10, 10, 100, 2000
WARM, LOCAL = OptimizerSettings(lr=0.02), OptimizerSettings(lr=0.002)
WAYS = {
    "batched, L-BFGS": Settings(),
    "batched, Adam": Settings(solver="adam", iterations=30),
    "batched, last layer, L-BFGS": Settings(head_iterations=22, iterations=0),
    "batched, last layer, Adam": Settings(solver="adam", head_iterations=35, iterations=0),
    "batched, both, L-BFGS": Settings(head_iterations=15, iterations=5),
    "batched, both, Adam": Settings(solver="adam", head_iterations=30, iterations=5),
}
ONE_BY_ONE = "SciPy, one by one"
MEBIBYTE = 2**10  # ru_maxrss counts in KiB


@dataclass(frozen=True)
class Solved:
    """How a way to solve the problems did: its wall and CPU seconds, and what is left of each client's objective."""

    name: str
    settings: Settings
    seconds: float
    cpu: float
    losses: list[float]


def federation(data: str | None, epochs: int) -> tuple[nn.Module, dict[int, Update], float]:
    """Return the shared model, what each client makes of it in a round, and the model's accuracy."""
    mnist = load("mnist", data)
    images, labels = to_float(mnist.test.images), mnist.test.labels
    model = models.build("wang-cnn-half", SHAPE, CLASSES, generator(0, "model"))
    train(
        model,
        images[:OWN],
        labels[:OWN],
        optimizer=make_optimizer(model, WARM),
        batch_size=IMAGES // 10,
        epochs=epochs,
        generator=generator(0, "warm"),
    )
    accuracy = evaluate(model, images[OWN:], labels[OWN:]).accuracy
    dealt = PartitionSettings(kind="random-classes", classes_per_client=3, images=IMAGES)
    before, updates = models.weights(model), {}
    for client, own in enumerate(partition(mnist.train.labels, CLASSES, dealt, CLIENTS, 0)):
        model.load_state_dict(before)
        train(
            model,
            to_float(mnist.train.images[own]),
            mnist.train.labels[own],
            optimizer=make_optimizer(model, LOCAL),
            batch_size=IMAGES // 10,
            epochs=1,
            generator=generator(0, "client", client),
        )
        updates[client] = {name: part - before[name] for name, part in models.weights(model).items()}
    model.load_state_dict(before)
    return model.eval().requires_grad_(requires_grad=False), updates, accuracy


def compare(model: nn.Module, updates: dict[int, Update], ways: Mapping[str, Settings]) -> Iterator[Solved]:
    """Solve the same problems by SciPy, one client after another, and in each of some ways."""
    few = {client: updates[client] for client in list(updates)[:2]}
    for solve in (estimate, estimate_scipy):  # once without the clock: libraries set themselves up
        solve(model, few, SHAPE, Settings(iterations=2), generator(1))
    threadpool_limits(1, user_api="blas")  # now that SciPy is loaded
    for name, settings in {ONE_BY_ONE: Settings(), **ways}.items():
        solve = estimate_scipy if name == ONE_BY_ONE else estimate
        began, worked = time.perf_counter(), time.process_time()
        found = solve(model, updates, SHAPE, settings, generator(1))
        seconds, cpu = time.perf_counter() - began, time.process_time() - worked
        yield Solved(name, settings, seconds, cpu, list(losses(model, updates, found, settings).values()))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("OLEANDER_DATA"), help="folder that holds MNIST")
    parser.add_argument("--epochs", type=int, default=3, help="of the shared model before the round; 0 for a fresh one")
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float32", help="of both paths")
    parser.add_argument("--threads", type=int, default=2, help="of both paths")
    parser.add_argument("--clients", type=int, default=100, help="0 to leave the memory out")
    parser.add_argument("--chunk", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model, updates, accuracy = federation(options.data, options.epochs)
    model = model.to(getattr(torch, options.dtype))
    if options.chunk:
        updates = {client: updates[client % CLIENTS] for client in range(options.clients)}
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        estimate(model, updates, SHAPE, Settings(iterations=2, chunk=options.chunk), generator(1))
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"{after / MEBIBYTE:.0f} MiB at most, {(after - before) / MEBIBYTE:.0f} MiB more than before")
        return
    print(f"{CLIENTS} clients, model of accuracy {accuracy:.2f}, {torch.get_num_threads()} threads, {options.dtype}")
    base = 0.0
    for one in compare(model, updates, WAYS):
        base = base or one.seconds
        print(
            f"{one.name:28s} {one.settings.head_iterations:>3d} + {one.settings.iterations} iterations: "
            f"{one.seconds:6.2f} s ({one.cpu:.2f} s CPU), loss {statistics.mean(one.losses):.4f}, "
            f"at most {max(one.losses):.4f}; {base / one.seconds:.1f} times SciPy"
        )
    clients = options.clients
    for chunk in (4, Settings().chunk, clients) if clients else ():
        again = [sys.executable, __file__, *sys.argv[1:], "--chunk", str(chunk), "--clients", str(clients)]
        done = subprocess.run(again, check=True, capture_output=True, text=True)  # noqa: S603 - this very file
        print(f"{clients} clients in chunks of {chunk}: {done.stdout.strip()}")


if __name__ == "__main__":
    main()

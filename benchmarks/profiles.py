"""Where an attack's time goes, operator by operator: what is left to remove, and what is PyTorch's own work.

    python -m benchmarks.profiles [NAME ...] [--top 5] [--data DIR]

Prints for each attack the seconds of one round (or fit) on one thread, the shares of the operators that take longest,
and the share that no operator has: Python, and what calls them. Shares are of a second go, under torch.profiler.
"""

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch.profiler import ProfilerActivity, profile

from attacks import class_membership, gan, mgan_ai, registry
from attacks.representatives import Settings, estimate
from attacks.views import ParticipantView, ServerView
from benchmarks import anti_gan_fit
from benchmarks.representatives import SHAPE, federation
from benchmarks.running import command, known
from defenses import anti_gan
from task import models
from task.datasets import load, to_float
from task.facts import Images, TaskFacts
from task.seeding import generator

Work = Callable[[], object]


def gan_round(data: str | None) -> Work:
    """Return a round of Sun's generator against the shared model of MNIST, 500 steps."""
    facts = TaskFacts(shape=SHAPE, classes=10, outputs=11, model="sun-cnn", clients=11)
    attack = gan.build(gan.Options(target=3, start_round=1), facts, generator(0, "attack"))
    model = models.build("sun-cnn", SHAPE, 11, generator(0, "model")).eval().requires_grad_(requires_grad=False)
    digits = load("mnist", data).train
    own = Images(to_float(digits.images[:100]), digits.labels[:100])
    view = ParticipantView(round=1, global_model=model, own_data=own, accuracy=1.0)
    return lambda: attack.observe(view, generator(0, "round"))


def mgan_ai_round(data: str | None) -> Work:
    """Return a round of passive mGAN-AI against ten clients, their representatives left out."""
    model, updates, _ = federation(data, 1)
    digits = load("mnist", data).test
    facts = TaskFacts(shape=SHAPE, classes=10, outputs=10, model="wang-cnn-half", clients=len(updates))
    options = {"victim": 0, "start_round": 1, "network": "small", "representatives_every": 1000}
    attack = mgan_ai.build(registry.options("mgan-ai", options), facts, generator(0, "attack"))
    auxiliary = Images(to_float(digits.images), digits.labels)
    view = ServerView(
        round=2, last=False, global_model=model, aggregate=model, updates=updates, accuracy=0.9, auxiliary=auxiliary
    )
    attack.observe(view, generator(0, "first"))  # the representatives
    return lambda: attack.observe(view, generator(0, "round"))


def representatives(data: str | None) -> Work:
    """Return the estimate of ten clients' representatives, all layers."""
    model, updates, _ = federation(data, 1)
    return lambda: estimate(model, updates, SHAPE, Settings(), generator(1))


def look_alikes(data: str | None) -> Work:
    """Return a tenth of Anti-GAN's fit to 5,000 images of one class."""
    own = anti_gan_fit.sixes(5000, data)
    default = anti_gan.Options()
    options = replace(default, steps=max(1, default.steps // 10))
    return lambda: anti_gan_fit.seconds(own, options, 1)


def membership(data: str | None) -> Work:
    """Return the fit of the in / out networks of ten labels, 500 prediction vectors each."""
    del data
    draws = generator(0, "vectors")
    vectors, member = torch.rand(5000, 10, generator=draws), torch.rand(5000, generator=draws).round().bool()
    labels, options = torch.arange(5000) % 10, class_membership.Options()
    return lambda: class_membership.fit(
        vectors, labels, member, classes=10, options=options, generator=generator(0, "networks")
    )


CASES: dict[str, Callable[[str | None], Work]] = {
    "gan": gan_round,
    "mgan-ai": mgan_ai_round,
    "representatives": representatives,
    "anti-gan": look_alikes,
    "class-membership": membership,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CASES))
    parser.add_argument("--top", type=int, default=5, help="operators that are named")
    parser.add_argument("--data", default=os.environ.get("OLEANDER_DATA"), help="folder that holds MNIST")
    options = parser.parse_args()
    known(parser, options.names, CASES)
    torch.set_num_threads(1)
    for name in options.names or CASES:
        work = CASES[name](options.data)
        work()  # once without the clock: libraries set themselves up
        began = time.perf_counter()
        work()
        seconds, began = time.perf_counter() - began, time.perf_counter()
        with profile(activities=[ProfilerActivity.CPU]) as seen:
            work()
            profiled = time.perf_counter() - began
        found = sorted(seen.key_averages(), key=lambda one: -one.self_cpu_time_total)
        shares = {one.key.removeprefix("aten::"): one.self_cpu_time_total / 1e6 / profiled for one in found}
        named = ", ".join(f"{key} {share:.0%}" for key, share in list(shares.items())[: options.top])
        print(f"{name}: {seconds:.2f} s; {named}; in no operator {1 - sum(shares.values()):.0%}", flush=True)


if __name__ == "__main__":
    command(main)

"""Time what Anti-GAN costs a participant before its first round: the fit, and the making of what is published.

    python benchmarks/anti_gan_fit.py [--images 5000] [--published 1000] [--repeats 3] [--data DIR]

On one thread, for one class, with each of the networks at the default settings: sixes of 28x28 from MNIST, or, where
that is not at hand, digits of 8x8 enlarged to that size, which changes nothing in what is computed. Medians.
"""

import argparse
import statistics
import time
from dataclasses import replace

import torch
from torch.nn import functional

from defenses import anti_gan
from task import datasets
from task.facts import Images, TaskFacts
from task.seeding import generator
from task.settings import SettingsError

CLASS, SIDE = 6, 28


def sixes(count: int, data: str | None) -> Images:
    """Return so many images of one class, drawn with replacement where there are fewer."""
    try:
        dataset = datasets.load("mnist", data)
    except SettingsError:
        dataset = datasets.load("digits", data)
    of_class = dataset.train.images[dataset.train.labels == CLASS]
    images = functional.interpolate(datasets.to_float(of_class), size=(SIDE, SIDE))
    print(f"{count} images of class {CLASS} of {dataset.name}")
    return Images(images[torch.arange(count) % len(images)], torch.full((count,), CLASS))


def seconds(own: Images, options: anti_gan.Options, published: int) -> tuple[float, float]:
    """Return how long the fit takes, and the making of what is published."""
    facts = TaskFacts(shape=(1, SIDE, SIDE), classes=10, outputs=10, model="sun-cnn", clients=1)
    maker, draws = anti_gan.LookAlikes(options, facts, generator(0)), generator(1)
    began = time.monotonic()
    maker.learn(own, draws, lambda _: None)
    fitted = time.monotonic()
    maker.make(own.labels[:1].repeat(published), draws)
    return fitted - began, time.monotonic() - fitted


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=5000, help="of the participant")
    parser.add_argument("--published", type=int, default=1000, help="look-alikes that are made")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--data", help="folder of the data sets")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    own = sixes(chosen.images, chosen.data)
    plain = {"lambda1": 0.0, "lambda2": 0.0}
    for name in ("dense", "conv"):
        for what, changes in (("", {}), (", a plain GAN", plain)):
            options = replace(anti_gan.Options(network=name), **changes)
            runs = [seconds(own, options, chosen.published) for _ in range(chosen.repeats)]
            fit, make = (statistics.median(column) for column in zip(*runs, strict=True))
            default = " (the default)" if not what and name == anti_gan.Options().network else ""
            print(
                f"{name}{what}{default}: fit {fit:.1f} s ({options.steps} steps), "
                f"{chosen.published} look-alikes {make:.1f} s, together {fit + make:.1f} s"
            )


if __name__ == "__main__":
    main()

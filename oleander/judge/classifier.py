"""The independent judge: a small classifier with one class more, "not of this data".

It took no part in the federation: it is trained on public training images, on those that no participant holds as far as
there are enough of them. Whoever is fooled by noise (the federation's own model is, and a plain classifier is just as
much) says nothing about a theft; hence the extra class (oleander.judge.noise), and hence its own accuracy on held-out
images and on kinds of noise that it never saw, stated beside every verdict.
"""

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from oleander.judge import augment, noise
from task.models import initialised
from task.seeding import generator
from task.training import logits

FEATURES = 64
SMALLEST = 7
NOISE_IMAGES = 1000

Show = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
"""Turns real images and their labels into what the judge is shown in a step, and the answers wanted of it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the judge is trained.

    Attributes:
        steps: optimizer steps; None for 400 where images have up to 14 pixels a side, else 800.
        batch_size: real images a step.
        noise_share: images of nothing a step, as a share of the real ones.
        lr: highest learning rate of AdamW; it rises over the first tenth and then falls to 0 along a cosine.
        weight_decay: of AdamW.
        seed: of all randomness.

    """

    steps: int | None = None
    batch_size: int = 96
    noise_share: float = 0.4
    lr: float = 0.004
    weight_decay: float = 0.02
    seed: int = 0


class Judge(nn.Module):
    """Convolutions until at most 7 pixels a side are left, then FEATURES features, then the classes and the extra one.

    Args:
        shape: (C, H, W) of an image.
        classes: real classes; output number `classes` is "not of this data".

    """

    def __init__(self, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        self.classes, self.num_features = classes, FEATURES
        channels, height, width = shape
        layers: list[nn.Module] = []
        out = 16
        if min(height, width) <= 2 * SMALLEST:  # of a small image one layer looks at every pixel first
            layers += [nn.Conv2d(channels, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU()]
            channels, out = out, 2 * out
        while min(height, width) > SMALLEST:
            layers += [nn.Conv2d(channels, out, 3, stride=2, padding=1), nn.BatchNorm2d(out), nn.ReLU()]
            channels, height, width, out = out, (height + 1) // 2, (width + 1) // 2, min(64, 2 * out)
        self.body = nn.Sequential(*layers, nn.Flatten())
        self.neck = nn.Sequential(nn.Dropout(0.25), nn.Linear(channels * height * width, FEATURES), nn.ReLU())
        self.head = nn.Linear(FEATURES, classes + 1)

    def features(self, images: Tensor) -> Tensor:
        """Return float32 [N, FEATURES] for images float32 [N, C, H, W] in [-1, 1]."""
        found: Tensor = self.neck(self.body(images))
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Return logits float32 [N, classes + 1]."""
        found: Tensor = self.head(self.features(images))
        return found


def build(shape: tuple[int, int, int], classes: int, seed: int) -> Judge:
    """Return an untrained judge, its weights drawn from the seed alone."""
    return initialised(lambda: Judge(shape, classes), generator(seed, "judge", "weights"))


def lightly(images: Tensor, labels: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """Show images a little changed (oleander.judge.augment), to be taken for their classes."""
    return augment.lightly(images, draw), labels


def train(images: Tensor, labels: Tensor, classes: int, settings: Settings, show: Show = lightly) -> Judge:
    """Train a judge, on one thread, so that its weights do not depend on how many the machine has.

    Every class is as likely in a batch as any other: a judge that has seen more of one favours it in doubt.

    Args:
        images: float32 [N, C, H, W] in [-1, 1].
        labels: int64 [N] below `classes`.
        classes: real classes.
        settings: see Settings; the same ones and the same images give the same judge.
        show: what to show of a batch, with answers below `classes`.

    """
    channels, height, width = images.shape[1:]
    model = build((channels, height, width), classes, settings.seed)
    steps = settings.steps or (400 if min(height, width) <= 2 * SMALLEST else 800)
    draw = generator(settings.seed, "judge", "training")
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)
    nothing = max(len(noise.TRAINED), int(settings.batch_size * settings.noise_share))
    shares = 1 / torch.bincount(labels)[labels].double()
    model.train()
    with one_thread(), torch.random.fork_rng(devices=[]):  # dropout knows no generator of its own
        torch.manual_seed(draw.initial_seed())
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = settings.lr * _rate(step / steps)
            chosen, seeds = (
                torch.multinomial(shares, count, replacement=True, generator=draw)
                for count in (settings.batch_size, nothing)
            )
            shown, answers = show(images[chosen], labels[chosen], draw)
            given = torch.cat([shown, noise.mixture(images[seeds], noise.TRAINED, draw)])
            wanted = torch.cat([answers, torch.full((nothing,), classes)])
            optimizer.zero_grad(set_to_none=True)
            loss = functional.cross_entropy(model(given), wanted)
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimizer.step()
    return model.eval()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread meanwhile: sums taken in parts, one a thread, differ in their last digits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _rate(share: float) -> float:
    """Return the learning rate, as a share of the highest, after this share of the steps."""
    rise = 0.1
    return share / rise if share < rise else 0.5 + 0.5 * math.cos(math.pi * (share - rise) / (1 - rise))


def verdicts(model: Judge, images: Tensor) -> Tensor:
    """Return the class int64 [N] that the judge sees in each image; `model.classes` for "not of this data"."""
    return logits(model, images).argmax(1) if len(images) else torch.empty(0, dtype=torch.int64)


@dataclass(frozen=True, kw_only=True)
class Trust:
    """How far the judge can be trusted, on images that it was not trained on.

    Attributes:
        test_accuracy: share of real test images that it puts in the right class; `test_images` of them.
        by_class: the same for each class; NaN where there are no test images.
        noise_accuracy: share of noise that it refuses, over the kinds that it never saw (noise.UNSEEN).
        noise_accuracy_trained: the same over the kinds that it was trained on (noise.TRAINED).
        noise_by_kind: the same for each kind.

    """

    test_accuracy: float
    test_images: int
    by_class: tuple[float, ...]
    noise_accuracy: float
    noise_accuracy_trained: float
    noise_by_kind: dict[str, float]


def examine(model: Judge, images: Tensor, labels: Tensor, draw: torch.Generator) -> Trust:
    """Try the judge on real test images float32 [N, C, H, W], labels int64 [N], and on noise (1,000 at most)."""
    right = (verdicts(model, images) == labels).double()
    by_class = tuple(right[labels == one].mean().item() for one in range(model.classes))
    kinds = {
        name: (verdicts(model, kind(images[:NOISE_IMAGES], draw)) == model.classes).double().mean().item()
        for name, kind in (noise.TRAINED | noise.UNSEEN).items()  # type: ignore[operator]  # both are dicts
    }
    return Trust(
        test_accuracy=right.mean().item(),
        test_images=len(images),
        by_class=by_class,
        noise_accuracy=sum(kinds[kind] for kind in noise.UNSEEN) / len(noise.UNSEEN),
        noise_accuracy_trained=sum(kinds[kind] for kind in noise.TRAINED) / len(noise.TRAINED),
        noise_by_kind=kinds,
    )

"""The judge of a private property: does an image show its category, and as only the victim holds it?

Every image is answered for by category (the data set's classes), property (with or without) and "not of this data".
Like the independent judge, it took no part in the federation and never saw an image of the victim's; its accuracy is
stated on images that it was not trained on, and on the victim's real ones.

A marked attribute is judged by oleander.judge.marks. For turned images one network has an output for each category
upright, one for each turned, and one for nothing. Both kinds are made from the same public upright images by one
resampling each: had the turned ones been turned before, they would be more blurred than the others, and blur, of which
stolen images have plenty, would be taken for a turn.
"""

from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from oleander.judge import augment, classifier
from oleander.judge.classifier import Judge, Settings
from task.training import logits

TURNED = 30.0
"""Degrees asked for unless told otherwise."""
SWAY = 5.0
"""Degrees either way by which an upright or turned image may be off in training."""


class Verdicts(NamedTuple):
    """What the judge sees in each of N images.

    Attributes:
        category: int64 [N], the likeliest category, also of what it takes for nothing.
        marked: bool [N], whether the image has the property.
        junk: bool [N], whether it is not of this data; then the other two mean nothing.

    """

    category: Tensor
    marked: Tensor
    junk: Tensor


class PropertyJudge(Protocol):
    """Answers for category and property."""

    @property
    def classes(self) -> int:
        """Categories of the data set."""
        ...

    @property
    def by_category(self) -> Judge:
        """The judge of categories alone, whatever the property; its features stand for an image."""
        ...

    def verdicts(self, images: Tensor) -> Verdicts:
        """Return what the judge sees in images float32 [N, C, H, W] in [-1, 1]."""
        ...


class Categories(Judge):
    """A judge of turned images, asked for categories alone: the probability of each is that of its two outputs.

    Args:
        network: a judge with twice as many classes, upright and turned.

    """

    def __init__(self, network: Judge) -> None:
        nn.Module.__init__(self)  # it has no layers of its own
        self.network = network
        self.classes, self.num_features = network.classes // 2, network.num_features

    def features(self, images: Tensor) -> Tensor:
        """Return the network's features."""
        return self.network.features(images)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits float32 [N, classes + 1]: of each category and of nothing."""
        answers: Tensor = self.network(images)
        both = answers[:, :-1].reshape(-1, 2, self.classes).logsumexp(1)
        return torch.cat([both, answers[:, -1:]], 1)


class TurnedJudge:
    """One network for all: outputs are the categories upright, the categories turned, nothing.

    Args:
        network: a judge with twice as many classes as there are categories.

    """

    def __init__(self, network: Judge) -> None:
        self.network, self.classes = network, network.classes // 2
        self.by_category: Judge = Categories(network)

    def verdicts(self, images: Tensor) -> Verdicts:
        """Return the likeliest of all outputs, in parts."""
        answers = logits(self.network, images)
        best = answers[:, :-1].argmax(1)
        junk = answers.argmax(1) == 2 * self.classes
        return Verdicts(best % self.classes, best >= self.classes, junk)


def settings(shape: tuple[int, int, int], seed: int = 0) -> Settings:
    """Return how a judge of turned images [C, H, W] is trained: longer than one that is asked for categories alone."""
    small = min(shape[1:]) <= 2 * classifier.SMALLEST
    return Settings(steps=400 if small else 1200, batch_size=128, seed=seed)


def train(
    images: Tensor, labels: Tensor, classes: int, degrees: float = TURNED, how: Settings | None = None
) -> TurnedJudge:
    """Train a judge of turned images.

    Args:
        images: public upright images float32 [N, C, H, W] in [-1, 1], none of them the victim's.
        labels: int64 [N] below `classes`.
        classes: categories.
        degrees: by which the victim's images are turned, counter-clockwise; 0 for TURNED.
        how: of the training; None for `settings`.

    """
    channels, height, width = images.shape[1:]

    def show(batch: Tensor, wanted: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        marked = torch.rand(len(batch), generator=draw) < 0.5  # noqa: PLR2004  # half of them
        turned = augment.lightly(batch, draw, SWAY, (degrees or TURNED) * marked)
        return turned, wanted + classes * marked

    how = how or settings((channels, height, width))
    return TurnedJudge(classifier.train(images, labels, 2 * classes, how, show))

"""The judge of a marked attribute (glasses, say): a category network, and a linear classifier of edges.

There are few public images with the mark, and of the classes by which it is judged none at all: whoever holds those is
the victim. A network that learns from them learns persons, not glasses (measured on AT&T: 23 % of the victim's images
of such classes). So the mark is judged

- by a ridge regression on histograms of oriented gradients (Dalal and Triggs 2005, Histograms of Oriented Gradients for
  Human Detection), without any image of the classes that are judged;
- against the class's own public images without the mark: an image has it if its score is above their mean by more than
  half of what lies between marked and unmarked images of classes that the regression never saw.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from oleander.judge import augment
from oleander.judge.classifier import Judge
from oleander.judge.properties import SWAY, Verdicts
from task.seeding import generator
from task.settings import expect
from task.training import logits

CELLS, BINS, RIDGE, COPIES = 10, 8, 3.0, 6
SMOOTH = 1 / 32  # of the side: over so many pixels either way an image is averaged first, against noise
EVEN = 0.1  # added to a neighbourhood's contrast, so that flat ones stay dark
BLUR, SPECKLE = 2, 0.35


def edges(images: Tensor) -> Tensor:
    """Return histograms of oriented gradients, each divided by the contrast of its neighbourhood.

    Args:
        images: float32 [N, C, H, W] in [-1, 1]; colours are averaged.

    Returns:
        float64 [N, BINS * cells * cells], about CELLS cells a side, from 0.

    """
    side = min(images.shape[2:])
    grey = _averaged(images.mean(1, keepdim=True), round(SMOOTH * side))
    wide = functional.pad(grey, (1, 1, 1, 1), mode="replicate")
    across, down = wide[:, :, 1:-1, 2:] - wide[:, :, 1:-1, :-2], wide[:, :, 2:, 1:-1] - wide[:, :, :-2, 1:-1]
    size = (across.square() + down.square() + 1e-8).sqrt()
    place = torch.atan2(down, across).remainder(math.pi) / math.pi * BINS
    low = place.floor()
    share = place - low
    found = torch.zeros(len(images), BINS, *images.shape[2:])
    found.scatter_add_(1, low.long() % BINS, size * (1 - share))
    found.scatter_add_(1, (low.long() + 1) % BINS, size * share)
    cells = functional.avg_pool2d(found, max(1, side // CELLS))
    contrast = functional.avg_pool2d(cells.square().sum(1, keepdim=True), 3, stride=1, padding=1).sqrt()
    return (cells / (contrast + EVEN)).flatten(1).double()


@dataclass(frozen=True, kw_only=True, eq=False)
class Mark:
    """A trained judge of the mark.

    Attributes:
        weights, centre: float64 [D]; an image's score is the product of the first with its edges less the second.
        usual: float64 [classes], the mean score of a class's public images without the mark; of a class without such
            the mean of all classes.
        above: float64, how far above that an image with the mark lies.
        held_out: float64, balanced accuracy on public images of classes that neither the regression nor the threshold
            had seen.

    """

    weights: Tensor
    centre: Tensor
    usual: Tensor
    above: Tensor
    held_out: Tensor

    def scores(self, images: Tensor) -> Tensor:
        """Return the scores float64 [N]; higher with the mark."""
        return (edges(images) - self.centre) @ self.weights

    def present(self, images: Tensor, category: Tensor) -> Tensor:
        """Say of each image, taken to be of its category int64 [N], whether it has the mark; bool [N]."""
        return self.scores(images) - self.usual[category] > self.above


class MarkedJudge:
    """Category by a network, the mark by its edges.

    Args:
        network: a judge of the categories.
        mark: a judge of the mark.

    """

    def __init__(self, network: Judge, mark: Mark) -> None:
        self.mark, self.classes = mark, network.classes
        self.by_category: Judge = network

    def verdicts(self, images: Tensor) -> Verdicts:
        """Return the network's category and what it refuses; whether the mark is there, as of that category."""
        answers = logits(self.by_category, images)
        category = answers[:, :-1].argmax(1)
        return Verdicts(category, self.mark.present(images, category), answers.argmax(1) == self.classes)


def train(images: Tensor, labels: Tensor, marked: Tensor, *, judged: Sequence[int], classes: int, seed: int) -> Mark:
    """Train a judge of a mark.

    Args:
        images: public images float32 [N, C, H, W] in [-1, 1], none of them the victim's.
        labels: int64 [N] below `classes`.
        marked: bool [N].
        judged: classes by which the mark is judged: of these, only the images without it are looked at, for `usual`.
        classes: of the data set.
        seed: of the small changes that images are shown with.

    Raises:
        SettingsError: where there are not two classes with marked images and two without, beside those judged.

    """
    others = ~torch.isin(labels, torch.tensor(list(judged), dtype=torch.int64))
    truth, whose = marked[others].repeat(2), labels[others].repeat(2)
    with_mark, without = sorted(set(whose[truth].tolist())), sorted(set(whose[~truth].tolist()))
    expect(
        min(len(with_mark), len(without)) > 1,
        "two public classes with the mark and two without, beside those that have both",
        (len(with_mark), len(without)),
        "Without them nothing public tells what the mark looks like.",
    )
    given = torch.cat([images[others], images[others].flip(3)])  # in a mirror, too
    copies = (worn(given, generator(seed, "judge", "mark", copy)) for copy in range(COPIES))
    seen = [edges(given), *(edges(one) for one in copies)]
    scores, folds = torch.empty(len(truth), dtype=torch.float64), torch.empty(len(truth), dtype=torch.int64)
    for fold, one in enumerate(with_mark):  # each with a share of the classes without
        left_out = torch.isin(whose, torch.tensor([one, *without[fold :: len(with_mark)]]))
        weights, centre = ridge([part[~left_out] for part in seen], truth[~left_out])
        scores[left_out], folds[left_out] = (seen[0][left_out] - centre) @ weights, fold
    weights, centre = ridge(seen, truth)
    plain = (edges(images[~marked]) - centre) @ weights
    of = [plain[labels[~marked] == label] for label in range(classes)]
    above = (scores[truth].mean() - scores[~truth].mean()) / 2
    return Mark(
        weights=weights,
        centre=centre,
        usual=torch.stack([one.mean() if len(one) else plain.mean() for one in of]),
        above=above,
        held_out=_balanced(above_the_others(scores, truth, folds), truth),
    )


def above_the_others(scores: Tensor, truth: Tensor, folds: Tensor) -> Tensor:
    """Say of each score whether it is nearer to the marked ones' mean; the means are those of the other folds."""
    found = torch.empty_like(truth)
    for fold in set(folds.tolist()):
        known, asked = folds != fold, folds == fold
        found[asked] = scores[asked] > (scores[known & truth].mean() + scores[known & ~truth].mean()) / 2
    return found


def ridge(shown: Sequence[Tensor], marked: Tensor) -> tuple[Tensor, Tensor]:
    """Fit +1 for marked and -1 for the others, both kinds with equal weight; return weights and centre.

    The normal equations have as many unknowns as there are edges, however many images there are.
    """
    truth = marked.double() * 2 - 1
    share = torch.where(marked, 0.5 / marked.sum(), 0.5 / (~marked).sum()) * len(marked)
    centre = torch.stack([(part * share[:, None]).mean(0) for part in shown]).mean(0)
    strength = RIDGE * shown[0].var(0).sum()
    products, wanted = strength * torch.eye(len(centre), dtype=torch.float64), torch.zeros_like(centre)
    for part in shown:
        x = part - centre  # the mean of the truth is 0, since both kinds weigh the same
        weighed = x * share[:, None]
        products += weighed.T @ x
        wanted += weighed.T @ truth
    return torch.linalg.solve(products, wanted), centre


def worn(images: Tensor, draw: torch.Generator) -> Tensor:
    """Change images a little, two thirds of them blurred and half of them noisy, as stolen images often are."""
    images = augment.lightly(images, draw, SWAY)
    radius = torch.randint(BLUR + 1, (len(images), 1, 1, 1), generator=draw)
    for size in range(1, BLUR + 1):
        images = torch.where(radius == size, _averaged(images, size), images)
    speckle = (SPECKLE * (2 * torch.rand(len(images), 1, 1, 1, generator=draw) - 1)).clamp(min=0)
    return (images + speckle * torch.randn(images.shape, generator=draw)).clamp(-1, 1)


def _averaged(images: Tensor, radius: int) -> Tensor:
    """Return each pixel's mean over so many pixels either way."""
    padded = functional.pad(images, (radius,) * 4, mode="replicate")
    return functional.avg_pool2d(padded, 2 * radius + 1, stride=1)


def _balanced(found: Tensor, truth: Tensor) -> Tensor:
    """Return the mean of the shares that are right among those with and those without."""
    return (found[truth].double().mean() + (~found[~truth]).double().mean()) / 2

"""RIAFI: of what worth to the shared model is what a defended participant publishes in place of its images?

Xinjian Luo, Xiangqi Zhu: Exploiting Defenses against GAN-Based Feature Inference Attacks in Federated Learning (2020),
section 4.1, "Real-Image Accuracy from Fake Images": train the classifier on what is published, and test it on the real
images. The shared model is trained here from scratch on the published images of the participant's classes and on real
ones of all other classes, the same number of each; a classifier that knew no other class would always be right.

Differences from the paper, which says no more than the above:
1. The number is given twice: on the participant's own images, to which its look-alikes were fitted (the paper's), and
   on held-out test images, beside the accuracy on the other classes.
2. The same classifier trained on the participant's real images is the yardstick.
3. Adam with learning rate 0.001, batches of 64, about 800 steps, at most 50 epochs; at most 1,000 images
   of a class.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from oleander.judge import training_set
from oleander.judge.classifier import one_thread
from task import models
from task.facts import Images
from task.seeding import generator
from task.settings import OptimizerSettings
from task.training import logits, make_optimizer, train


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the classifier is trained.

    Attributes:
        images: of a class at most.
        steps: of the optimizer, about; fewer where they would be more than ...
        epochs: ... so many passes, which few images need no more of.
        batch_size, lr: of Adam.

    """

    images: int = 1000
    steps: int = 800
    epochs: int = 50
    batch_size: int = 64
    lr: float = 0.001


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """What a classifier is trained and tested on.

    Attributes:
        model: name of the shared model (task.models).
        outputs: classes of the data set.
        own: the participant's real images.
        published: what it trains on in place of them, of the same classes.
        others: real training images of the other classes.
        test: held-out images of all these classes, those of its own as the participant would hold them.
        seed: of all draws.

    """

    model: str
    outputs: int
    own: Images
    published: Images
    others: Images
    test: Images
    seed: int


def answer(question: Question, folder: Path, settings: Settings | None = None) -> dict[str, Any]:
    """Return RIAFI, and its yardstick.

    Args:
        question: see its class.
        folder: of the cache (training_set.cached).
        settings: of the training; None for the defaults.

    Returns:
        `riafi` (on held-out images of the participant's classes), `riafi_own` (on its own images), `others_accuracy`
        (on held-out images of the others), `riafi_by_class`; the same four with `_undefended` behind, of a classifier
        trained on its real images; and `images_each`, how many of each class, `images_own` and `images_test`, of how
        many `riafi_own` and `riafi` are shares. Shares in [0, 1].

    """
    settings = settings or Settings()
    sets = (question.published, question.own)
    each = min(settings.images, *(_least(one) for one in (*sets, question.others) if len(one.labels)))
    held_out = torch.isin(question.test.labels, question.own.labels)
    counts = {"images_own": len(question.own.labels), "images_test": int(held_out.sum())}
    found: dict[str, Any] = {"images_each": each, **counts}
    for suffix, theirs in zip(("", "_undefended"), sets, strict=True):
        mix = _together(theirs, question.others, each, question.seed)
        numbers = _measure(_trained(question, mix, folder, settings), question)
        found |= {f"{name}{suffix}": value for name, value in numbers.items()}
    return found


def _measure(model: nn.Module, question: Question) -> dict[str, Any]:
    """Return what a classifier gets right."""
    own, test = question.own, question.test
    classes = sorted(set(own.labels.tolist()))
    theirs = torch.isin(test.labels, torch.tensor(classes))
    right = logits(model, test.images).argmax(1) == test.labels
    return {
        "riafi": _share(right[theirs]),
        "riafi_own": _share(logits(model, own.images).argmax(1) == own.labels),
        "others_accuracy": _share(right[~theirs]),
        "riafi_by_class": {str(label): _share(right[test.labels == label]) for label in classes},
    }


def _trained(question: Question, mix: Images, folder: Path, settings: Settings) -> nn.Module:
    """Return the classifier trained on a mix; one that was trained once is fetched."""
    shape = mix.images.shape[1:]
    start = models.build(question.model, (shape[0], shape[1], shape[2]), question.outputs, _draw(question, "weights"))
    facts = [question.model, question.outputs, question.seed, asdict(settings)]

    def learn() -> dict[str, Tensor]:
        epochs = min(settings.epochs, max(1, round(settings.steps * settings.batch_size / len(mix.labels))))
        with one_thread():
            train(
                start,
                mix.images,
                mix.labels,
                optimizer=make_optimizer(start, OptimizerSettings(name="adam", lr=settings.lr)),
                batch_size=settings.batch_size,
                epochs=epochs,
                generator=_draw(question, "order"),
            )
        return models.weights(start)

    start.load_state_dict(training_set.cached(folder, training_set.key("riafi", facts, *vars(mix).values()), learn))
    return start.eval()


def _draw(question: Question, purpose: str) -> torch.Generator:
    """Return a generator; the same for both classifiers, so that nothing but the images differs."""
    return generator(question.seed, "judge", "riafi", purpose)


def _together(theirs: Images, others: Images, each: int, seed: int) -> Images:
    """Return so many images of each class, drawn at random."""
    images, labels = torch.cat([theirs.images, others.images]), torch.cat([theirs.labels, others.labels])
    chosen = []
    for label in sorted(set(labels.tolist())):
        mine = (labels == label).nonzero().flatten()
        order = torch.randperm(len(mine), generator=generator(seed, "judge", "riafi", "images", label))
        chosen.append(mine[order[:each]])
    taken = torch.cat(chosen)
    return Images(images[taken], labels[taken])


def _least(images: Images) -> int:
    """Return the number of images of the class with the fewest."""
    return min(Counter(images.labels.tolist()).values())


def _share(right: Tensor) -> float:
    """Return the share of True; NaN of nothing."""
    return right.double().mean().item() if len(right) else float("nan")

"""A defence that publishes other images in place of a participant's, and a share of the real ones among them.

The mixing ratio MR is the paper's: real images / made ones (Luo and Zhu, eq. 10), so that MR 0 publishes nothing real,
0.25 one real image in five and 1 one in two.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from defenses.protocols import Metrics
from task.facts import Images, TaskFacts
from task.settings import expect

COMPARED = 100


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How much is published.

    Attributes:
        mixing_ratio: real images / made ones, from 0 to 1.
        images: published of each class, real and made; None for as many as the participant has of it.

    """

    mixing_ratio: float = 0.0
    images: int | None = None

    def __post_init__(self) -> None:
        remedy = "It is real images / made ones: 0 publishes none of the real ones, 1 as many as made ones."
        expect(0 <= self.mixing_ratio <= 1, "mixing_ratio from 0 to 1", self.mixing_ratio, remedy)
        expect(self.images is None or self.images > 0, "images > 0", self.images)


class Maker(Protocol):
    """Makes the other images."""

    def check(self, labels: Tensor) -> None:
        """Refuse images with these labels int64 [N], as defenses.protocols.DataDefense does."""
        ...

    def learn(self, own: Images, generator: torch.Generator, progress: Callable[[str], None]) -> None:
        """Learn from the participant's own images, on their device."""
        ...

    def make(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return images float32 [N, C, H, W] in [-1, 1] for labels int64 [N], on the labels' device."""
        ...

    def metrics(self) -> Metrics:
        """Return what it knows of what it has learned."""
        ...


class MixingDefense:
    """See defenses.protocols.DataDefense.

    Args:
        maker: of the other images.
        settings: how much is published.
        facts: of the task.

    """

    def __init__(self, maker: Maker, settings: Settings, facts: TaskFacts) -> None:
        self.maker, self.settings = maker, settings
        nobody = torch.empty(0, dtype=torch.int64)
        self._published, self._genuine = Images(torch.empty(0, *facts.shape), nobody), nobody.bool()
        self._metrics: Metrics = {}

    @property
    def published(self) -> Images:
        """What training may draw on, on the CPU, in random order; nothing before the fit."""
        return self._published

    @property
    def genuine(self) -> Tensor:
        """Which of that are real, bool [N]."""
        return self._genuine

    def check(self, labels: Tensor) -> None:
        """Refuse images that cannot be mixed at this ratio, or that the maker refuses."""
        shares(labels, self.settings)
        self.maker.check(labels)

    def fit(self, own: Images, generator: torch.Generator, progress: Callable[[str], None]) -> None:
        """Learn, make, and mix into copies of some real images: first of those that were published before.

        Raises:
            FloatingPointError: for made images that are not finite.

        """
        self.check(own.labels)
        own = Images(own.images.detach(), own.labels)
        self.maker.learn(own, generator, progress)
        counts, device = shares(own.labels, self.settings), own.labels.device
        wanted = torch.tensor([label for label, (made, _) in counts.items() for _ in range(made)], device=device)
        progress(f"making {len(wanted)} images")
        made = self.maker.make(wanted, generator).cpu()
        if not made.isfinite().all():
            raise FloatingPointError("Expected finite images, got some that are not. Lower options.lr.")
        chosen, shown = [], {_bytes(image) for image in self._published.images[self._genuine]}
        for label, (_, real) in counts.items():
            of_class = (own.labels == label).nonzero().flatten().cpu()
            drawn = of_class[torch.randperm(len(of_class), generator=generator)]
            new = torch.tensor([bool(shown) and _bytes(own.images[one]) not in shown for one in drawn.tolist()])
            chosen.append(drawn[new.int().argsort(stable=True)][:real])
        taken = torch.cat(chosen).to(device)
        images, labels = torch.cat([made, own.images[taken].cpu()]), torch.cat([wanted, own.labels[taken]]).cpu()
        order = torch.randperm(len(labels), generator=generator)
        self._published, self._genuine = Images(images[order], labels[order]), order >= len(made)
        spread = {
            "diversity": diversity(Images(made, wanted.cpu())),
            "diversity_own": diversity(Images(own.images.cpu(), own.labels.cpu())),
        }
        self._metrics = {"made": float(len(made)), "real": float(len(taken)), **spread, **self.maker.metrics()}

    def metrics(self) -> Metrics:
        """Return how many images were made and are real, how varied the made and one's own are, and the maker's."""
        return dict(self._metrics)

    def state_dict(self) -> dict[str, Tensor]:
        """Return what is published; what made it is not kept."""
        return {"images": self._published.images, "labels": self._published.labels, "genuine": self._genuine}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on with what was published; there are no metrics but after a fit."""
        self._published, self._genuine = Images(state["images"], state["labels"]), state["genuine"]


def _bytes(image: Tensor) -> bytes:
    """Return what tells one image from another."""
    return image.cpu().numpy().tobytes()


def shares(labels: Tensor, settings: Settings) -> dict[int, tuple[int, int]]:
    """Return by class how many images are made, and how many are real.

    Args:
        labels: of the participant's images, int64 [N].
        settings: see their class.

    Raises:
        SettingsError: where a ratio above 0 gives less than one real image, or more than there are.

    """
    found, ratio = {}, settings.mixing_ratio
    for label in sorted(set(labels.tolist())):
        held = int((labels == label).sum())
        total = settings.images or held
        # Of t images at the ratio r, t r / (1 + r) are real; rounded up at half.
        real = math.floor(total * ratio / (1 + ratio) + 0.5)
        remedy = "Raise options.mixing_ratio or options.images, or set options.mixing_ratio to 0."
        expect(ratio == 0 or real > 0, f"a real image of class {label} at mixing_ratio {ratio:g}", real, remedy)
        expect(real <= held, f"at most {held} real images of class {label}", real, "Lower options.images.")
        expect(total > real, f"a made image of class {label}", total - real, "Raise options.images.")
        found[label] = (total - real, real)
    return found


def diversity(images: Images) -> float:
    """Return the mean distance between two images of a class: root of the mean squared difference of their pixels.

    Of each class the first hundred are compared, pair by pair; classes count alike. 0 where no class has two.
    """
    found = []
    for label in set(images.labels.tolist()):
        one = images.images[images.labels == label][:COMPARED].flatten(1).double()
        if len(one) > 1:
            found.append(torch.pdist(one).mean().item() / math.sqrt(one.shape[1]))
    return sum(found) / len(found) if found else 0.0

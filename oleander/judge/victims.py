"""The participant with a private property, and what the others hold: what a server's loot is held against."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from oleander.judge.truth import Lens
from task import private
from task.datasets import Dataset, to_float
from task.settings import PrivateSettings, TaskSettings


@dataclass(frozen=True, kw_only=True, eq=False)
class Belongings:
    """Images as they are held: float32 [N, C, H, W] in [-1, 1], labels int64 [N], and whose they are, int64 [N]."""

    images: Tensor
    labels: Tensor
    client: Tensor

    def of(self, label: int) -> Tensor:
        """Return the images of a class."""
        return self.images[self.labels == label]


@dataclass(frozen=True, kw_only=True, eq=False)
class Victim:
    """The participant with the private property.

    Attributes:
        client: its id.
        settings: of the property.
        mark: name of what a table marks; empty for turned images.
        own: what it holds.
        others: what everybody else holds, the attacker's own left out.
        classes: that it holds, ascending.
        judged: those of them by which the property is judged: of turned images all; of marked ones those of which there
            are images without the mark, too, for else the class alone tells whose it is.

    """

    client: int
    settings: PrivateSettings
    mark: str
    own: Belongings
    others: Belongings
    classes: tuple[int, ...]
    judged: tuple[int, ...]

    @property
    def upright(self) -> bool:
        """Whether this is the control: a victim whose images are not turned at all."""
        return self.settings.kind == "rotated" and self.settings.degrees == 0

    @property
    def asked(self) -> float:
        """Degrees that the judge asks for; 0 where it does not ask for a turn."""
        return 0.0 if self.settings.kind != "rotated" else self.settings.degrees or self.settings.asked

    @property
    def words(self) -> str:
        """The property after a noun: "turned by 30 degrees", "with glasses"."""
        return f"turned by {self.asked:g} degrees" if self.settings.kind == "rotated" else f"with {self.mark}"

    @property
    def without(self) -> str:
        """Its absence after a noun: "upright", "without glasses"."""
        return "upright" if self.settings.kind == "rotated" else f"without {self.mark}"

    def as_held(self, images: Tensor) -> Tensor:
        """Return images uint8 [N, C, H, W] as the victim would hold them."""
        return private.turn(images, self.settings.degrees) if self.settings.kind == "rotated" else images

    def lens(self, dataset: Dataset) -> Lens:
        """Return how to look at its classes; see oleander.judge.truth."""
        marks = dataset.train.marked, dataset.test.marked
        train, test = marks if self.settings.kind == "attribute" else (None, None)
        return Lens(client=self.client, as_held=self.as_held, train=train, test=test)


def find(dataset: Dataset, task: TaskSettings, holding: Mapping[int, Tensor]) -> Victim | None:
    """Return the participant with the private property; None where nobody has one.

    Args:
        dataset: the public data set, of load_task.
        task: what is learned.
        holding: indices into its training images by participant (task.partitions.held).

    """
    settings = task.private
    if settings is None or settings.client not in holding:
        return None
    labels = dataset.train.labels
    mine = labels[holding[settings.client]]
    classes = tuple(sorted(set(mine.tolist())))
    judged = classes
    if settings.kind == "attribute" and dataset.train.marked is not None and dataset.test.marked is not None:
        without = torch.cat([labels[~dataset.train.marked], dataset.test.labels[~dataset.test.marked]])
        judged = tuple(sorted(set(classes) & set(without.tolist())))
    possess = partial(belongings, dataset, task, holding)
    return Victim(
        client=settings.client,
        settings=settings,
        mark=dataset.mark,
        own=possess([settings.client]),
        others=possess([client for client in sorted(holding) if client != settings.client]),
        classes=classes,
        judged=judged,
    )


def belongings(dataset: Dataset, task: TaskSettings, holding: Mapping[int, Tensor], clients: list[int]) -> Belongings:
    """Return what some participants hold, as they hold it."""
    nothing = torch.empty(0, dtype=torch.int64)
    parts = [private.images(dataset, task, client, holding[client]) for client in clients]
    indices = torch.cat([nothing, *(holding[client] for client in clients)])
    whose = [torch.full((len(holding[client]),), client) for client in clients]
    return Belongings(
        images=to_float(torch.cat([dataset.train.images[nothing], *parts])),
        labels=dataset.train.labels[indices],
        client=torch.cat([nothing, *whose]),
    )

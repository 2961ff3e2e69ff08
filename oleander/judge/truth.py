"""What the loot is held against. The only place where participants' own images and the loot come together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from oleander.judge.training_set import together
from task.datasets import Dataset, to_float
from task.runs import keep_arrays
from task.seeding import generator

MOST_REFERENCES = 5000
MOST_HELD_OUT = 200
ENOUGH_OTHERS = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """The truth about one target class. All images float32 [N, C, H, W] in [-1, 1], in an order drawn at random.

    Attributes:
        label: the class.
        owners: participants other than the attacker who hold images of it; empty for a control, a class that nobody
            holds.
        images: all that the owners hold of it; for a control, the data set's own training images of it.
        held_out: test images of the class, 200 at the most: real ones that nobody trained on.
        others: training images of the class that nobody holds, as many as `images` at the most; none for a control.
            No test images: which training images the owners got was drawn by lot, and only among those would another
            lot have done as well.
        by_class: training images of every class (held by whoever, or nobody), as many of each; those of the target
            class are the owners'. An equal number, because more images are nearer to anything.

    """

    label: int
    owners: tuple[int, ...]
    images: Tensor
    held_out: Tensor
    others: Tensor
    by_class: tuple[Tensor, ...]

    @property
    def control(self) -> bool:
        """Whether nobody owns the class."""
        return not self.owners


def owners(dataset: Dataset, held: Mapping[int, Tensor], label: int, attacker: int | None) -> tuple[int, ...]:
    """Return the participants, the attacker left out, who hold images of a class."""
    holding = (client for client, mine in held.items() if (dataset.train.labels[mine] == label).any())
    return tuple(sorted(client for client in holding if client != attacker))


@dataclass(frozen=True, kw_only=True, eq=False)
class Lens:
    """How to look at a class where one participant alone is meant, and its images have a property of their own.

    Attributes:
        client: that participant: whoever else holds the class is no owner.
        as_held: turns images uint8 [N, C, H, W] into what they would be in its hands.
        train, test: bool [N], the images of each split that have its property, or get it by `as_held`; None for all.

    """

    client: int
    as_held: Callable[[Tensor], Tensor]
    train: Tensor | None = None
    test: Tensor | None = None

    def like(self, dataset: Dataset, label: int) -> tuple[Tensor, Tensor]:
        """Return which images of each split, bool [N], are of a class and may have the property."""
        train, test = dataset.train.labels == label, dataset.test.labels == label
        return train if self.train is None else train & self.train, test if self.test is None else test & self.test


def reveal(
    dataset: Dataset,
    held: Mapping[int, Tensor],
    label: int,
    attacker: int | None,
    *,
    seed: int,
    lens: Lens | None = None,
) -> Truth:
    """Return the truth about a class.

    Args:
        dataset: the public data set.
        held: indices into its training images by participant (task.partitions.held).
        label: the class.
        attacker: participant who wants it; None for an attacker who is none.
        seed: of all draws.
        lens: for the victim of a server; all images, of other classes too, are then as it would hold them, so that
            the loot is no nearer to some of them for the property alone.

    """
    draw = generator(seed, "judge", "truth", label)

    def shuffled(indices: Tensor) -> Tensor:
        return indices[torch.randperm(len(indices), generator=draw)]

    labels, taken = dataset.train.labels, torch.zeros(len(dataset.train.labels), dtype=torch.bool)
    taken[together(held)] = True
    who = owners(dataset, held, label, attacker)
    if lens is not None:
        who = tuple(client for client in who if client == lens.client)
    mine = torch.cat([held[client] for client in who]) if who else torch.arange(len(labels))
    mine = shuffled(mine[labels[mine] == label])
    pools = [shuffled((labels == one).nonzero().flatten()) for one in range(len(dataset.classes))]
    pools[label] = mine
    count = min(MOST_REFERENCES, *(len(pool) for pool in pools if len(pool)))
    train, test = (labels == label, dataset.test.labels == label) if lens is None else lens.like(dataset, label)
    tests, free = shuffled(test.nonzero().flatten()), shuffled((train & ~taken).nonzero().flatten())

    def shown(images: Tensor) -> Tensor:
        return to_float(images if lens is None else lens.as_held(images))

    return Truth(
        label=label,
        owners=who,
        images=shown(dataset.train.images[mine]),
        held_out=shown(dataset.test.images[tests[:MOST_HELD_OUT]]),
        others=shown(dataset.train.images[free[: len(mine)] if who else free[:0]]),
        by_class=tuple(shown(dataset.train.images[pool[:count]]) for pool in pools),
    )


def keep(folder: Path, dataset: Dataset, held: Mapping[int, Tensor], victims: set[int]) -> None:
    """Write victim-CLIENT.npz {images float32 [N, C, H, W] in [-1, 1], labels int64 [N]} for those not there yet.

    Args:
        folder: is made where it is missing.
        dataset: with its training images as they are held (task.private.as_held).
        held: indices into them by participant.
        victims: participants.

    """
    for client in sorted(victims):
        path = folder / f"victim-{client}.npz"
        if path.exists():
            continue
        mine = held[client]
        keep_arrays(path, images=to_float(dataset.train.images[mine]), labels=dataset.train.labels[mine])

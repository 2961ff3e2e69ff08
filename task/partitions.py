"""Who holds which training images: pure functions of the labels, the settings and a seed.

The kinds (excluded classes are in no part; all but the last make disjoint ones):

- `one-class`: part i holds images of the i-th class that is left; with fewer parts than classes, the first ones only.
- `k-classes`: part i holds the k next classes, beginning anew after the last: 5 parts of 2 of the classes 0 to 8 hold
  (0, 1), (2, 3), (4, 5), (6, 7), (8, 0). With fewer places than classes, the first classes only. Of a class that
  several parts hold, each has images of its own: as many as it draws, or equal shares of all.
- `random-classes`: part i holds k different classes drawn at random, whatever the others hold; images as above.
- `whole-classes`: the classes of which there are images, dealt in turn, each to one part: of two, the first holds the
  classes 0, 2, 4, ... With `first_classes` n the first holder has n of them (a victim of 1, 2, 3 or 5 labels: Chen et
  al. 2020, Fig. 6), with seed s those from place s n on, and the rest are dealt to the others.
- `iid`: the images, shuffled and dealt in equal shares (which differ by one where they must).
- `dirichlet`: of each class, part i gets a share drawn from Dirichlet(alpha) over the parts (Yurochkin et al. 2019,
  arXiv:1905.12022); drawn again until every part has enough.
- `bootstrap`: part i holds `images` images drawn with replacement from all, whatever the others hold: virtual clients
  in any number, of any data set.

With a private property of the kind `attribute` (task.private), its owner holds all marked images, however many, and the
others share the rest in one of these ways.

With `images`, a holder of classes draws that many, spread evenly over them (the first get one more where it does not
come out even); a holder of an `iid` or `dirichlet` part draws them from its part at random.

Written here and not taken from flwr-datasets because that brings 18 packages of 300 MB (pyarrow, pandas), and adds
4.5 s and 200 MB to every participant's start and 0.8 to 5 s to a partition of 60,000 labels over 10 parts (measured,
flwr-datasets 0.6.1, two cores); excluded classes and `images` would have to be added on top.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from task.datasets import Dataset
from task.seeding import generator
from task.settings import PartitionSettings, SettingsError, TaskSettings, expect

DIRICHLET_TRIES = 100


def partition(
    labels: Tensor,
    classes: int,
    settings: PartitionSettings,
    parts: int,
    seed: int,
    *,
    chosen: Mapping[int, Sequence[int]] | None = None,
) -> list[Tensor]:
    """Deal the images with `labels` int64 [N] in 0..classes-1 to `parts` holders.

    Args:
        labels: of the images.
        classes: of the data set.
        settings: see the top of this file.
        parts: how many to deal.
        seed: of all draws.
        chosen: of `random-classes`: the classes of some parts, in place of drawn ones.

    Returns:
        Indices int64 below N for each part, ascending; no index twice (but of `bootstrap`), no part empty. They depend
        on the arguments alone.

    Raises:
        SettingsError: if the partition cannot be made: too few images or classes, classes that do not exist.

    """
    expect(parts > 0, "at least one participant that holds data", parts)
    for excluded in settings.exclude:
        expect(0 <= excluded < classes, f"partition.exclude to name classes from 0 to {classes - 1}", excluded)
    left = [label for label in range(classes) if label not in settings.exclude]
    expect(bool(left), "a class that is not excluded", settings.exclude, "Shorten partition.exclude.")
    if settings.kind == "one-class":
        remedy = "Take fewer participants, exclude fewer classes, or set partition.kind to k-classes."
        expect(parts <= len(left), f"at most {len(left)} holders of one class each", parts, remedy)
        dealt = _by_class(labels, [[label] for label in left[:parts]], settings.images, seed)
    elif settings.kind == "k-classes":
        each = settings.classes_per_client
        expect(each <= len(left), f"classes_per_client to be at most the {len(left)} classes that are left", each)
        owned = [[left[place % len(left)] for place in range(part * each, (part + 1) * each)] for part in range(parts)]
        dealt = _by_class(labels, owned, settings.images, seed)
    elif settings.kind == "random-classes":
        dealt = _by_class(labels, _random_classes(left, settings, parts, seed, chosen or {}), settings.images, seed)
    elif settings.kind == "whole-classes":
        present = [label for label in left if (labels == label).any()]
        remedy = "Take fewer participants, or another partition.kind."
        expect(parts <= len(present), f"at most {len(present)} holders of whole classes", parts, remedy)
        dealt = _by_class(labels, _whole_classes(present, settings.first_classes, parts, seed), settings.images, seed)
    elif settings.kind == "iid":
        dealt = _iid(labels, left, settings.images, parts, seed)
    elif settings.kind == "bootstrap":
        dealt = _bootstrap(labels, left, settings.images or 1, parts, seed)
    else:
        dealt = _dirichlet(labels, left, settings, parts, seed)
    return [indices.sort().values for indices in dealt]


def held(dataset: Dataset, settings: TaskSettings, clients: int, seed: int) -> dict[int, Tensor]:
    """Return what each holder among the participants 0..clients-1 trains on: indices int64 into the training images.

    Without partition.holders everyone holds data; whoever does not has no key.

    Raises:
        SettingsError: as `partition`, and for holders that are named twice or do not exist, a participant with a
            private property that is none of them, or a reserve that leaves nothing to train on.

    """
    return {client: mine for client, (mine, _) in _split(dataset, settings, clients, seed).items()}


def reserved(dataset: Dataset, settings: TaskSettings, clients: int, seed: int) -> dict[int, Tensor]:
    """Return what each holder has and never trains on, `partition.reserve` images; arguments and errors as `held`."""
    return {client: apart for client, (_, apart) in _split(dataset, settings, clients, seed).items()}


def _split(dataset: Dataset, settings: TaskSettings, clients: int, seed: int) -> dict[int, tuple[Tensor, Tensor]]:
    """Return what each holder trains on and what it keeps apart, drawn by lot from all that it is dealt."""
    count, images = settings.partition.reserve, settings.partition.images
    if not count:
        nothing = torch.arange(0)
        return {client: (part, nothing) for client, part in _dealt(dataset, settings, clients, seed).items()}
    more = dataclasses.replace(settings.partition, images=None if images is None else images + count)
    found = {}
    for client, part in _dealt(dataset, dataclasses.replace(settings, partition=more), clients, seed).items():
        expect(count < len(part), f"a reserve below the {len(part)} images of participant {client}", count)
        order = part[torch.randperm(len(part), generator=generator(seed, "partition", "reserve", client))]
        found[client] = (order[count:].sort().values, order[:count].sort().values)
    return found


def _dealt(dataset: Dataset, settings: TaskSettings, clients: int, seed: int) -> dict[int, Tensor]:
    """Return all that each holder is dealt."""
    holders = settings.partition.holders
    ids = tuple(range(clients)) if holders is None else holders
    expect(len(set(ids)) == len(ids), "partition.holders to name each participant once", ids)
    for client in ids:
        expect(0 <= client < clients, f"partition.holders to be participants from 0 to {clients - 1}", client)
    private, labels, classes = settings.private, dataset.train.labels, len(dataset.classes)
    if private is not None:
        expect(private.client in ids, "private.client to be a participant that holds data", private.client)
        if private.kind == "attribute":
            return _by_mark(dataset, settings.partition, ids, private.client, seed)
    chosen = {ids.index(private.client): private.classes} if private is not None and private.classes else {}
    parts = partition(labels, classes, settings.partition, len(ids), seed, chosen=chosen)
    return dict(zip(ids, parts, strict=True))


def _by_mark(
    dataset: Dataset, settings: PartitionSettings, ids: tuple[int, ...], owner: int, seed: int
) -> dict[int, Tensor]:
    """Give all marked training images to their owner, and deal the rest to the others."""
    marked = dataset.train.marked
    if marked is None:
        raise SettingsError("Expected a data set with a table of marks, got none. Load it with task.private.table.")
    others = [client for client in ids if client != owner]
    expect(bool(others), "a participant besides the one with the property", list(ids), "Add to partition.holders.")
    mine = (marked & ~torch.isin(dataset.train.labels, torch.tensor(settings.exclude))).nonzero().flatten()
    expect(len(mine) > 0, "a marked image of a class that is not excluded", 0, "Shorten partition.exclude.")
    rest = (~marked).nonzero().flatten()
    parts = partition(dataset.train.labels[rest], len(dataset.classes), settings, len(others), seed)
    dealt = dict(zip(others, (rest[part] for part in parts), strict=True))
    return {client: dealt.get(client, mine) for client in ids}


def _shuffled(labels: Tensor, label: int, seed: int) -> Tensor:
    """Return the indices of the images of one class in random order, the same whatever the other classes and parts."""
    indices = (labels == label).nonzero().flatten()
    return indices[torch.randperm(len(indices), generator=generator(seed, "partition", label))]


def _by_class(labels: Tensor, owned: list[list[int]], images: int | None, seed: int) -> list[Tensor]:
    """Deal to part i images of the classes owned[i], disjoint where a class is owned by several."""
    quotas: dict[int, list[int | None]] = {}  # of each class, the images that its owners draw, in the parts' order
    for mine in owned:
        for place, label in enumerate(mine):
            quota = None if images is None else images // len(mine) + (place < images % len(mine))
            quotas.setdefault(label, []).append(quota)
    shares = {label: iter(_share(_shuffled(labels, label, seed), wanted, label)) for label, wanted in quotas.items()}
    dealt = [torch.cat([next(shares[label]) for label in mine]) for mine in owned]
    for part, (mine, indices) in enumerate(zip(owned, dealt, strict=True)):
        expect(len(indices) > 0, f"images for part {part} of classes {mine}", 0, "Take fewer participants.")
    return dealt


def _whole_classes(present: list[int], first: int | None, parts: int, seed: int) -> list[list[int]]:
    """Deal whole classes in turn, `first` of them to the first part where that is said."""
    if first is None:
        return [present[part::parts] for part in range(parts)]
    rest = len(present) - first
    expect(rest >= parts - 1, f"first_classes to leave a class for each of the {parts - 1} other holders", first)
    start = seed * first % len(present)
    turned = present[start:] + present[:start]
    return [turned[:first], *([turned[first:][part :: parts - 1] for part in range(parts - 1)])]


def _random_classes(
    left: list[int], settings: PartitionSettings, parts: int, seed: int, chosen: Mapping[int, Sequence[int]]
) -> list[list[int]]:
    """Draw each part's classes, ascending; those in `chosen` stand."""
    each = settings.classes_per_client
    expect(each <= len(left), f"classes_per_client to be at most the {len(left)} classes that are left", each)
    for part, mine in chosen.items():
        remedy = "Mend private.classes or partition.exclude."
        expect(set(mine) <= set(left), f"the classes of part {part} to be among {left}", list(mine), remedy)
    draws = [
        torch.randperm(len(left), generator=generator(seed, "partition", "classes", part)) for part in range(parts)
    ]
    drawn = [sorted(left[place] for place in draw[:each].tolist()) for draw in draws]
    return [sorted(chosen.get(part, mine)) for part, mine in enumerate(drawn)]


def _share(indices: Tensor, wanted: list[int | None], label: int) -> list[Tensor]:
    """Cut the shuffled indices of a class into what its owners want; equal shares of all where that is None."""
    sizes = [size for size in wanted if size is not None]
    if not sizes:
        return list(indices.tensor_split(len(wanted)))
    remedy = "Lower partition.images, or take fewer participants."
    expect(sum(sizes) <= len(indices), f"at most {len(indices)} images of class {label} drawn", sum(sizes), remedy)
    return list(indices[: sum(sizes)].tensor_split(list(itertools.accumulate(sizes[:-1]))))


def _iid(labels: Tensor, left: list[int], images: int | None, parts: int, seed: int) -> list[Tensor]:
    """Shuffle the images of the classes that are left and deal `images` to each part, or equal shares of all."""
    pool = torch.isin(labels, torch.tensor(left)).nonzero().flatten()
    remedy = "Lower partition.images, or take fewer participants."
    wanted = parts * (images or 1)
    expect(wanted <= len(pool), f"at most {len(pool)} images drawn by {parts} participants", wanted, remedy)
    pool = pool[torch.randperm(len(pool), generator=generator(seed, "partition"))]
    return list(pool.tensor_split(parts) if images is None else pool[:wanted].view(parts, images).unbind())


def _bootstrap(labels: Tensor, left: list[int], images: int, parts: int, seed: int) -> list[Tensor]:
    """Draw `images` of the classes that are left for each part, with replacement."""
    pool = torch.isin(labels, torch.tensor(left)).nonzero().flatten()
    expect(len(pool) > 0, "an image of a class that is not excluded", 0, "Shorten partition.exclude.")
    draws = torch.randint(len(pool), (parts, images), generator=generator(seed, "partition"))
    return list(pool[draws].unbind())


def _dirichlet(labels: Tensor, left: list[int], settings: PartitionSettings, parts: int, seed: int) -> list[Tensor]:
    """Cut each class by shares from Dirichlet(alpha), again until every part has one image, or `images`."""
    randomness = generator(seed, "partition")
    numbers = np.random.default_rng(int(torch.randint(2**62, (1,), generator=randomness)))  # torch has no public one
    pools = [_shuffled(labels, label, seed) for label in left]
    least = settings.images or 1
    best = 0
    for _ in range(DIRICHLET_TRIES):
        cuts = [np.cumsum(numbers.dirichlet([settings.alpha] * parts))[:-1] for _ in pools]
        pieces = [
            pool.tensor_split((torch.from_numpy(cut) * len(pool)).round().long())
            for pool, cut in zip(pools, cuts, strict=True)
        ]
        dealt = [torch.cat([piece[part] for piece in pieces]) for part in range(parts)]
        smallest = min(len(indices) for indices in dealt)
        if smallest >= least:
            return [_draw(indices, settings.images, randomness) for indices in dealt]
        best = max(best, smallest)
    raise SettingsError(
        f"Expected at least {least} image(s) for each of {parts} participants, got {best} for the poorest, at best of "
        f"{DIRICHLET_TRIES} tries. Raise partition.alpha, lower partition.images, or take fewer participants."
    )


def _draw(indices: Tensor, wanted: int | None, randomness: torch.Generator) -> Tensor:
    """Return `wanted` of the indices at random, or all."""
    return indices[torch.randperm(len(indices), generator=randomness)[:wanted]]

"""What membership attackers are asked, and the truth about it: pure functions of the data, who holds what, and a seed.

Members are drawn at random from the participants asked about, in equal shares. For each of them the clean protocol
draws an image that nobody holds, of the same label and asked about the same participant: who got which image was drawn
by lot, so that nothing but training on them tells the two apart. The paper protocol draws records of the participants
who are not asked about. The order of all is drawn by lot, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from task.datasets import Dataset, to_float
from task.facts import Images
from task.questions import MembershipSettings
from task.seeding import generator
from task.settings import SettingsError, expect

LEFT = "Lower membership.records, known or reference, or let participants hold less (task.partition.images)."
HELD = "Lower membership.records or known, or let participants hold more (task.partition.images)."


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """Records and the truth about them; for the judge, and for who takes the records out of it and nothing else.

    Attributes:
        image: int64 [N], places among the training images.
        client: int64 [N], the participant of whom each is asked.
        member: bool [N], whether that participant holds it.
        fresh: bool [N], whether nobody does; what is neither is another participant's.
        reference: int64 [M], places of images that nobody holds and that are not asked about.
        known: int64 [L], places of images whose membership the attacker is told; not asked about ...
        known_client: int64 [L], ... of which participant ...
        known_member: bool [L], ... and the truth.

    """

    image: Tensor
    client: Tensor
    member: Tensor
    fresh: Tensor
    reference: Tensor
    known: Tensor
    known_client: Tensor
    known_member: Tensor

    def records(self, dataset: Dataset) -> Images:
        """Return what is asked about, with its true labels."""
        return _taken(dataset, self.image)

    def references(self, dataset: Dataset) -> Images:
        """Return the images to compare with."""
        return _taken(dataset, self.reference)

    def told(self, dataset: Dataset) -> Images:
        """Return the images whose membership is told."""
        return _taken(dataset, self.known)


def ask(
    dataset: Dataset,
    settings: MembershipSettings,
    holding: Mapping[int, Tensor],
    seed: int,
    apart: Mapping[int, Tensor] | None = None,
) -> Asked:
    """Draw what is asked.

    Args:
        dataset: the public data set.
        settings: with `about` and `others` filled in.
        holding: indices into its training images by participant (task.partitions.held).
        seed: of the federation.
        apart: indices of what participants keep out of their training (task.partitions.reserved), which is not asked
            about; None where they keep nothing.

    Raises:
        SettingsError: where there are too few records of a kind.

    """
    draw = generator(seed, "membership")
    labels, about = dataset.train.labels, settings.about or ()
    dealt = torch.cat(list(holding.values()))
    different = len(torch.unique(dealt))
    remedy = "Take another task.partition.kind than bootstrap: who holds a record in question knows that it is in."
    expect(different == len(dealt), f"{len(dealt)} different records dealt", different, remedy)
    free = torch.ones(len(labels), dtype=torch.bool)
    for mine in (*holding.values(), *(apart or {}).values()):
        free[mine] = False
    spare = {label: _shuffled((free & (labels == label)).nonzero().flatten(), draw) for label in _present(labels)}
    orders = {client: _shuffled(holding[client], draw) for client in about}
    shares = _shares(settings, about, holding)
    members = {client: orders[client][:share] for client, (share, _) in shares.items()}
    parts = [(mine, client, True, False) for client, mine in members.items()]
    if "clean" in settings.protocols:
        for client, mine in members.items():
            parts.append((_likes(spare, labels[mine]), client, False, True))
    if "paper" in settings.protocols:
        others = torch.cat([torch.arange(0), *(holding[client] for client in settings.others or ())])
        enough = len(others) >= settings.records
        remedy = "Shorten membership.about, lower membership.records, or ask by the clean protocol alone."
        expect(enough, f"{settings.records} records of participants who are not asked about", len(others), remedy)
        counts = [len(mine) for mine in members.values()]
        others_dealt = _shuffled(others, draw)[: settings.records].tensor_split(torch.tensor(counts).cumsum(0)[:-1])
        parts += [(mine, client, False, False) for client, mine in zip(members, others_dealt, strict=True)]
    reference = _references(spare, settings.reference, draw)
    spare = {label: left[~torch.isin(left, reference)] for label, left in spare.items()}
    told = [
        part
        for client, (share, more) in shares.items()
        if more
        for mine in [orders[client][share : share + more]]
        for part in ((mine, client, True), (_likes(spare, labels[mine]), client, False))
    ]
    order = torch.randperm(sum(len(mine) for mine, *_ in parts), generator=draw)
    columns = [torch.tensor([kind[place] for kind in parts]).repeat_interleave(_sizes(parts)) for place in (1, 2, 3)]
    whose, member, fresh = (column[order] for column in columns)
    image = torch.cat([mine for mine, *_ in parts])[order]
    return Asked(
        image=image,
        client=whose,
        member=member,
        fresh=fresh,
        reference=reference,
        known=torch.cat([torch.arange(0), *(mine for mine, *_ in told)]),
        known_client=torch.cat([torch.arange(0), *(torch.full_like(mine, client) for mine, client, _ in told)]),
        known_member=torch.cat(
            [torch.arange(0).bool(), *(torch.full_like(mine, inside).bool() for mine, _, inside in told)]
        ),
    )


def declared(dataset: Dataset, holding: Mapping[int, Tensor]) -> dict[int, tuple[int, ...]]:
    """Return the labels that each participant holds, ascending."""
    return {client: tuple(_present(dataset.train.labels[mine])) for client, mine in sorted(holding.items())}


def _shares(
    settings: MembershipSettings, about: tuple[int, ...], holding: Mapping[int, Tensor]
) -> dict[int, tuple[int, int]]:
    """Return how many records of each participant are asked about, and of how many more the membership is told.

    The first ones get what does not come out even.
    """
    records, known = settings.records, settings.known
    remedy = "Raise membership.records, or shorten membership.about."
    expect(records >= len(about), f"at least a record for each of {len(about)} participants", records, remedy)
    found = {}
    for place, client in enumerate(about):
        share, more = (count // len(about) + (place < count % len(about)) for count in (records, known))
        whose = f"{share + more} records of participant {client}"
        expect(share + more <= len(holding[client]), whose, len(holding[client]), HELD)
        found[client] = (share, more)
    return found


def _likes(spare: dict[int, Tensor], labels: Tensor) -> Tensor:
    """Take as many images that nobody holds of each label."""
    wanted = {label: int((labels == label).sum()) for label in _present(labels)}
    return torch.cat([_pop(spare, label, count) for label, count in wanted.items()])


def _pop(spare: dict[int, Tensor], label: int, count: int) -> Tensor:
    """Take images that nobody holds of a label."""
    left = spare[label]
    if count > len(left):
        raise SettingsError(
            f"Expected {count} training images of class {label} that nobody holds, got {len(left)}. {LEFT}"
        )
    spare[label] = left[count:]
    return left[:count]


def _references(spare: dict[int, Tensor], count: int, draw: torch.Generator) -> Tensor:
    """Take images to compare with from what is left, in equal shares of the labels as far as there are so many."""
    order = [
        (place, label, int(one)) for label, left in spare.items() for place, one in enumerate(left[:count].tolist())
    ]
    chosen = [one for _, _, one in sorted(order)[:count]]
    expect(len(chosen) == count, f"{count} training images that nobody holds to compare with", len(chosen), LEFT)
    return _shuffled(torch.tensor(chosen, dtype=torch.int64), draw)


def _sizes(parts: list[tuple[Tensor, int, bool, bool]]) -> Tensor:
    return torch.tensor([len(mine) for mine, *_ in parts])


def _present(labels: Tensor) -> list[int]:
    return sorted(set(labels.tolist()))


def _shuffled(indices: Tensor, draw: torch.Generator) -> Tensor:
    return indices[torch.randperm(len(indices), generator=draw)]


def _taken(dataset: Dataset, places: Tensor) -> Images:
    return Images(to_float(dataset.train.images[places]), dataset.train.labels[places])

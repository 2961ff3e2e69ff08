"""What each participant holds: parts dealt to holders, private classes, marked images."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from task.datasets import Dataset, Split
from task.partitions import held, reserved
from task.settings import PartitionSettings, PrivateSettings, SettingsError, TaskSettings

TWELVE = torch.arange(10).repeat_interleave(12)  # twelve images of each of ten classes


def counts(labels: Tensor, indices: Tensor) -> dict[int, int]:
    """Count a part's images of each class."""
    return dict(Counter(labels[indices].tolist()))


def dataset() -> Dataset:
    """Return a data set of blank images with the labels TWELVE."""
    split = Split(torch.zeros(len(TWELVE), 1, 2, 2, dtype=torch.uint8), TWELVE)
    return Dataset("blank", tuple("0123456789"), split, split)


def task(**partition_settings: object) -> TaskSettings:
    """Return a task with one class a holder."""
    settings = PartitionSettings(kind="one-class", **partition_settings)
    return TaskSettings(dataset="blank", model="digits-cnn", partition=settings)


def test_held_deals_parts_to_holders_in_their_order() -> None:
    """Holders 4 and 1 get the first and second class; nobody else has a key. Without holders, everyone has."""
    parts = held(dataset(), task(holders=(4, 1)), clients=5, seed=0)
    assert {client: counts(TWELVE, part) for client, part in parts.items()} == {4: {0: 12}, 1: {1: 12}}
    assert list(held(dataset(), task(), clients=3, seed=0)) == [0, 1, 2]


def test_the_private_classes_are_the_private_participant_s() -> None:
    """Participant 3, second of two holders, holds the classes that are named for it, whatever its place."""
    partition_of = PartitionSettings(kind="random-classes", images=6, holders=(5, 3))
    private = PrivateSettings(kind="rotated", client=3, classes=(8, 1))
    settings = TaskSettings(dataset="blank", model="digits-cnn", partition=partition_of, private=private)
    parts = held(dataset(), settings, clients=6, seed=0)
    assert counts(TWELVE, parts[3]) == {1: 3, 8: 3}
    assert len(counts(TWELVE, parts[5])) == 2


def marked_dataset(marked: Tensor) -> Dataset:
    """Return a data set of blank images with the labels TWELVE, some of them marked."""
    split = Split(torch.zeros(len(TWELVE), 1, 2, 2, dtype=torch.uint8), TWELVE, marked)
    return Dataset("blank", tuple("0123456789"), split, split, "hat")


@given(
    st.lists(st.booleans(), min_size=120, max_size=120),
    st.sampled_from(["whole-classes", "iid"]),
    st.integers(2, 6),
    st.integers(0, 5),
    st.sets(st.integers(0, 9), max_size=3),
)
def test_marked_images_go_to_their_owner(
    flags: list[bool], kind: str, clients: int, owner: int, exclude: set[int]
) -> None:
    """The owner holds exactly the marked images of the classes left, the others exactly the rest, whole classes too."""
    marked = torch.tensor(flags)
    settings = TaskSettings(
        dataset="blank",
        model="digits-cnn",
        partition=PartitionSettings(kind=kind, exclude=tuple(exclude)),
        private=PrivateSettings(kind="attribute", client=min(owner, clients - 1), table="hats.csv"),
    )
    try:
        parts = held(marked_dataset(marked), settings, clients, seed=0)
    except SettingsError:
        return
    left = ~torch.isin(TWELVE, torch.tensor(sorted(exclude), dtype=torch.int64))
    assert list(parts) == list(range(clients))
    mine = parts.pop(min(owner, clients - 1))
    assert mine.tolist() == (marked & left).nonzero().flatten().tolist()
    others = torch.cat(list(parts.values()))
    assert others.sort().values.tolist() == (~marked & left).nonzero().flatten().tolist()
    if kind == "whole-classes":
        owned = [label for part in parts.values() for label in counts(TWELVE, part)]
        assert len(owned) == len(set(owned))


@pytest.mark.parametrize(
    ("marked", "settings", "clients", "message"),
    [
        (TWELVE == 4, {}, 1, r"a participant besides the one with the property, got \[0\]"),
        (TWELVE == 4, {"exclude": (4,)}, 3, "a marked image of a class that is not excluded, got 0"),
        (TWELVE != 4, {"kind": "whole-classes"}, 3, "at most 1 holders of whole classes, got 2"),
        (None, {}, 3, "Expected a data set with a table of marks"),
    ],
)
def test_impossible_shares_of_marked_images_are_refused(
    marked: Tensor | None, settings: dict, clients: int, message: str
) -> None:
    """There must be marked images, images for the others, and others."""
    private = PrivateSettings(kind="attribute", table="hats.csv")
    blank = dataset() if marked is None else marked_dataset(marked)
    task_of = TaskSettings(
        dataset="blank", model="digits-cnn", partition=PartitionSettings(**settings), private=private
    )
    with pytest.raises(SettingsError, match=message):
        held(blank, task_of, clients, seed=0)


@pytest.mark.parametrize(
    ("private", "message"),
    [
        (PrivateSettings(kind="rotated", client=1), "private.client to be a participant that holds data, got 1"),
        (PrivateSettings(kind="rotated", client=3, classes=(2, 9)), r"part 0 to be among \[0, .*8\], got \[2, 9\]"),
    ],
)
def test_impossible_private_properties_are_refused(private: PrivateSettings, message: str) -> None:
    """A participant with a property must hold data, and of classes that there are."""
    partition_of = PartitionSettings(kind="random-classes", holders=(3, 4), exclude=(9,))
    settings = TaskSettings(dataset="blank", model="digits-cnn", partition=partition_of, private=private)
    with pytest.raises(SettingsError, match=message):
        held(dataset(), settings, clients=5, seed=0)


@pytest.mark.parametrize(("holders", "message"), [((1, 1), "each participant once"), ((5,), "from 0 to 4, got 5")])
def test_impossible_holders_are_refused(holders: tuple[int, ...], message: str) -> None:
    """A holder that is named twice or does not exist is refused."""
    with pytest.raises(SettingsError, match=message):
        held(dataset(), task(holders=holders), clients=5, seed=0)


@pytest.mark.parametrize("kind", ["iid", "one-class", "dirichlet"])
def test_a_reserve_is_beside_what_is_trained_on(kind: str) -> None:
    """Five images to train on and three apart, as asked; nobody's are anybody else's; others with another seed."""
    settings = PartitionSettings(kind=kind, images=5, reserve=3)
    blank = TaskSettings(dataset="blank", model="digits-cnn", partition=settings)
    mine, apart = (find(dataset(), blank, clients=4, seed=0) for find in (held, reserved))
    assert [len(mine[client]) for client in range(4)] == [5] * 4
    assert [len(apart[client]) for client in range(4)] == [3] * 4
    assert len(torch.cat([*mine.values(), *apart.values()]).unique()) == 32
    assert not torch.equal(apart[0], reserved(dataset(), blank, clients=4, seed=1)[0])


def test_without_a_reserve_nothing_is_apart() -> None:
    """Everyone trains on all that is dealt; with one and without `images`, on all but that."""
    assert [len(one) for one in reserved(dataset(), task(), clients=3, seed=0).values()] == [0, 0, 0]
    mine, apart = (find(dataset(), task(reserve=4), clients=3, seed=0) for find in (held, reserved))
    assert [len(one) for one in mine.values()] == [8, 8, 8]
    assert counts(TWELVE, torch.cat([mine[1], apart[1]])) == {1: 12}


def test_a_reserve_leaves_something_to_train_on() -> None:
    """Twelve images apart of twelve are refused."""
    with pytest.raises(SettingsError, match="a reserve below the 12 images of participant 0, got 12"):
        held(dataset(), task(reserve=12), clients=2, seed=0)
    with pytest.raises(SettingsError, match="reserve >= 0"):
        PartitionSettings(reserve=-1)

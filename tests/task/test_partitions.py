"""Tests of the partitions: properties that hold for all of them, and small cases counted by hand."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from task.partitions import partition
from task.settings import PARTITIONS, PartitionSettings, SettingsError

TWELVE = torch.arange(10).repeat_interleave(12)  # twelve images of each of ten classes


def counts(labels: Tensor, indices: Tensor) -> dict[int, int]:
    """Count a part's images of each class."""
    return dict(Counter(labels[indices].tolist()))


@st.composite
def problems(draw: st.DrawFn) -> tuple[Tensor, PartitionSettings, int, int]:
    """Draw labels of five classes, settings, a number of parts and a seed; some of them cannot be carried out."""
    labels = torch.tensor(draw(st.lists(st.integers(0, 4), min_size=1, max_size=80)))
    kind = draw(st.sampled_from(PARTITIONS))
    settings = PartitionSettings(
        kind=kind,
        images=draw(st.integers(1, 12) if kind == "bootstrap" else st.none() | st.integers(1, 12)),
        classes_per_client=draw(st.integers(1, 4)),
        alpha=draw(st.sampled_from([0.01, 0.5, 100.0])),
        exclude=tuple(draw(st.sets(st.integers(0, 4), max_size=3))),
    )
    return labels, settings, draw(st.integers(1, 6)), draw(st.integers(0, 3))


@given(problems())
def test_every_partition_is_as_asked(problem: tuple[Tensor, PartitionSettings, int, int]) -> None:
    """Disjoint (but for `bootstrap`), never empty, without excluded classes, of the size asked for, the same again."""
    labels, settings, parts, seed = problem
    before = torch.get_rng_state()
    try:
        dealt = partition(labels, 5, settings, parts, seed)
    except SettingsError:
        return
    again = partition(labels.clone(), 5, settings, parts, seed)
    assert all(torch.equal(one, two) for one, two in zip(dealt, again, strict=True))
    assert torch.equal(torch.get_rng_state(), before)
    assert len(dealt) == parts
    flat = [index for indices in dealt for index in indices.tolist()]
    assert settings.kind == "bootstrap" or len(flat) == len(set(flat))
    assert all(0 <= index < len(labels) for index in flat)
    assert not set(labels[flat].tolist()) & set(settings.exclude)
    for indices in dealt:
        assert indices.dtype == torch.int64
        assert len(indices) == settings.images if settings.images else len(indices) > 0
        assert indices.tolist() == sorted(indices.tolist())
        if settings.kind in ("one-class", "k-classes", "random-classes"):
            owned = 1 if settings.kind == "one-class" else settings.classes_per_client
            shares = counts(labels, indices)
            assert len(shares) <= owned
            if settings.images:
                full = [shares.get(label, 0) for label in shares] + [0] * (owned - len(shares))
                assert max(full) - min(full) <= 1


@given(
    st.lists(st.integers(0, 4), min_size=30, max_size=80),
    st.sampled_from(["iid", "dirichlet"]),
    st.integers(1, 4),
    st.sets(st.integers(0, 4), max_size=2),
)
def test_iid_and_dirichlet_are_complete(labels: list[int], kind: str, parts: int, exclude: set[int]) -> None:
    """Without `images`, every image of a class that is left is in exactly one part."""
    settings = PartitionSettings(kind=kind, alpha=10.0, exclude=tuple(exclude))
    left = [index for index, label in enumerate(labels) if label not in exclude]
    if len(left) < 12:  # too few for a part each to be likely
        return
    dealt = partition(torch.tensor(labels), 5, settings, parts, 0)
    assert sorted(index for indices in dealt for index in indices.tolist()) == left


def test_one_class_gives_the_ith_part_the_ith_class_that_is_left() -> None:
    """With class 1 excluded, three parts hold the classes 0, 2 and 3, all twelve images or as many as asked."""
    everything = partition(TWELVE, 10, PartitionSettings(kind="one-class", exclude=(1,)), 3, 0)
    assert [counts(TWELVE, part) for part in everything] == [{0: 12}, {2: 12}, {3: 12}]
    some = partition(TWELVE, 10, PartitionSettings(kind="one-class", images=5), 2, 0)
    assert [counts(TWELVE, part) for part in some] == [{0: 5}, {1: 5}]


def test_five_parts_of_two_of_nine_classes() -> None:
    """Parts 0 to 4 hold (0, 1), (2, 3), (4, 5), (6, 7) and (8, 0); the two that share class 0 hold half of it each."""
    dealt = partition(TWELVE, 10, PartitionSettings(kind="k-classes", exclude=(9,)), 5, 0)
    expected = [{0: 6, 1: 12}, {2: 12, 3: 12}, {4: 12, 5: 12}, {6: 12, 7: 12}, {8: 12, 0: 6}]
    assert [counts(TWELVE, part) for part in dealt] == expected


def test_images_are_spread_over_the_classes_of_a_holder() -> None:
    """Eleven images over the two classes of a part are six of the first and five of the second."""
    dealt = partition(TWELVE, 10, PartitionSettings(kind="k-classes", images=11, exclude=(9,)), 5, 0)
    assert counts(TWELVE, dealt[1]) == {2: 6, 3: 5}
    assert counts(TWELVE, dealt[4]) == {8: 6, 0: 5}


def test_a_holder_keeps_its_images_when_others_join() -> None:
    """What the first part holds does not depend on how many more parts there are."""
    settings = PartitionSettings(kind="one-class", images=5)
    alone, among = (partition(TWELVE, 10, settings, parts, 0)[0] for parts in (1, 10))
    assert torch.equal(alone, among)
    assert not torch.equal(alone, partition(TWELVE, 10, settings, 1, seed=1)[0])


@given(
    st.integers(6, 30),
    st.integers(1, 3),
    st.none() | st.integers(4, 9),
    st.sets(st.integers(0, 4), min_size=1, max_size=4),
    st.integers(0, 5),
)
def test_random_classes(size: int, each: int, images: int | None, wanted: set[int], seed: int) -> None:
    """Each part holds k classes (or those chosen for it), as evenly as may be; the others' classes are as without."""
    labels = torch.arange(5).repeat(size)
    settings = PartitionSettings(kind="random-classes", classes_per_client=each, images=images)
    try:
        plain = partition(labels, 5, settings, 4, seed)
        dealt = partition(labels, 5, settings, 4, seed, chosen={0: tuple(wanted)})
    except SettingsError:
        return
    flat = torch.cat(dealt)
    assert len(flat.unique()) == len(flat)
    for part, indices in enumerate(dealt):
        shares = counts(labels, indices)
        assert set(shares) == (wanted if part == 0 else set(counts(labels, plain[part])))
        assert len(shares) == (len(wanted) if part == 0 else each)
        if images is not None:
            assert len(indices) == images
            assert max(shares.values()) - min(shares.values()) <= 1


def test_random_classes_are_drawn_at_random() -> None:
    """Over 300 parts of 3 of 10 classes, each class is held by 90, give or take four standard deviations (8 each)."""
    labels = torch.arange(10).repeat_interleave(600)
    settings = PartitionSettings(kind="random-classes", classes_per_client=3, images=3)
    dealt = partition(labels, 10, settings, 300, 0)
    holders = Counter(label for part in dealt for label in counts(labels, part))
    assert sum(holders.values()) == 900
    assert all(58 <= holders[label] <= 122 for label in range(10))
    others = partition(labels, 10, settings, 300, seed=1)
    assert sum(counts(labels, one) != counts(labels, two) for one, two in zip(dealt, others, strict=True)) > 200


def test_a_hundred_images_of_three_classes() -> None:
    """Wang's clients on MNIST: 34, 33 and 33 images; the victim's are of the classes that are named."""
    labels = torch.arange(10).repeat_interleave(600)
    settings = PartitionSettings(kind="random-classes", classes_per_client=3, images=100)
    dealt = partition(labels, 10, settings, 10, 0, chosen={4: (7, 2, 9)})
    assert counts(labels, dealt[4]) == {2: 34, 7: 33, 9: 33}
    assert all(sorted(counts(labels, part).values()) == [33, 33, 34] for part in dealt)


@pytest.mark.parametrize(
    ("first", "seed", "expected"),
    [
        (1, 0, [[0], [1, 5, 9], [2, 6], [3, 7], [4, 8]]),
        (3, 1, [[3, 4, 5], [0, 6], [1, 7], [2, 8], [9]]),
        (5, 3, [[5, 6, 7, 8, 9], [0, 4], [1], [2], [3]]),
    ],
)
def test_the_first_holder_has_as_many_classes_as_is_said(first: int, seed: int, expected: list[list[int]]) -> None:
    """Others with every seed; the rest are dealt to the others in turn."""
    labels = torch.arange(10).repeat(4)
    dealt = partition(labels, 10, PartitionSettings(kind="whole-classes", first_classes=first), 5, seed)
    assert [sorted(set(labels[part].tolist())) for part in dealt] == expected


def test_whole_classes_are_dealt_in_turn() -> None:
    """With class 2 excluded and none of class 4, three parts hold 0 and 5, 1 and 6, 3; every image of them."""
    labels = torch.tensor([0, 1, 2, 3, 5, 6] * 3)
    dealt = partition(labels, 7, PartitionSettings(kind="whole-classes", exclude=(2,)), 3, 0)
    assert [counts(labels, part) for part in dealt] == [{0: 3, 5: 3}, {1: 3, 6: 3}, {3: 3}]


def test_iid_shares_differ_by_one_at_most() -> None:
    """120 images over seven parts are one part of 18 and six of 17."""
    sizes = [len(part) for part in partition(TWELVE, 10, PartitionSettings(kind="iid"), 7, 0)]
    assert sorted(sizes) == [17, 17, 17, 17, 17, 17, 18]


def test_alpha_sets_the_skew() -> None:
    """A large alpha deals each class evenly (150 of 600 to each of four parts); a small one gives it nearly to one."""
    labels = torch.arange(10).repeat_interleave(600)
    even = partition(labels, 10, PartitionSettings(kind="dirichlet", alpha=1e6), 4, 0)
    for part in even:
        assert all(abs(count - 150) <= 3 for count in counts(labels, part).values())
    skewed = partition(labels, 10, PartitionSettings(kind="dirichlet", alpha=0.01), 4, 0)
    largest = [max(counts(labels, part).get(label, 0) for part in skewed) for label in range(10)]
    assert sum(share > 540 for share in largest) >= 8


def test_dirichlet_shares_have_the_right_variance() -> None:
    """A part's share of a class has mean 1/2 and, for alpha 1 and two parts, the variance 1/12 of a uniform number."""
    labels = torch.arange(300).repeat_interleave(50)
    first = partition(labels, 300, PartitionSettings(kind="dirichlet", alpha=1.0), 2, 0)[0]
    shares = labels[first].bincount(minlength=300) / 50
    assert abs(shares.mean().item() - 1 / 2) < 0.06  # three standard errors are 0.05
    assert abs(shares.var().item() - 1 / 12) < 0.015


@pytest.mark.parametrize(
    ("settings", "parts", "message"),
    [
        ({"kind": "one-class"}, 11, r"at most 10 holders of one class each, got 11. .*k-classes"),
        ({"kind": "one-class", "images": 13}, 1, r"at most 12 images of class 0 drawn, got 13"),
        ({"kind": "k-classes", "classes_per_client": 10, "exclude": [9]}, 1, r"at most the 9 classes that are left"),
        ({"kind": "k-classes", "images": 20, "exclude": [9]}, 6, r"at most 12 images of class 0 drawn, got 20"),
        ({"kind": "k-classes", "classes_per_client": 1}, 130, r"images for part \d+ of classes \[\d\], got 0"),
        (
            {"kind": "random-classes", "classes_per_client": 10, "exclude": [9]},
            1,
            r"at most the 9 classes that are left",
        ),
        ({"kind": "random-classes", "classes_per_client": 9, "images": 90}, 3, r"at most 12 images of class \d drawn"),
        ({"kind": "whole-classes", "first_classes": 7}, 5, r"a class for each of the 4 other holders, got 7"),
        ({"kind": "whole-classes"}, 11, r"at most 10 holders of whole classes, got 11"),
        ({"kind": "iid", "images": 25}, 5, r"at most 120 images drawn by 5 participants, got 125"),
        ({"kind": "iid"}, 121, r"at most 120 images drawn by 121 participants"),
        ({"kind": "dirichlet", "alpha": 0.01}, 60, r"at least 1 image\(s\) for each of 60 participants, got 0"),
        ({"kind": "dirichlet", "images": 31}, 4, r"at least 31 image\(s\) for each of 4 participants, got \d+ for"),
        ({"kind": "iid", "exclude": [10]}, 1, r"partition.exclude to name classes from 0 to 9, got 10"),
        ({"kind": "iid", "exclude": list(range(10))}, 1, r"a class that is not excluded"),
        ({"kind": "iid"}, 0, r"at least one participant that holds data, got 0"),
    ],
)
def test_impossible_partitions_are_refused(settings: dict, parts: int, message: str) -> None:
    """A partition that cannot be made says what there is and what was asked for."""
    settings = settings | {"exclude": tuple(settings.get("exclude", ()))}
    with pytest.raises(SettingsError, match=message):
        partition(TWELVE, 10, PartitionSettings(**settings), parts, 0)


def test_a_bootstrap_draws_with_replacement_for_any_number_of_parts() -> None:
    """A thousand parts of 60 out of 120 images: each image is in about 1 - (1 - 1/120)^60 = 39.5 % of them."""
    parts = partition(TWELVE, 10, PartitionSettings(kind="bootstrap", images=60), 1000, 0)
    share = sum(len(part.unique()) for part in parts) / (1000 * 120)
    assert share == pytest.approx(1 - (1 - 1 / 120) ** 60, abs=0.01)

"""What is asked of membership attackers: balanced, disjoint, of one distribution, and in an order that says nothing."""

import dataclasses

import pytest
import torch

from task.datasets import Dataset, load
from task.membership import Asked, ask, declared
from task.partitions import held, reserved
from task.questions import MembershipSettings
from task.settings import PartitionSettings, SettingsError, TaskSettings

SETTINGS = MembershipSettings(about=(0, 2), others=(1,), records=61, reference=50, protocols=("clean", "paper"))


def parts(seed: int = 0, kind: str = "k-classes") -> tuple[Dataset, dict[int, torch.Tensor]]:
    """Return the digits, dealt to four participants with two classes, 70 images each."""
    digits = load("digits")
    partition = PartitionSettings(kind=kind, images=70, classes_per_client=2)
    return digits, held(digits, TaskSettings(dataset="digits", model="digits-cnn", partition=partition), 4, seed)


def asked(settings: MembershipSettings = SETTINGS, seed: int = 0) -> Asked:
    """Return what is asked."""
    digits, holding = parts(seed)
    return ask(digits, settings, holding, seed)


def test_members_are_the_participant_s_own_and_nobody_holds_the_fresh_ones() -> None:
    """Of 61 records 31 are about participant 0 and 30 about 2; fresh and others' as many; the references apart."""
    found, (digits, holding) = asked(), parts()
    kinds = {
        "member": found.member,
        "fresh": found.fresh,
        "others": ~found.member & ~found.fresh,
    }
    for chosen in kinds.values():
        assert [int((found.client[chosen] == client).sum()) for client in (0, 2)] == [31, 30]
    for client in (0, 2):
        mine = found.image[found.member & (found.client == client)]
        assert torch.isin(mine, holding[client]).all()
    together = torch.cat(list(holding.values()))
    assert not torch.isin(found.image[found.fresh], together).any()
    assert torch.isin(found.image[kinds["others"]], holding[1]).all()
    everything = torch.cat([found.image, found.reference])
    assert len(everything.unique()) == len(everything) == 3 * 61 + 50
    assert not torch.isin(found.reference, together).any()
    assert len(digits.train.labels[found.reference].unique()) == 10


def test_fresh_images_have_the_labels_of_the_members() -> None:
    """Of each participant and label as many fresh ones as members: the label alone tells nothing."""
    found, (digits, _) = asked(), parts()
    labels = digits.train.labels[found.image]
    for client in (0, 2):
        mine = found.client == client
        members, fresh = (labels[mine & chosen].bincount(minlength=10) for chosen in (found.member, found.fresh))
        assert torch.equal(members, fresh)


def test_the_order_of_the_records_says_nothing() -> None:
    """The mean place of the members is that of all, within three standard errors; another seed gives another order."""
    found = asked(dataclasses.replace(SETTINGS, protocols=("clean",)))
    places = torch.arange(122.0)
    error = (122**2 / 12 / 61 / 2) ** 0.5
    assert abs(places[found.member].mean() - places.mean()) < 3 * error
    assert torch.equal(found.image, asked(dataclasses.replace(SETTINGS, protocols=("clean",))).image)
    assert not torch.equal(found.image, asked(dataclasses.replace(SETTINGS, protocols=("clean",)), seed=1).image)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"records": 150}, r"Expected 75 records of participant 0, got 70\. Lower membership\.records"),
        ({"records": 1}, r"Expected at least a record for each of 2 participants, got 1"),
        ({"others": ()}, r"Expected 61 records of participants who are not asked about, got 0\. Shorten"),
        ({"reference": 2000}, r"Expected 2000 training images that nobody holds to compare with"),
    ],
)
def test_too_few_records_are_refused_with_a_remedy(changes: dict[str, object], error: str) -> None:
    """Of members, of others' records, of references."""
    with pytest.raises(SettingsError, match=error):
        asked(dataclasses.replace(SETTINGS, **changes))


def test_an_attacker_who_holds_the_records_in_question_is_refused() -> None:
    """Records drawn with replacement are held twice: whoever has one knows that it is in."""
    digits = load("digits")
    partition = PartitionSettings(kind="bootstrap", images=70)
    task = TaskSettings(dataset="digits", model="digits-cnn", partition=partition)
    with pytest.raises(SettingsError, match=r"280 different records dealt, got 2\d\d\. Take"):
        ask(digits, SETTINGS, held(digits, task, 4, 0), 0)


def test_images_that_nobody_holds_may_be_lacking() -> None:
    """Where participants hold all images of their classes there is nothing to hold members against."""
    digits = load("digits")
    task = TaskSettings(dataset="digits", model="digits-cnn", partition=PartitionSettings(kind="one-class"))
    settings = MembershipSettings(about=(0,), others=(), records=5, reference=0)
    with pytest.raises(SettingsError, match=r"training images of class 0 that nobody holds, got 0\. Lower"):
        ask(digits, settings, held(digits, task, 2, 0), 0)


def test_declared_labels_are_those_held() -> None:
    """Two classes each, in order."""
    assert declared(*parts()) == {0: (0, 1), 1: (2, 3), 2: (4, 5), 3: (6, 7)}


def test_what_the_attacker_is_told_is_not_asked_about() -> None:
    """Of 21 members told 11 are participant 0's and 10 of 2; as many that nobody holds, of the same labels; no overlap.

    What is asked is the same as without it.
    """
    settings = dataclasses.replace(SETTINGS, known=21)
    found, (digits, holding) = asked(settings), parts()
    labels = digits.train.labels
    for client, count in ((0, 11), (2, 10)):
        mine = found.known_client == client
        inside, outside = (found.known[mine & chosen] for chosen in (found.known_member, ~found.known_member))
        assert len(inside) == len(outside) == count
        assert torch.isin(inside, holding[client]).all()
        assert not torch.isin(outside, torch.cat(list(holding.values()))).any()
        assert torch.equal(labels[inside].bincount(minlength=10), labels[outside].bincount(minlength=10))
    everything = torch.cat([found.image, found.reference, found.known])
    assert len(everything.unique()) == len(everything)
    assert torch.equal(found.image, asked().image)
    assert torch.equal(found.told(digits).labels, labels[found.known])


def test_more_may_not_be_told_than_there_is() -> None:
    """31 records asked about and 40 told of 70 that participant 0 holds."""
    with pytest.raises(
        SettingsError, match=r"Expected 71 records of participant 0, got 70\. Lower membership\.records"
    ):
        asked(dataclasses.replace(SETTINGS, known=80))
    with pytest.raises(SettingsError, match=r"membership\.known >= 0"):
        MembershipSettings(known=-1)


def test_nobody_is_asked_about_what_is_kept_apart() -> None:
    """Neither as a member, nor as an image that nobody holds."""
    digits = load("digits")
    partition = PartitionSettings(kind="k-classes", images=70, reserve=10, classes_per_client=2)
    task = TaskSettings(dataset="digits", model="digits-cnn", partition=partition)
    holding, apart = held(digits, task, 4, 0), reserved(digits, task, 4, 0)
    found = ask(digits, SETTINGS, holding, 0, apart)
    everything = torch.cat([found.image, found.reference])
    assert not torch.isin(everything, torch.cat(list(apart.values()))).any()
    assert torch.isin(found.image[found.member], torch.cat(list(holding.values()))).all()

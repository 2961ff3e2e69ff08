"""What the loot is held against belongs to whom it is said to belong."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from oleander.judge import truth
from task.datasets import Dataset, to_float


def rows(images: Tensor) -> set[bytes]:
    """Images as a set."""
    return {image.numpy().tobytes() for image in images}


def test_the_truth_about_a_class_is_its_owners(digits: Dataset, holding: dict[int, Tensor]) -> None:
    """Participant 1 holds 70 threes; the others of the class are nobody's, the test images nobody trained on."""
    found = truth.reveal(digits, holding, 3, 5, seed=0)
    mine = holding[1][digits.train.labels[holding[1]] == 3]
    assert found.owners == (1,)
    assert not found.control
    assert len(mine) == 70
    assert rows(found.images) == rows(to_float(digits.train.images[mine]))
    assert rows(found.held_out) == rows(to_float(digits.test.images[digits.test.labels == 3]))
    assert len(found.others) == len(mine)
    assert not rows(found.others) & (rows(found.images) | rows(found.held_out))
    assert [len(images) for images in found.by_class] == [70] * 10
    assert rows(found.by_class[3]) == rows(found.images)


def test_a_class_that_nobody_holds_is_a_control(digits: Dataset, holding: dict[int, Tensor]) -> None:
    """Its truth is the data set's own; there is no owner whose records could be known."""
    found = truth.reveal(digits, holding, 9, 5, seed=0)
    assert found.control
    assert len(found.images) == int((digits.train.labels == 9).sum())
    assert len(found.others) == 0


def test_of_a_class_that_is_held_whole_nothing_is_left_to_compare(digits: Dataset) -> None:
    """All training threes are one participant's: test images were in no lottery, so there are no others."""
    everything = (digits.train.labels == 3).nonzero().flatten()
    found = truth.reveal(digits, {1: everything}, 3, 5, seed=0)
    assert len(found.images) == len(everything)
    assert len(found.others) == 0


def test_an_attacker_owns_nothing_of_what_it_steals(digits: Dataset, holding: dict[int, Tensor]) -> None:
    """Zeros are held by participants 0 and 4; if 4 is the attacker, 0 is the only owner."""
    assert truth.owners(digits, holding, 0, None) == (0, 4)
    assert truth.owners(digits, holding, 0, 4) == (0,)
    assert len(truth.reveal(digits, holding, 0, 4, seed=0).images) == 70


def test_victims_are_written_once(digits: Dataset, holding: dict[int, Tensor], tmp_path: Path) -> None:
    """All that a victim holds, without pickles; a file that is there stays."""
    truth.keep(tmp_path / "truth", digits, holding, {1})
    with np.load(tmp_path / "truth" / "victim-1.npz", allow_pickle=False) as arrays:
        images, labels = torch.from_numpy(arrays["images"]), torch.from_numpy(arrays["labels"])
    assert torch.equal(images, to_float(digits.train.images[holding[1]]))
    assert torch.equal(labels, digits.train.labels[holding[1]])
    (tmp_path / "truth" / "victim-1.npz").write_bytes(b"mine")
    truth.keep(tmp_path / "truth", digits, holding, {1})
    assert (tmp_path / "truth" / "victim-1.npz").read_bytes() == b"mine"
    assert [path.name for path in (tmp_path / "truth").iterdir()] == ["victim-1.npz"]

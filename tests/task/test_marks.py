"""Tests of tables of marks and of the splits that follow: on the real faces, and on a small made-up folder."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from task import marks
from task.datasets import Dataset, load, load_task
from task.partitions import held
from task.settings import PartitionSettings, PrivateSettings, SettingsError, TaskSettings

GLASSES = TaskSettings(
    dataset="att-faces",
    model="wang-faces-cnn",
    image_size=64,
    partition=PartitionSettings(kind="whole-classes"),
    private=PrivateSettings(kind="attribute", client=2, table="glasses.csv"),
)
HATS = {"ann": "0101", "bob": "00000", "cy": "1111"}  # one of both kinds, one never, one always


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return 13 images of three persons, ann/1.png to cy/4.png, with the grey values 1, 2, ..., and their hats.csv."""
    rows, value = ["person,image,hat"], 0
    for name, values in HATS.items():
        (tmp_path / name).mkdir()
        for number, mark in enumerate(values, 1):
            value += 1
            Image.new("L", (8, 8), value).save(tmp_path / name / f"{number}.png")
            rows.append(f"{name},{number},{mark}")
    (tmp_path / "hats.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def test_the_faces_with_glasses(data_root: str) -> None:
    """Of 400 faces 119 wear glasses: 73 are the server's, 103 with glasses the victim's, 224 the others'.

    Seven persons have both kinds and give the server one image without glasses; the others, always or never with
    glasses, two.
    """
    faces = load_task(GLASSES, data_root)
    assert faces.mark == "glasses"
    assert faces.classes == tuple(f"s{person}" for person in range(1, 41))
    assert (len(faces.train.labels), len(faces.test.labels)) == (327, 73)
    train, test = faces.train.marked, faces.test.marked
    assert train is not None
    assert test is not None
    always, both = [2, 6, 14, 27, 28, 31, 34, 37], [4, 7, 13, 17, 19, 20, 36]
    in_test = faces.test.labels.bincount(minlength=40).tolist()
    assert [person + 1 for person, count in enumerate(in_test) if count == 1] == both
    assert sorted(in_test) == [1] * 7 + [2] * 33
    assert sorted({label + 1 for label in faces.test.labels[test].tolist()}) == always
    assert (int(train.sum()), int(test.sum())) == (103, 16)
    parts = held(faces, GLASSES, clients=10, seed=0)
    assert {client: len(part) for client, part in parts.items() if client == 2} == {2: 103}
    assert bool(train[parts[2]].all())
    others = torch.cat([part for client, part in parts.items() if client != 2])
    assert len(others.unique()) == len(others) == 224
    assert not bool(train[others].any())
    plain = sorted({label + 1 for label in faces.train.labels[others].tolist()})
    assert plain == [person for person in range(1, 41) if person not in always]


def test_marks_leave_the_images_alone(data_root: str) -> None:
    """Both splits together are the same 400 images as without a table."""
    plain, marked = load("att-faces", data_root, 16), load("att-faces", data_root, 16, table="glasses.csv")

    def rows(dataset: Dataset) -> list[tuple[int, bytes]]:
        splits = (dataset.train, dataset.test)
        return sorted(
            (int(y), x.numpy().tobytes()) for one in splits for x, y in zip(one.images, one.labels, strict=True)
        )

    assert rows(plain) == rows(marked)
    assert plain.train.marked is None


def test_a_folder_of_your_own(folder: Path) -> None:
    """Ann gives the server her last image without a hat (3), Bob and Cy their last two; the rest is for training."""
    found = load("image-folder", str(folder), table="hats.csv")
    assert found.classes == ("ann", "bob", "cy")
    assert found.mark == "hat"
    assert found.test.images[:, 0, 0, 0].tolist() == [3, 8, 9, 12, 13]
    assert found.test.labels.tolist() == [0, 1, 1, 2, 2]
    assert found.train.images[:, 0, 0, 0].tolist() == [1, 2, 4, 5, 6, 7, 10, 11]
    assert found.train.marked is not None
    assert found.train.marked.tolist() == [False, True, True, False, False, False, True, True]
    assert found.test.marked is not None
    assert found.test.marked.tolist() == [False, False, False, True, True]


def test_train_and_test_folders_are_one(folder: Path) -> None:
    """A folder that has splits of its own is split anew; names that both hold are told apart by the split's."""
    for number, (name, values) in enumerate(HATS.items()):
        for split in ("train", "test"):
            (folder / split / name).mkdir(parents=True)
        for image in range(1, len(values) + 1):
            split = "test" if image == 1 else "train"
            target = folder / split / name / ("2.png" if (number, image) == (0, 1) else f"{image}.png")
            (folder / name / f"{image}.png").rename(target)
        (folder / name).rmdir()
    table = folder / "hats.csv"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace("ann,1,", "ann,test/2.png,").replace("ann,2,", "ann,train/2,"), encoding="utf-8")
    found = load("image-folder", str(folder), table="hats.csv")
    assert found.train.images[:, 0, 0, 0].tolist() == [2, 3, 4, 6, 7, 8, 11, 12]
    assert found.test.images[:, 0, 0, 0].tolist() == [1, 9, 5, 13, 10]  # train comes before test
    assert found.train.marked is not None
    assert found.train.marked.tolist() == [True, False, True, False, False, False, True, True]
    table.write_text(text.replace("ann,1,", "ann,test/2.png,"), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"one image in line 3 of .*got '2, which 2 bear'. Write train/NAME"):
        load("image-folder", str(folder), 8, table="hats.csv")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "person,image,hat",
            "who,image,hat",
            r"three columns in the head: class \(or person\), image, .*'who,image,hat'",
        ),
        ("person,image,hat", "person,image", r"and the name of the property, in .*, got 'person,image'"),
        ("person,image,hat", "person,image,hat,coat", r"got 'person,image,hat,coat'"),
        ("ann,1,0", "ann,1,0,1", r"3 values in line 2 of .*got 'ann,1,0,1'"),
        ("ann,1,0", "ann,1,no", r"0 or 1 as hat in line 2 of .*, got 'no'"),
        ("ann,1,0", "ann,7,0", r"an image that is there in line 2 of .*, got 'ann/7'"),
        ("ann,1,0", "eve,1,0", r"an image that is there in line 2 of .*, got 'eve/1'"),
        ("ann,1,0", "ann,2,0", r"one row for each image in .*, got 'a second for 2 in line 3"),
        ("ann,1,0\n", "", r"a row for every image in .*, got \"none for 1, the first .*ann/1.png"),
        ("1\n", "0\n", r"an image with the hat 1 in .*, got '0 everywhere'"),
        ("0\n", "1\n", r"an image with the hat 0 in .*, got '1 everywhere'"),
    ],
)
def test_wrong_tables_are_refused(old: str, new: str, message: str, folder: Path) -> None:
    """What is wrong in a table is named with its line."""
    table = folder / "hats.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(SettingsError, match=message):
        load("image-folder", str(folder), table="hats.csv")


def test_missing_and_unreadable_tables_are_refused(folder: Path) -> None:
    """A table that is not there, is empty or is no text is named, with what it should be."""
    with pytest.raises(SettingsError, match=r"the table .*caps.csv, got 'no such file'. It is a CSV file with three"):
        load("image-folder", str(folder), table="caps.csv")
    (folder / "empty.csv").touch()
    with pytest.raises(SettingsError, match="got 'an empty file'"):
        load("image-folder", str(folder), table="empty.csv")
    (folder / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="to be a readable CSV file"):
        load("image-folder", str(folder), table="bytes.csv")


def test_only_data_sets_of_single_files_can_be_marked() -> None:
    """The digits have no files to name."""
    with pytest.raises(SettingsError, match=r"a data set whose images a table can mark .*att-faces, image-folder"):
        load("digits", table="glasses.csv")


def test_too_small_a_class_is_named(folder: Path) -> None:
    """A class of one kind needs three images: two for the server, one to train on."""
    for number in (3, 4, 5):
        (folder / "bob" / f"{number}.png").unlink()
    table = folder / "hats.csv"
    lines = [
        line for line in table.read_text(encoding="utf-8").splitlines() if line[:5] not in ("bob,3", "bob,4", "bob,5")
    ]
    table.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(SettingsError, match="at least 3 images of the class bob, got 2"):
        load("image-folder", str(folder), table="hats.csv")


def test_numbers_in_names_count_by_value() -> None:
    """2.pgm comes before 10.pgm, a10b2 before a10b11, and digits before letters."""
    names = ["10.pgm", "2.pgm", "a10b11", "a10b2", "a2"]
    assert [path.name for path in marks.in_order([Path(name) for name in names])] == [
        "2.pgm",
        "10.pgm",
        "a2",
        "a10b2",
        "a10b11",
    ]

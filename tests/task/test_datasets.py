"""Tests of the six loaders: on the real data where they are, on made ones for everything that can go wrong."""

import hashlib
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from task import datasets, reading
from task.datasets import load
from task.settings import SettingsError, TaskSettings


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write an array of bytes in MNIST's format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


@pytest.fixture
def tiny_mnist(tmp_path: Path) -> Path:
    """Return a folder with an MNIST of six training and three test images."""
    for prefix, count in (("train", 6), ("t10k", 3)):
        pixels = np.arange(count * 28 * 28).reshape(count, 28, 28) % 256
        write_idx(tmp_path / "MNIST" / "raw" / f"{prefix}-images-idx3-ubyte", pixels)
        write_idx(tmp_path / "MNIST" / "raw" / f"{prefix}-labels-idx1-ubyte", np.arange(count))
    return tmp_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an image folder of two classes with two 6x4 images each, whose grey value is 100 * class + 10 * image."""
    for split in ("train", "test"):
        for label, name in enumerate(("ash", "birch")):
            (tmp_path / split / name).mkdir(parents=True)
            for image in range(2):
                value = 100 * label + 10 * image
                Image.new("L", (6, 4), value).save(tmp_path / split / name / f"{image}.png")
    return tmp_path


def test_digits_are_those_of_scikit_learn() -> None:
    """The digits are scikit-learn's 1,797, in its order, 0..16 scaled to 0..255 and rounded; every fifth is test."""
    data, truth = load("digits"), load_digits()
    assert data.shape == (1, 8, 8)
    assert data.classes == tuple("0123456789")
    seen = dict.fromkeys(range(10), 0)
    train, test = [], []
    for place, label in enumerate(truth.target.tolist()):
        seen[label] += 1
        (test if seen[label] % 5 == 0 else train).append(place)
    for split, places in ((data.train, train), (data.test, test)):
        expected = np.floor(truth.images[places] * 255 / 16 + 0.5)
        assert np.array_equal(split.images[:, 0].numpy(), expected)
        assert split.labels.tolist() == truth.target[places].tolist()
    assert (len(train), len(test)) == (1442, 355)  # 355 = the sum of n // 5 over the classes' sizes


def test_loading_twice_gives_the_same_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process holds a data set once, however it is asked for."""
    first = load("digits", image_size=8)
    assert load("digits", None, 8) is first
    assert datasets.load_task(TaskSettings(dataset="digits", model="digits-cnn", image_size=8)) is first
    assert load("digits") is not first
    monkeypatch.setenv("OLEANDER_DATA", "/elsewhere")
    assert datasets.resolve_root(None) == Path("/elsewhere")
    assert datasets.resolve_root("/here") == Path("/here")
    monkeypatch.delenv("OLEANDER_DATA")
    assert datasets.resolve_root(None) == Path.cwd() / "data"


def test_to_float_spans_minus_one_to_one() -> None:
    """Black is -1, white is 1, and no byte lies outside or is changed in place."""
    images = torch.tensor([0, 51, 255], dtype=torch.uint8)
    assert torch.allclose(datasets.to_float(images), torch.tensor([-1.0, -0.6, 1.0]))
    assert images.tolist() == [0, 51, 255]


def test_idx_files_are_read_as_torchvision_reads_them(data_root: str) -> None:
    """MNIST and Fashion-MNIST agree with torchvision's reading in every pixel, label and class name."""
    from torchvision.datasets import MNIST, FashionMNIST  # noqa: PLC0415  # takes two seconds

    for name, library in (("mnist", MNIST), ("fashion-mnist", FashionMNIST)):
        data = load(name, data_root)
        for split, train, count in ((data.train, True, 60_000), (data.test, False, 10_000)):
            theirs = library(data_root, train=train)
            assert split.images.shape == (count, 1, 28, 28)
            assert torch.equal(split.images[:, 0], theirs.data)
            assert torch.equal(split.labels, theirs.targets)
    assert data.classes == tuple(FashionMNIST.classes)


def test_att_faces_are_split_by_image(data_root: str) -> None:
    """Of each of the 40 persons, images 1 to 8 are training and 9 and 10 test images, 92 wide and 112 high."""
    data = load("att-faces", data_root)
    assert data.shape == (1, 112, 92)
    assert data.train.labels.bincount().tolist() == [8] * 40
    assert data.test.labels.bincount().tolist() == [2] * 40
    tenth = np.array(Image.open(Path(data_root) / "att_faces" / "s3" / "10.pgm"))
    assert np.array_equal(data.test.images[2 * 2 + 1, 0].numpy(), tenth)
    assert load("att-faces", str(Path(data_root) / "att_faces"), 64).shape == (1, 64, 64)


def test_cifar10_from_folders(data_root: str) -> None:
    """Without torchvision's files, CIFAR-10 is read from folders of JPEGs, here turned to 28x28 grey."""
    if not (Path(data_root) / "cifar10-jpeg").is_dir():
        pytest.skip(f"needs {data_root}/cifar10-jpeg")
    data = load("cifar10", data_root, 28, grey=True)
    assert data.shape == (1, 28, 28)
    assert data.classes[6] == "frog"
    assert data.train.labels.bincount().tolist() == [1000] * 10
    assert data.test.labels.bincount().tolist() == [200] * 10


def test_image_folder(folder: Path) -> None:
    """An image folder's classes are its folders' names, sorted; its images come in the order of their names."""
    data = load("image-folder", str(folder))
    assert data.classes == ("ash", "birch")
    assert data.shape == (1, 4, 6)
    assert data.train.labels.tolist() == [0, 0, 1, 1]
    assert data.train.images[:, 0, 0, 0].tolist() == [0, 10, 100, 110]
    assert load("image-folder", str(folder), 3).test.images.unique().tolist() == [0, 10, 100, 110]


def test_colour_and_grey() -> None:
    """Grey is luma, rounded as PIL rounds it, to within one; an image without colour stays as it is."""
    images = torch.randint(0, 256, (7, 3, 5, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    grey = reading.prepare(images, size=None, grey=True)
    for ours, image in zip(grey, images, strict=True):
        theirs = np.array(Image.fromarray(image.permute(1, 2, 0).numpy()).convert("L"))
        assert np.abs(ours[0].numpy().astype(int) - theirs.astype(int)).max() <= 1
    assert reading.prepare(grey, size=None, grey=True) is grey
    red = torch.tensor([255, 0, 0], dtype=torch.uint8).view(1, 3, 1, 1)
    assert reading.prepare(red, size=None, grey=True).item() == 76  # 0.299 * 255 = 76.2


def test_resizing_averages() -> None:
    """Halving a chequerboard gives grey inside, as antialiasing must; PIL's bilinear resize agrees to within one."""
    board = (torch.arange(64).view(8, 8) + torch.arange(8).view(8, 1)).remainder(2).mul(255).byte()
    halved = reading.prepare(board.view(1, 1, 8, 8), size=4, grey=False)[0, 0]
    assert (halved[1:-1, 1:-1].float() - 127.5).abs().max() < 1
    image = torch.randint(0, 256, (1, 1, 112, 92), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    ours = reading.prepare(image, size=64, grey=False)[0, 0].numpy()
    theirs = Image.fromarray(image[0, 0].numpy()).resize((64, 64), Image.Resampling.BILINEAR)
    assert np.abs(ours.astype(int) - np.array(theirs).astype(int)).max() <= 1


def test_many_images_are_resized_as_single_ones() -> None:
    """The batches in which images are resized leave no trace."""
    images = torch.randint(0, 256, (1001, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
    together = reading.prepare(images, size=3, grey=False)
    assert torch.equal(together[-1:], reading.prepare(images[-1:], size=3, grey=False))


def test_tiny_mnist(tiny_mnist: Path) -> None:
    """The writer that the next tests damage the files of writes what the loader reads."""
    data = load("mnist", str(tiny_mnist))
    assert data.train.images[0, 0, 1, :3].tolist() == [28, 29, 30]
    assert data.test.labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "att-faces", "cifar10", "image-folder"])
def test_missing_data_say_what_to_do(name: str, tmp_path: Path) -> None:
    """A missing data set is refused with the path that was looked for and three ways to name the folder."""
    with pytest.raises(SettingsError, match=rf"Expected the .*{tmp_path}.*, got 'no such .*--data DIR or \$OLEANDER"):
        load(name, str(tmp_path))


def test_unknown_data_set_offers_the_nearest() -> None:
    """A misspelt name is answered with the nearest known one."""
    with pytest.raises(SettingsError, match="Did you mean 'mnist'"):
        load("mnits")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:-1], r"train-images-idx3-ubyte to have 4720 bytes, as its header says, got 4719"),
        (lambda content: content[:10], r"train-images-idx3-ubyte to be an idx file"),
        (lambda content: b"\x1f\x8b" + content, r"train-images-idx3-ubyte to be an idx file"),
    ],
)
def test_damaged_idx_file_is_named(damage, message: str, tiny_mnist: Path) -> None:  # noqa: ANN001  # a lambda
    """An idx file that is cut short (16 + 6 * 28 * 28 = 4,720 bytes were due) or of another kind is named."""
    path = tiny_mnist / "MNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SettingsError, match=message):
        load("mnist", str(tiny_mnist))


def test_labels_must_match_images(tiny_mnist: Path) -> None:
    """Fewer labels than images are refused."""
    write_idx(tiny_mnist / "MNIST" / "raw" / "t10k-labels-idx1-ubyte", np.arange(2))
    with pytest.raises(SettingsError, match=r"Expected 3 labels in .*t10k-labels-idx1-ubyte, got 2"):
        load("mnist", str(tiny_mnist))


@pytest.mark.parametrize("keep", [0, 30, 60])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".pgm"])
def test_unreadable_image_is_named(folder: Path, suffix: str, keep: int) -> None:
    """An image cut short anywhere is named."""
    path = folder / "test" / "birch" / f"2{suffix}"
    Image.effect_noise((12, 12), 50).save(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(SettingsError, match=rf"2\{suffix} to be a readable image"):
        load("image-folder", str(folder))


def test_deep_images_are_refused(folder: Path) -> None:
    """An image with 16 bits a channel would be clipped, so it is refused."""
    Image.fromarray(np.full((4, 6), 1000, np.uint16)).save(folder / "train" / "ash" / "2.png")
    with pytest.raises(SettingsError, match=r"2.png to have 8 bits a channel, got 'I;16'"):
        load("image-folder", str(folder))


def test_differing_shapes_need_a_size(folder: Path) -> None:
    """Images of differing shapes are refused by name, and accepted with image_size and grey."""
    Image.new("RGB", (5, 5)).save(folder / "train" / "birch" / "2.png")
    with pytest.raises(SettingsError, match=r"shape \(1, 4, 6\) of .*0.png, got '\(3, 5, 5\) in .*2.png'.*image_size"):
        load("image-folder", str(folder))
    assert len(load("image-folder", str(folder), 4, grey=True).train.labels) == 5


def test_empty_class_is_named(folder: Path) -> None:
    """A class without an image is refused."""
    for image in (folder / "train" / "ash").iterdir():
        image.unlink()
    with pytest.raises(SettingsError, match=r"Expected images .* in .*train/ash, got 'none'"):
        load("image-folder", str(folder))


def test_splits_must_have_the_same_classes(folder: Path) -> None:
    """A class that only one split has is refused."""
    (folder / "test" / "cedar").mkdir()
    with pytest.raises(SettingsError, match=r"got \('ash', 'birch', 'cedar'\)"):
        load("image-folder", str(folder))


def test_damaged_cifar10_is_refused(tmp_path: Path) -> None:
    """Files that are not CIFAR-10's are refused by their checksum, before torchvision opens them."""
    (tmp_path / "cifar-10-batches-py").mkdir()
    (tmp_path / "cifar-10-batches-py" / "data_batch_1").write_bytes(b"not a batch")
    with pytest.raises(SettingsError, match=r"Expected CIFAR-10 in .*cifar-10-batches-py, got: Dataset not found"):
        load("cifar10", str(tmp_path))


def test_cifar10_as_torchvision_stores_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of torchvision's files, rows are turned to [C, H, W] and classes take their names (checksums: of made files)."""
    from torchvision.datasets import CIFAR10  # noqa: PLC0415  # takes two seconds

    pixels = np.arange(2 * 3072).reshape(2, 3072) % 251
    contents = {
        "data_batch_1": {"data": pixels.astype(np.uint8), "labels": [1, 0]},
        "test_batch": {"data": pixels[:1].astype(np.uint8), "labels": [1]},
        "batches.meta": {"label_names": ["airplane", "automobile"]},
    }
    sums = {}
    (tmp_path / "cifar-10-batches-py").mkdir()
    for name, content in contents.items():
        path = tmp_path / "cifar-10-batches-py" / name
        path.write_bytes(pickle.dumps(content))
        sums[name] = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setattr(CIFAR10, "train_list", [["data_batch_1", sums["data_batch_1"]]])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": sums["batches.meta"]})
    data = load("cifar10", str(tmp_path))
    assert data.classes == ("airplane", "automobile")
    assert data.train.labels.tolist() == [1, 0]
    assert data.test.images.shape == (1, 3, 32, 32)
    assert data.train.images[1, 2, 5, 7].item() == (3072 + 2 * 1024 + 5 * 32 + 7) % 251


def test_loading_starts_no_threads_and_imports_no_other_library() -> None:
    """After torch.set_num_threads(1), loading and resizing the digits adds no thread, scikit-learn or torchvision."""
    code = """
import pathlib, sys, torch
torch.set_num_threads(1)
threads = lambda: len(list(pathlib.Path("/proc/self/task").iterdir()))
before = threads()
from task import datasets
datasets.load("digits", image_size=16)
print(threads() - before, {"sklearn", "scipy", "torchvision", "flwr"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0 set()"

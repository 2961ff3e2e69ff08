"""The public data sets, held as tensors: loaded once per process, kept as bytes.

Loading is meant to happen before a process forks, so it starts no threads and imports little. Hence the digits are read
from scikit-learn's file (importing scikit-learn costs 1.9 s, 145 MB and two threads, measured; the file 0.1 s), and the
idx files of MNIST and Fashion-MNIST are read here (importing torchvision costs 2.1 s and 160 MB); torchvision is
imported for its CIFAR-10 alone. A data set is added as one function and one line of DATASETS.
"""

import functools
import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from task import marks, reading
from task.reading import Labelled, Prepare
from task.settings import SettingsError, TaskSettings, choose, expect

PIXEL_HALF = 127.5
TEST_EVERY = 5  # of the digits of a class, every fifth is a test image
FACES_TABLE = "glasses.csv"
FACES_PERSONS, FACES_TRAIN, FACES_IMAGES = 40, 8, 10
FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
WHERE = "Name the folder that holds it with --data DIR or $OLEANDER_DATA (the default is ./data)."
FACES_REMEDY = f"{WHERE} It is the AT&T (ORL) database of faces, with folders s1 to s40 of images 1.pgm to 10.pgm."
FOLDER_REMEDY = f"{WHERE} It must hold train/<class>/ and test/<class>/ with images."

Parts = tuple[tuple[str, ...], Labelled, Labelled]


@dataclass(frozen=True, eq=False)
class Split:
    """Images of a data set. Shared by all who load it: never write to it.

    Attributes:
        images: uint8 [N, C, H, W] in 0..255.
        labels: int64 [N].
        marked: bool [N], whether an image has the property that a table tells of; None where there is no table.

    """

    images: Tensor
    labels: Tensor
    marked: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set.

    Attributes:
        name: see DATASETS.
        classes: names of the classes in the order of their labels.
        train, test: disjoint splits.
        mark: name of what the marked images have, "glasses" for instance; empty where no table tells.

    """

    name: str
    classes: tuple[str, ...]
    train: Split
    test: Split
    mark: str = ""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape (C, H, W) of one image."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width


def load(
    name: str,
    root: str | None = None,
    image_size: int | None = None,
    *,
    grey: bool = False,
    table: str | None = None,
) -> Dataset:
    """Return the data set `name`; the same object each time it is asked for in one process.

    Args:
        name: a key of DATASETS.
        root: folder of the data; None for $OLEANDER_DATA, or ./data where that is not set. `digits` needs none.
        image_size: side in pixels to which both sides are scaled (bilinear, antialias); None keeps the images' own.
        grey: turn colour images to one channel of luma.
        table: file in the images' folder that marks some of them (task.marks); the splits are then made anew, so that
            no marked image of a class that has both kinds is a test image.

    Raises:
        SettingsError: for an unknown name, for data that are missing, cut short or of different shapes, and for a table
            that is wrong, or that a data set cannot have.

    """
    choose(name, DATASETS, "a data set", "See `oleander list datasets`.")
    return _load(name, resolve_root(root), image_size, grey, table)


def load_task(settings: TaskSettings, root: str | None = None) -> Dataset:
    """Return the data set of a task, as `load` does."""
    table = settings.private.table if settings.private else None
    return load(settings.dataset, root, settings.image_size, grey=settings.grey, table=table)


def resolve_root(root: str | None) -> Path:
    """Return the folder of the data as an absolute path: `root`, or $OLEANDER_DATA, or ./data."""
    return _resolved(root or os.environ.get("OLEANDER_DATA") or "data", str(Path.cwd()))


@functools.cache
def _resolved(root: str, here: str) -> Path:
    """Return a path as an absolute one; each of a thousand virtual clients asks for the same in every round."""
    return (Path(here) / Path(root).expanduser()).resolve()


def to_float(images: Tensor) -> Tensor:
    """Return images uint8 in 0..255 as float32 in [-1, 1]."""
    return images.float().div_(PIXEL_HALF).sub_(1)


@functools.cache
def _load(name: str, root: Path, image_size: int | None, grey: bool, table: str | None) -> Dataset:  # noqa: FBT001  # one cache key
    """Load what `load` was asked for."""
    prepare = functools.partial(reading.prepare, size=image_size, grey=grey)
    if table is not None:
        return _load_marked(name, root, prepare, table)
    classes, train, test = DATASETS[name](root, prepare)
    return Dataset(name, classes, Split(*train), Split(*test))


def _load_marked(name: str, root: Path, prepare: Prepare, table: str) -> Dataset:
    """Load a data set some of whose images a table marks, in splits that are made by it."""
    choose(name, MARKABLE, "a data set whose images a table can mark", "Or set task.private.kind to rotated.")
    folder, files = MARKABLE[name](root)
    found = marks.read(folder / table, files)
    labels = {one: label for label, one in enumerate(files)}
    images, truth = reading.read_images([(path, labels[one]) for one in files for path in files[one]], prepare, WHERE)
    marked = torch.tensor([path in found.files for paths in files.values() for path in paths])
    kept = [marks.held_out(one, [path in found.files for path in paths]) for one, paths in files.items()]
    tests = torch.tensor([one for each in kept for one in each])
    train, test = (Split(images[part], truth[part], marked[part]) for part in (~tests, tests))
    return Dataset(name, tuple(files), train, test, found.mark)


def digits(root: Path, prepare: Prepare) -> Parts:
    """1,797 digits of 8x8 pixels that ship with scikit-learn; needs no download."""
    del root
    package = importlib.util.find_spec("sklearn")
    remedy = "Install it with `pip install scikit-learn`."
    if package is None or package.origin is None:
        raise SettingsError(f"Expected scikit-learn, which brings the digits, got no such package. {remedy}")
    path = Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
    expect(path.is_file(), f"the digits in {path}", "no such file", remedy)
    table = torch.from_numpy(np.loadtxt(path, np.uint8, delimiter=","))
    images = table[:, :-1].float().mul(255 / 16).round().byte().reshape(-1, 1, 8, 8)
    labels = table[:, -1].long()
    place = torch.zeros_like(labels)  # of each image among those of its class
    for label in range(10):
        place[labels == label] = torch.arange(int((labels == label).sum()))
    test = place % TEST_EVERY == TEST_EVERY - 1
    images = prepare(images)
    return tuple("0123456789"), (images[~test], labels[~test]), (images[test], labels[test])


def mnist(root: Path, prepare: Prepare) -> Parts:
    """70,000 handwritten digits of 28x28 pixels, from DIR/MNIST/raw."""
    return _idx(root, "MNIST", tuple("0123456789"), prepare)


def fashion_mnist(root: Path, prepare: Prepare) -> Parts:
    """70,000 pieces of clothing of 28x28 pixels, from DIR/FashionMNIST/raw."""
    return _idx(root, "FashionMNIST", FASHION, prepare)


def att_faces(root: Path, prepare: Prepare) -> Parts:
    """400 faces of 40 persons, 92x112 pixels, from DIR/att_faces/s1..s40; with who wears glasses in glasses.csv there.

    Images 1 to 8 are for training, 9 and 10 for testing, unless a table of marks makes other splits.
    """
    _, persons = _faces(root)

    def read(places: slice) -> Labelled:
        files = [(path, label) for label, paths in enumerate(persons.values()) for path in paths[places]]
        return reading.read_images(files, prepare, FACES_REMEDY)

    return tuple(persons), read(slice(FACES_TRAIN)), read(slice(FACES_TRAIN, None))


def _faces(root: Path) -> tuple[Path, marks.Files]:
    """Return the folder of the AT&T faces, and the files by person."""
    folder = root / "att_faces" if (root / "att_faces").is_dir() else root
    numbers = range(1, FACES_IMAGES + 1)
    persons = [f"s{person}" for person in range(1, FACES_PERSONS + 1)]
    return folder, {person: [folder / person / f"{number}.pgm" for number in numbers] for person in persons}


def cifar10(root: Path, prepare: Prepare) -> Parts:
    """Colour photographs of ten things, 32x32 pixels, from DIR/cifar-10-batches-py or DIR/cifar10-jpeg."""
    remedy = f"{WHERE} {_download('CIFAR10')}"
    if not (root / "cifar-10-batches-py").is_dir():
        return reading.read_folder(root / "cifar10-jpeg", prepare, remedy)
    from torchvision.datasets import CIFAR10  # noqa: PLC0415  # takes 2 s, and only this data set needs it

    try:  # it compares checksums before it opens the files
        train, test = (CIFAR10(str(root), train=train) for train in (True, False))
    except RuntimeError as error:
        raise SettingsError(f"Expected CIFAR-10 in {root / 'cifar-10-batches-py'}, got: {error} {remedy}") from error
    pairs = [
        (prepare(torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous()), torch.tensor(part.targets))
        for part in (train, test)
    ]
    return tuple(train.classes), pairs[0], pairs[1]


def image_folder(root: Path, prepare: Prepare) -> Parts:
    """Your own images, from DIR/train/<class>/ and DIR/test/<class>/ (*.png, *.jpg, *.pgm); classes sorted by name.

    With a table of marks, also from DIR/<class>/; it makes the splits (task.marks).
    """
    return reading.read_folder(root, prepare, FOLDER_REMEDY)


def _folder(root: Path) -> tuple[Path, marks.Files]:
    """Return your folder, and the files by class, whichever split they lie in."""
    return root, reading.class_files(root, FOLDER_REMEDY)


DATASETS: dict[str, Callable[[Path, Prepare], Parts]] = {
    "digits": digits,
    "mnist": mnist,
    "fashion-mnist": fashion_mnist,
    "att-faces": att_faces,
    "cifar10": cifar10,
    "image-folder": image_folder,
}

MARKABLE: dict[str, Callable[[Path], tuple[Path, marks.Files]]] = {"att-faces": _faces, "image-folder": _folder}
"""The data sets whose images a table can mark: where it lies, and the images' files by class."""


def _idx(root: Path, name: str, classes: tuple[str, ...], prepare: Prepare) -> Parts:
    """Read a data set in MNIST's layout, as torchvision leaves it in DIR/<name>/raw."""
    remedy = f"{WHERE} {_download(name)}"

    def read(prefix: str) -> Labelled:
        images = reading.read_idx(root / name / "raw" / f"{prefix}-images-idx3-ubyte", 3, remedy)
        path = root / name / "raw" / f"{prefix}-labels-idx1-ubyte"
        labels = reading.read_idx(path, 1, remedy)
        expect(len(labels) == len(images), f"{len(images)} labels in {path}", len(labels), remedy)
        return prepare(images.unsqueeze(1)), labels.long()

    return classes, read("train"), read("t10k")


def _download(name: str) -> str:
    """Say how to fetch a data set of torchvision's."""
    return f"""To fetch it: python -c "from torchvision.datasets import {name}; {name}('DIR', download=True)"."""

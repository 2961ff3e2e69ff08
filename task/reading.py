"""Readers of image files into tensors uint8. Whatever is missing, cut short or of the wrong shape is named."""

import math
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from task.marks import in_order
from task.settings import SettingsError, expect

SUFFIXES = (".png", ".jpg", ".jpeg", ".pgm")
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as PIL's mode "L"
# What PIL raises for damaged files, and for such that announce more pixels than anybody's image has.
DAMAGED = (OSError, ValueError, SyntaxError, LookupError, TypeError, struct.error, Image.DecompressionBombError)
BATCH = 1000  # images turned to floats at a time, to spare memory

Prepare = Callable[[Tensor], Tensor]
Labelled = tuple[Tensor, Tensor]


def prepare(images: Tensor, *, size: int | None, grey: bool) -> Tensor:
    """Turn images uint8 [N, C, H, W] to one channel of luma if `grey`, then to size x size, bilinear with antialias.

    Returns uint8, rounded; the images themselves where there is nothing to do. The sides may be scaled differently;
    nothing is cropped.
    """
    if grey and images.shape[1] == len(LUMA):
        weights = torch.tensor(LUMA).view(1, -1, 1, 1)
        images = torch.cat([(part * weights).sum(1, keepdim=True).round().byte() for part in _batches(images)])
    if size is None or images.shape[2:] == (size, size):
        return images
    return torch.cat([_resize(part, size) for part in _batches(images)])


def _batches(images: Tensor) -> Iterator[Tensor]:
    """Yield the images in batches."""
    return (images[first : first + BATCH] for first in range(0, len(images), BATCH))


def _resize(images: Tensor, size: int) -> Tensor:
    """Resize images uint8 [N, C, H, W] to [N, C, size, size]."""
    resized = functional.interpolate(
        images.float(), size=(size, size), mode="bilinear", align_corners=False, antialias=True
    )
    return resized.round().clamp(0, 255).byte()


def read_idx(path: Path, dimensions: int, remedy: str) -> Tensor:
    """Read a file in MNIST's idx format: unsigned bytes with the given number of dimensions.

    Raises:
        SettingsError: if the file is missing, no such idx file, or not as long as its header says.

    """
    expect(path.is_file(), f"the file {path}", "no such file", remedy)
    content = path.read_bytes()
    header = 4 + 4 * dimensions
    magic = bytes([0, 0, 8, dimensions])
    expect(
        len(content) >= header and content[:4] == magic, f"{path} to be an idx file ({magic!r})", content[:4], remedy
    )
    shape = [int.from_bytes(content[start : start + 4], "big") for start in range(4, header, 4)]
    size = header + math.prod(shape)  # numpy's product wraps around
    expect(len(content) == size, f"{path} to have {size} bytes, as its header says", len(content), remedy)
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=header).reshape(shape).copy())


def read_image(path: Path, remedy: str) -> Tensor:
    """Read one 8-bit image as uint8 [1, H, W] if it is stored without colour, else [3, H, W].

    Raises:
        SettingsError: if the file is missing, cut short, no image, or has more than 8 bits a channel.

    """
    expect(path.is_file(), f"the image {path}", "no such file", remedy)
    try:
        with Image.open(path) as image:
            expect(not image.mode.startswith(("I", "F")), f"{path} to have 8 bits a channel", image.mode, remedy)
            array = np.array(image.convert("L" if image.mode in ("1", "L", "LA") else "RGB"))
    except DAMAGED as error:
        if isinstance(error, SettingsError):
            raise
        raise SettingsError(f"Expected {path} to be a readable image, got: {error}. {remedy}") from error
    return torch.from_numpy(array).reshape(*array.shape[:2], -1).permute(2, 0, 1).contiguous()


def read_images(files: Sequence[tuple[Path, int]], prepare: Prepare, remedy: str) -> Labelled:
    """Read (file, label) pairs, each image prepared on its own: images uint8 [N, C, H, W], labels int64 [N], N > 0.

    Raises:
        SettingsError: as read_image, and if the prepared images differ in shape.

    """
    images: list[Tensor] = []
    for path, _ in files:
        image = prepare(read_image(path, remedy).unsqueeze(0))
        if images:
            expect(
                image.shape == images[0].shape,
                f"all images to have the shape {_shape(images[0])} of {files[0][0]}",
                f"{_shape(image)} in {path}",
                "Set task.image_size, and task.grey for a mixture of grey and colour images.",
            )
        images.append(image)
    return torch.cat(images), torch.tensor([label for _, label in files])


def read_folder(root: Path, prepare: Prepare, remedy: str) -> tuple[tuple[str, ...], Labelled, Labelled]:
    """Read root/{train,test}/<class>/*.png|jpg|jpeg|pgm; the classes are the folders' names, sorted.

    Returns:
        The names of the classes, the training images with their labels, and the test images with theirs.

    Raises:
        SettingsError: as read_images, for a missing or empty folder, and if the two splits differ in their classes.

    """
    names = {split: tuple(path.name for path in _folders(root / split, remedy)) for split in ("train", "test")}
    expect(
        names["train"] == names["test"],
        f"the classes of {root / 'train'} in {root / 'test'} too",
        names["test"],
        remedy,
    )
    train, test = (
        read_images(
            [(file, label) for label, name in enumerate(names[split]) for file in _files(root / split / name, remedy)],
            prepare,
            remedy,
        )
        for split in ("train", "test")
    )
    return names["train"], train, test


def class_files(root: Path, remedy: str) -> dict[str, list[Path]]:
    """Return all images below root/<class>/, or below root/{train,test}/<class>/ where root has such, by class.

    Classes sorted by name; within one, train before test, and by the files' names, numbers in them by value.

    Raises:
        SettingsError: for a missing or empty folder.

    """
    splits = [root / split for split in ("train", "test") if (root / split).is_dir()] or [root]
    found: dict[str, list[Path]] = {}
    for folder in (folder for split in splits for folder in _folders(split, remedy)):
        found.setdefault(folder.name, []).extend(in_order(_files(folder, remedy)))
    return dict(sorted(found.items()))


def _folders(folder: Path, remedy: str) -> list[Path]:
    """Return the visible folders in `folder`, sorted by name; there must be one."""
    expect(folder.is_dir(), f"the folder {folder}", "no such folder", remedy)
    found = sorted(path for path in _visible(folder) if path.is_dir())
    expect(bool(found), f"a folder for each class in {folder}", "none", remedy)
    return found


def _files(folder: Path, remedy: str) -> list[Path]:
    """Return the images in `folder`, sorted by name; there must be one."""
    found = sorted(path for path in _visible(folder) if path.suffix.lower() in SUFFIXES)
    expect(bool(found), f"images ({', '.join(SUFFIXES)}) in {folder}", "none", remedy)
    return found


def _visible(folder: Path) -> Iterator[Path]:
    """Yield what is in `folder` except hidden files."""
    return (path for path in folder.iterdir() if not path.name.startswith("."))


def _shape(images: Tensor) -> tuple[int, ...]:
    """Return [C, H, W] of a batch."""
    return tuple(images.shape[1:])

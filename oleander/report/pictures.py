"""Pictures of a report as data URIs: single images, pairs of stolen and real ones, and the growth of the loot."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A stolen image beside the real one nearest to it: data URIs, and their distance (RMSE of pixels in [-1, 1])."""

    stolen: str
    real: str | None
    distance: float | None
    owner: int | None


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Some of the loot of one round."""

    round: int
    pictures: list[str]


def data_uri(png: bytes) -> str:
    """Return a PNG as a data URI."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def file_uri(path: Path) -> str:
    """Return a PNG file as a data URI, with at most 256 colours where that makes it smaller (figures are drawings)."""
    raw = path.read_bytes()
    with Image.open(io.BytesIO(raw)) as picture:
        buffer = io.BytesIO()
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return data_uri(min(raw, buffer.getvalue(), key=len))


def image_uri(image: Pixels) -> str:
    """Return one image float32 [C, H, W] in [-1, 1] (C = 1 or 3) as a data URI, a pixel for a pixel."""
    levels = np.rint((np.nan_to_num(np.clip(image, -1, 1)) + 1) * 127.5).astype(np.uint8)
    picture = Image.fromarray(levels[0]) if levels.shape[0] == 1 else Image.fromarray(levels.transpose(1, 2, 0))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return data_uri(buffer.getvalue())


def nearest(images: Pixels, real: Pixels) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return for each image the index of the nearest real one and their RMSE.

    Args:
        images: float32 [N, C, H, W].
        real: float32 [M, C, H, W], M > 0.

    Returns:
        int64 [N] and float64 [N]; of equally near ones the first.

    """
    flat, truth = (array.reshape(len(array), -1).astype(np.float64) for array in (images, real))
    squares = (flat**2).sum(1)[:, None] + (truth**2).sum(1)[None] - 2 * flat @ truth.T
    chosen = squares.argmin(1)
    return chosen, np.sqrt(((flat - truth[chosen]) ** 2).mean(1))


def pairs(images: Pixels, real: Mapping[int, Pixels]) -> list[Pair]:
    """Return each image beside the nearest one of all owners' (`real`: owner to images of the class, maybe none)."""
    owners = [owner for owner, held in real.items() for _ in range(len(held))]
    if not owners:
        return [Pair(stolen=image_uri(image), real=None, distance=None, owner=None) for image in images]
    truth = np.concatenate([held for held in real.values() if len(held)])
    chosen, distances = nearest(images, truth)
    return [
        Pair(
            stolen=image_uri(image),
            real=image_uri(truth[index]),
            distance=float(distance),
            owner=owners[index],
        )
        for image, index, distance in zip(images, chosen, distances, strict=True)
    ]


def spread(rounds: Sequence[int], most: int) -> list[int]:
    """Return at most `most` of the rounds, evenly spread, with the first and the last."""
    if len(rounds) <= most:
        return list(rounds)
    picks = np.linspace(0, len(rounds) - 1, most).round().astype(int)
    return [rounds[pick] for pick in picks]

"""Pictures of a report as data URIs: single images, pairs of stolen and real ones, and the growth of the loot."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from oleander.judge.distances import nearest
from oleander.judge.figures import DPI

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


def figure_uri(figure: Figure) -> str:
    """Return a figure as a data URI that depends on its contents alone."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=DPI, format="png", facecolor="white", metadata={"Software": None})
    return data_uri(buffer.getvalue())


def image_uri(image: Pixels) -> str:
    """Return one image float32 [C, H, W] in [-1, 1] (C = 1 or 3) as a data URI, a pixel for a pixel."""
    levels = np.rint((np.nan_to_num(np.clip(image, -1, 1)) + 1) * 127.5).astype(np.uint8)
    picture = Image.fromarray(levels[0]) if levels.shape[0] == 1 else Image.fromarray(levels.transpose(1, 2, 0))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return data_uri(buffer.getvalue())


def pairs(images: Pixels, real: Mapping[int, Pixels]) -> list[Pair]:
    """Return each image beside the nearest one of all owners' (`real`: owner to images of the class, maybe none)."""
    owners = [owner for owner, held in real.items() for _ in range(len(held))]
    if not owners:
        return [Pair(stolen=image_uri(image), real=None, distance=None, owner=None) for image in images]
    truth = np.concatenate([held for held in real.values() if len(held)])
    distances, chosen = nearest(torch.from_numpy(images), torch.from_numpy(truth))
    return [
        Pair(
            stolen=image_uri(image),
            real=image_uri(truth[index]),
            distance=distance,
            owner=owners[index],
        )
        for image, index, distance in zip(images, chosen.tolist(), distances.tolist(), strict=True)
    ]

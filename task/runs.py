"""Where a run goes when nobody says, and how arrays are kept in it, nothing pickled."""

import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from task.files import readable, replacing
from task.settings import expect

LARGEST = 2**32
"""Bytes that an archive may unpack to."""


def run_directory(out: str, name: str, run_id: int) -> Path:
    """Return the run directory; where none was given, one that server and participants name alike."""
    return Path(out) if out else Path("runs") / name / str(run_id)


def keep_arrays(path: Path, **arrays: Tensor) -> None:
    """Write tensors as an .npz, so that a reader never sees half a file; its folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values: dict[str, Any] = {name: tensor.detach().cpu().numpy() for name, tensor in arrays.items()}
    with replacing(path) as draft, draft.open("wb") as file:
        np.savez_compressed(file, **values)


def read_arrays(path: Path) -> dict[str, Tensor]:
    """Read the tensors of an .npz that holds no pickles.

    Raises:
        SettingsError: for a file that is missing or damaged, or that announces more than LARGEST bytes or than it has.

    """
    with readable(path):
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(one.file_size for one in archive.infolist())
            announced = sum(_announced(archive, one.filename) for one in archive.infolist())
        expect(announced <= unpacked <= LARGEST, f"what {path} announces in it", f"{unpacked} bytes")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:  # a broken file is closed, too
            return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def _announced(archive: zipfile.ZipFile, name: str) -> int:
    """Return how many bytes an array's head says that it has; nothing is taken for them."""
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    return math.prod(shape) * dtype.itemsize

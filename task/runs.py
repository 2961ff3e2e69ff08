"""Where a run goes when nobody says, and how server and attackers write into it: lines and arrays, nothing pickled."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor


def run_directory(out: str, name: str, run_id: int) -> Path:
    """Return the run directory; where none was given, one that server and participants name alike."""
    return Path(out) if out else Path("runs") / name / str(run_id)


def append_line(path: Path, line: Mapping[str, object]) -> None:
    """Append a line to a file of JSON lines; its folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def keep_arrays(path: Path, **arrays: Tensor) -> None:
    """Write tensors as an .npz, so that a reader never sees half a file; its folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    values: dict[str, Any] = {name: tensor.detach().cpu().numpy() for name, tensor in arrays.items()}
    with draft.open("wb") as file:
        np.savez_compressed(file, **values)
    draft.replace(path)


def read_arrays(path: Path) -> dict[str, Tensor]:
    """Read the tensors of an .npz that holds no pickles."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:  # a broken file is closed, too
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}

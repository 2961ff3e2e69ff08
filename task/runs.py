"""Where a run goes when nobody says, and how arrays are kept in it, nothing pickled."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from task.files import replacing


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
    """Read the tensors of an .npz that holds no pickles."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:  # a broken file is closed, too
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}

"""Damaged files are refused with a text, or read as what they then say; nothing else is raised, and no memory taken."""

import io
import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save

from oleander.cli import main
from oleander.rundir import RunDirectory
from task.reading import read_idx, read_image
from task.runs import read_arrays
from task.settings import SettingsError

fuzzing = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def an_image(kind: str) -> bytes:
    """Return a small image as a file of that kind."""
    file = io.BytesIO()
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(file, kind)
    return file.getvalue()


def an_archive() -> bytes:
    """Return images and labels as a run keeps them."""
    file = io.BytesIO()
    np.savez_compressed(file, images=np.zeros((2, 1, 8, 8), np.float32), labels=np.arange(2))
    return file.getvalue()


WHOLE = {
    "idx": b"\0\0\x08\x03" + struct.pack(">3I", 2, 3, 4) + bytes(24),
    "png": an_image("png"),
    "pgm": an_image("ppm"),
    "jpeg": an_image("jpeg"),
    "npz": an_archive(),
    "safetensors": save({"0.weight": torch.ones(2, 3), "0.bias": torch.zeros(2)}),
}
READERS: dict[str, Callable[[Path], object]] = {
    "idx": lambda path: read_idx(path, 3, ""),
    **dict.fromkeys(("png", "pgm", "jpeg"), lambda path: read_image(path, "")),
    "npz": read_arrays,
    "safetensors": lambda path: RunDirectory(path.parents[1]).global_model(),
}


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Return a file cut short, or with some of its bytes changed, taken out or put in."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(content)))
        match draw(st.sampled_from(["cut", "change", "take", "put"])):
            case "cut":
                del content[place:]
            case "change":
                content[place : place + 8] = draw(st.binary(min_size=1, max_size=8))
            case "take":
                del content[place : place + draw(st.integers(1, 20))]
            case "put":
                content[place:place] = draw(st.binary(min_size=1, max_size=20))
    return bytes(content)


@pytest.mark.parametrize("kind", WHOLE)
@fuzzing
@given(data=st.data())
def test_a_damaged_file_is_refused_or_read(kind: str, tmp_path: Path, data: st.DataObject) -> None:
    """By its reader; the whole file is read."""
    (tmp_path / "global").mkdir(exist_ok=True)
    path = tmp_path / "global" / "final.safetensors"
    path.write_bytes(WHOLE[kind])
    READERS[kind](path)
    path.write_bytes(data.draw(damaged(WHOLE[kind])))
    try:
        READERS[kind](path)
    except SettingsError as error:
        assert str(path) in str(error)  # noqa: PT017 - where there is an error at all


def announcing(kind: str) -> bytes:
    """Return a small file that says it holds 2**40 numbers, or more than 2**32 pixels."""
    if kind == "idx":  # the product is 2**64, which is 0 to a processor
        return b"\0\0\x08\x03" + struct.pack(">3I", 2**31, 2**31, 4)
    if kind == "npz":
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": (2**40,)})
        file = io.BytesIO()
        np.savez(file, images=np.zeros(1))
        return _swapped(file.getvalue(), head.getvalue())
    if kind == "safetensors":
        head = json.dumps({"w": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
        return struct.pack("<Q", len(head)) + head
    return b"P5 70000 70000 255\n"


def _swapped(archive: bytes, head: bytes) -> bytes:
    """Return an .npz whose only array has another head."""
    import zipfile  # noqa: PLC0415 - for this alone

    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            new.writestr(name, head)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["idx", "npz", "safetensors", "pgm"])
def test_what_announces_more_than_memory_holds_is_refused(kind: str, tmp_path: Path) -> None:
    """By its head: terabytes would be taken otherwise."""
    (tmp_path / "global").mkdir()
    path = tmp_path / "global" / "final.safetensors"
    path.write_bytes(announcing(kind))
    with pytest.raises(SettingsError, match=r"final\.safetensors"):
        READERS[kind](path)


@settings(fuzzing, max_examples=settings().max_examples // 5)  # a page takes longer than a file
@given(data=st.data())
def test_a_damaged_run_is_refused_or_reported(
    fabricate: Callable[..., RunDirectory], data: st.DataObject, capfd: pytest.CaptureFixture[str]
) -> None:
    """Any file of a run directory: exit status 0 or 2, with a text and no traceback."""
    run = fabricate()
    files = sorted(path for path in run.path.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    path.write_bytes(data.draw(damaged(path.read_bytes())))
    assert main(["report", str(run.path)]) in (0, 2)
    assert "Traceback" not in capfd.readouterr().err

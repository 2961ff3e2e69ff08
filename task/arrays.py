"""Arrays in NumPy's format, written and read at the speed of copying: without NumPy's parser for each of them.

The bytes are those of `np.save`, which Flower uses (version 1.0 of the format: a text that says type and shape, then
the numbers). A federation of a thousand clients writes and reads that text tens of thousands of times a round, always
the same few; here each is written and parsed once.
"""

import functools
import io
import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

START = b"\x93NUMPY\x01\x00"
LONGEST = 1024
"""Bytes of the text; that of an array of numbers has 118."""


def encode(values: NDArray[Any]) -> bytes:
    """Return an array as `np.save` writes it."""
    return _head(values.dtype.str, values.shape) + values.tobytes()


def decode(data: bytes) -> NDArray[Any]:
    """Return the array that `data` holds: a view of it, not to be changed.

    Raises:
        ValueError: for what is no array of numbers in NumPy's format.

    """
    shape, dtype, size, order = _announced(data)
    if dtype.hasobject:
        raise ValueError("expected numbers, got objects, which are pickled")
    if len(data) - size != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"expected {list(shape)} numbers of {dtype}, got {len(data) - size} bytes")
    return np.frombuffer(data, dtype, offset=size).reshape(shape, order=order)


def announced(data: bytes) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return the shape and the type that `data` says it holds; errors as `decode`."""
    return _announced(data)[:2]


@functools.lru_cache(maxsize=1024)
def _head(dtype: str, shape: tuple[int, ...]) -> bytes:
    """Return the text before the numbers."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": dtype, "fortran_order": False, "shape": shape})
    return stream.getvalue()


def _announced(data: bytes) -> tuple[tuple[int, ...], np.dtype[Any], int, Literal["C", "F"]]:
    """Return what stands before the numbers: their shape and type, its own length, and the order."""
    size = len(START) + 2 + int.from_bytes(data[8:10], "little")
    if data[:8] != START or size > LONGEST:
        raise ValueError("expected version (1, 0) of NumPy's format, got another, or none")
    return _parse(bytes(data[:size]))


@functools.lru_cache(maxsize=1024)
def _parse(head: bytes) -> tuple[tuple[int, ...], np.dtype[Any], int, Literal["C", "F"]]:
    """Parse the text before the numbers."""
    shape, columns_first, dtype = np.lib.format.read_array_header_1_0(io.BytesIO(head[8:]))
    return shape, dtype, len(head), "F" if columns_first else "C"

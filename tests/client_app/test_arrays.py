"""Arrays as Flower sends them: the same bytes, and the same numbers back."""

import io

import numpy as np
import pytest
import torch
from flwr.app import Array, ArrayRecord
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from client_app.update import pack, unpack
from strategies.updates import QuickArray, quick
from task.arrays import announced, decode

NUMBERS = arrays.arrays(st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]), arrays.array_shapes())


@given(NUMBERS)
def test_the_bytes_are_those_of_flower(values: np.ndarray) -> None:
    """And what comes back is what went in."""
    tensor = torch.from_numpy(values.copy())
    ours, theirs = pack({"w": tensor}), ArrayRecord({"w": tensor})
    assert ours["w"] == theirs["w"]
    assert announced(theirs["w"].data) == (values.shape, values.dtype)
    for read in (unpack(theirs)["w"].numpy(), quick(theirs)["w"].numpy()):
        assert read.dtype == values.dtype
        assert np.array_equal(read, values, equal_nan=values.dtype.kind == "f")


def test_columns_may_come_first() -> None:
    """As np.save writes an array that is stored so."""
    values = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    assert np.array_equal(decode(Array(values).data), values)


def test_what_is_read_may_be_changed() -> None:
    """Without changing what was sent: some strategies clip in place."""
    record = quick(pack({"w": torch.zeros(3)}))
    assert isinstance(record["w"], QuickArray)
    record["w"].numpy()[:] = 1
    unpack(record)["w"].fill_(1)
    assert record["w"].numpy().tolist() == [0, 0, 0]


def object_array() -> bytes:
    """Return an array that holds a pickle."""
    file = io.BytesIO()
    np.save(file, np.array([{}], dtype=object), allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize(
    "data", [b"", b"\x93NUMPY", Array(np.zeros(3)).data[:-1], Array(np.zeros(3)).data + b"x", object_array()]
)
def test_anything_else_is_refused(data: bytes) -> None:
    """Cut short, too long, a pickle."""
    with pytest.raises(ValueError, match="expected"):
        decode(data)

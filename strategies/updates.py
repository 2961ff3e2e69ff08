"""What a participant's reply to a train message says, read once; or why it cannot be aggregated."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from flwr.app import Array, ArrayRecord, Message, MetricRecord, RecordDict
from numpy.typing import NDArray

from task.arrays import announced, decode

T = TypeVar("T")


class Refused(ValueError):  # noqa: N818 - it names what happened
    """A reply cannot be aggregated; the reason may quote what a stranger says."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Update:
    """A usable reply.

    Attributes:
        record: as it came.
        values: float32 by name: views of what came, not to be changed.
        examples: that the participant says it has trained on.
        seconds: that it took.
        reported: other metrics, each 0 or 1, that were asked for.

    """

    record: ArrayRecord
    values: dict[str, NDArray[Any]]
    examples: float
    seconds: float
    reported: dict[str, float]

    @property
    def size(self) -> int:
        """Bytes of the arrays as they travelled; what framed them is not counted."""
        return sum(len(array.data) for array in self.record.values())

    def distance(self, sent: Mapping[str, NDArray[Any]]) -> float:
        """Return the L2 norm of the update: what has come less what was sent, over all arrays."""
        return math.hypot(*(np.linalg.norm(self.values[name].astype(np.float64) - sent[name]) for name in sent))

    def content(self, weight: float) -> RecordDict:
        """Return what was checked, for a strategy of Flower's, which stops at records that it does not know."""
        metrics = MetricRecord({"weight": weight, **self.reported})
        return RecordDict({"arrays": quick(self.record), "metrics": metrics})


class QuickArray(Array):
    """An array that is read by `task.arrays`: the inner strategy reads each of every participant's."""

    def numpy(self) -> NDArray[Any]:
        """Return the numbers, which may be changed: some strategies clip in place."""
        return decode(self.data).copy()


def quick(record: ArrayRecord) -> ArrayRecord:
    """Return a record of the same arrays, as QuickArray."""
    arrays = ArrayRecord()  # given them when it is made, it would make plain ones of them
    for name, array in record.items():
        arrays[name] = QuickArray(dtype=array.dtype, shape=tuple(array.shape), stype=array.stype, data=array.data)
    return arrays


def size(message: Message) -> int:
    """Return the bytes of a message's arrays as they travel; what frames them is not counted."""
    records = (record for record in message.content.values() if isinstance(record, ArrayRecord))
    return sum(len(array.data) for record in records for array in record.values())


def read(
    reply: Message, shapes: Mapping[str, tuple[int, ...]], reported: Iterable[str] = (), server_round: int | None = None
) -> Update:
    """Read a reply.

    Args:
        reply: to a train message.
        shapes: of the global model's arrays by name.
        reported: metrics that have to be 0 or 1.
        server_round: the round, which a reply may name as well; None for any.

    Raises:
        Refused: if it cannot be aggregated.

    """
    if reply.has_error():
        raise Refused(f"the client failed: {reply.error.reason}")
    # Flower's own views by kind are new objects each time, and as dear as all the rest.
    records = list(reply.content.values())
    arrays = [record for record in records if isinstance(record, ArrayRecord)]
    metrics = [record for record in records if isinstance(record, MetricRecord)]
    if len(arrays) != 1 or len(metrics) != 1:
        raise Refused("expected one record of arrays and one of metrics in the update")
    said = _numbers(metrics[0], tuple(reported), server_round)
    if set(arrays[0]) != set(shapes):
        raise Refused(f"expected arrays {sorted(shapes)}, got {sorted(arrays[0])}")
    return Update(
        record=arrays[0],
        values={name: _values(name, arrays[0][name], shape) for name, shape in shapes.items()},
        examples=said.pop("num-examples"),
        seconds=said.pop("seconds"),
        reported=said,
    )


def _numbers(metrics: MetricRecord, reported: tuple[str, ...], server_round: int | None) -> dict[str, float]:
    """Return the metrics that count."""
    for key in ("num-examples", "seconds"):
        value = metrics.get(key)
        if not isinstance(value, int | float) or not math.isfinite(value) or value < (key == "num-examples"):
            raise Refused(f"expected the metric {key!r} to be a positive number, got {value!r}")
    if server_round is not None and metrics.get("round", server_round) != server_round:
        raise Refused(f"expected a reply of round {server_round}, got one of round {metrics['round']!r}")
    for key in reported:
        if metrics.get(key) not in (0, 1):
            raise Refused(f"expected the metric {key!r} to be 0 or 1, got {metrics.get(key)!r}")
    return {key: float(str(metrics[key])) for key in ("num-examples", "seconds", *reported)}


def _values(name: str, array: Array, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the numbers of an array."""
    got, dtype = _read(announced, name, array)
    if got != shape:  # before memory is taken for it
        raise Refused(f"expected {name} of shape {list(shape)}, got {list(got)}")
    if dtype != np.float32:
        raise Refused(f"expected {name} in float32, got {dtype}")
    values = _read(decode, name, array)
    if not np.isfinite(values).all():
        raise Refused(f"expected finite numbers in {name}, got NaN or infinity")
    return values


def _read(how: Callable[[bytes], T], name: str, array: Array) -> T:
    """Return what `how` makes of an array's bytes."""
    try:
        return how(array.data)
    except (ValueError, TypeError) as error:
        raise Refused(f"expected {name} to be an array, got what cannot be decoded ({error})") from error

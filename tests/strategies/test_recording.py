"""The recording strategy: order, refusals, and what it puts on record."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, Message
from messages import KnownGrid, failed, known_roll_call, reply_from, take_identity

from strategies import named
from strategies.recording import Recording, TooFewReplies
from strategies.updates import Refused, read
from task.settings import SettingsError
from task.training import Evaluation

SHAPES = {"w": (2,)}
METRICS = Evaluation(0.5, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5)


@pytest.fixture(autouse=True)
def identity() -> None:
    """Give messages the identity that a running Flower app has."""
    take_identity()


class Federation:
    """A recording strategy whose roll call is known, and what it put on record."""

    def __init__(
        self,
        clients: int = 3,
        min_replies: int = 1,
        weighting: str = "uniform",
        name: str = "fedavg",
        fraction: float = 1.0,
    ) -> None:
        """Prepare round 1."""
        roll_call = known_roll_call(clients)
        self.lines: list[dict[str, Any]] = []
        self.strategy = Recording(
            named.build(name, {}),
            roll_call=roll_call,
            weighting=weighting,
            fraction=fraction,
            seed=0,
            min_replies=min_replies,
            timeout=5,
            evaluate=lambda _: METRICS,
            record=lambda line, _: self.lines.append(line),
        )
        self.grid = KnownGrid(list(roll_call.nodes))

    def round(self, replies: list[Message]) -> np.ndarray:
        """Run one round with these replies; return the new global array."""
        start = ArrayRecord({"w": Array(np.zeros(2, dtype=np.float32))})
        self.strategy.configure_train(1, start, ConfigRecord(), self.grid)  # type: ignore[arg-type]
        arrays, _ = self.strategy.aggregate_train(1, replies)
        assert arrays is not None
        self.strategy.after_round(1, arrays)
        return arrays["w"].numpy()


def test_the_order_of_arrival_does_not_change_the_result() -> None:
    """Sums of floats depend on their order; the strategy's do not depend on who was first."""
    values = [np.array([1e8, 1], dtype=np.float32), np.array([1, 1], dtype=np.float32), np.array([-1e8, 1], np.float32)]
    replies = [reply_from(client, {"w": value}) for client, value in enumerate(values)]
    again = [reply_from(client, {"w": value}) for client, value in enumerate(values)]
    assert np.array_equal(Federation().round(replies), Federation().round(again[::-1]))


def test_uniform_weighting_is_the_plain_mean() -> None:
    """A client that claims a thousand examples counts as one."""
    result = Federation().round([reply_from(0), reply_from(1, **{"num-examples": 1000}), reply_from(2)])
    assert result == pytest.approx([1.0, 1.0])


def test_weighting_by_examples_is_the_weighted_mean() -> None:
    """Weights 1 and 3 of updates 0 and 1 give 3/4."""
    result = Federation(2, weighting="examples").round([reply_from(0), reply_from(1, **{"num-examples": 3})])
    assert result == pytest.approx([0.75, 1.0])


def test_the_median_ignores_an_outlier() -> None:
    """FedMedian, one of Flower's robust rules, works under the same wrapper."""
    outlier = reply_from(2, {"w": np.array([1e6, 1e6], dtype=np.float32)})
    assert Federation(name="fedmedian").round([reply_from(0), reply_from(1), outlier]) == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    ("arrays", "metrics", "reason"),
    [
        ({"w": np.array([np.nan, 1.0], dtype=np.float32)}, {}, "NaN or infinity"),
        ({"w": np.array([np.inf, 1.0], dtype=np.float32)}, {}, "NaN or infinity"),
        ({"w": np.zeros(3, dtype=np.float32)}, {}, r"shape \[2\], got \[3\]"),
        ({"v": np.zeros(2, dtype=np.float32)}, {}, r"expected arrays \['w'\], got \['v'\]"),
        (None, {"num-examples": 0}, "num-examples"),
        (None, {"num-examples": float("nan")}, "num-examples"),
        (None, {"seconds": -1.0}, "seconds"),
        ({}, {}, r"expected arrays \['w'\], got \[\]"),
        ({"w": np.zeros(2, dtype=np.float32), "v": np.zeros(1)}, {}, r"expected arrays \['w'\], got \['v', 'w'\]"),
        (None, {"round": 0}, "expected a reply of round 1, got one of round 0"),
    ],
)
def test_a_broken_update_is_refused_by_name(
    arrays: dict[str, Any] | None, metrics: dict[str, Any], reason: str
) -> None:
    """The round goes on without it, and its line says whose it was and why."""
    federation = Federation()
    result = federation.round([reply_from(0), reply_from(1, arrays, **metrics), reply_from(2)])
    assert result == pytest.approx([1.0, 1.0])
    (failure,) = federation.lines[0]["failures"]
    assert failure["client"] == 1
    assert re.search(reason, failure["reason"])
    assert federation.lines[0]["clients"] == [0, 2]


def test_an_update_of_the_wrong_type_is_refused() -> None:
    """Integers cannot stand for float weights."""
    with pytest.raises(Refused, match="float32"):
        read(reply_from(0, {"w": np.array([1, 2])}), SHAPES)


def test_failed_and_silent_clients_are_on_record() -> None:
    """A failure has the client's own reason; Flower stops waiting for a client that it lost before the timeout."""
    federation = Federation()
    federation.round([failed(2), reply_from(0)])
    assert federation.lines[0]["failures"] == [
        {"client": 1, "reason": "lost before it replied"},
        {"client": 2, "reason": "the client failed: out of memory"},
    ]
    assert federation.lines[0]["replies"] == 1


def test_a_client_that_is_not_connected_is_on_record() -> None:
    """A node that has gone is missed in every round."""
    federation = Federation()
    federation.grid.nodes = [100, 102]
    federation.round([reply_from(0), reply_from(2)])
    assert federation.lines[0]["failures"] == [{"client": 1, "reason": "not connected"}]


def test_too_few_replies_end_the_run() -> None:
    """The error says how many were expected, how many came, and who failed."""
    with pytest.raises(TooFewReplies, match=r"at least 2 usable replies in round 1, got 1 .*client 2: .*out of memory"):
        Federation(min_replies=2).round([reply_from(0), failed(2)])


def test_an_update_with_more_than_asked_is_stripped() -> None:
    """An extra metric of one client does not stop Flower's aggregation."""
    assert Federation(2).round([reply_from(0, surprise=1.0), reply_from(1)]) == pytest.approx([0.5, 1.0])


def test_a_large_update_counts_and_shows_in_its_norm() -> None:
    """Of updates (0, 1), (0, 100) and (300, 400) the L2 norms are 1, 100 and 500, and the mean is theirs."""
    federation = Federation()
    sent = [reply_from(one, {"w": np.array(w, np.float32)}) for one, w in enumerate([(0, 1), (0, 100), (300, 400)])]
    assert federation.round(sent) == pytest.approx([100, 167])
    assert federation.lines[0]["update_norms"] == [1.0, 100.0, 500.0]


def test_bytes_that_are_no_array_are_refused() -> None:
    """The round goes on without them."""
    broken = reply_from(1)
    array = Array(dtype="float32", shape=(2,), stype="numpy.ndarray", data=b"not an array")
    broken.content["arrays"] = ArrayRecord({"w": array})
    federation = Federation(2)
    assert federation.round([reply_from(0), broken]) == pytest.approx([0.0, 1.0])
    assert "cannot be decoded" in federation.lines[0]["failures"][0]["reason"]


def test_a_fraction_is_drawn_by_the_seed() -> None:
    """Half of ten, the same five each time, whatever Flower's own randomness; nobody else is missed."""
    drawn = []
    for _ in range(2):
        federation = Federation(10, fraction=0.5)
        start = ArrayRecord({"w": Array(np.zeros(2, dtype=np.float32))})
        messages = federation.strategy.configure_train(1, start, ConfigRecord(), federation.grid)  # type: ignore[arg-type]
        drawn.append(sorted(message.metadata.dst_node_id for message in messages))
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 5


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        """Say which."""
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        """Make unpickling call `touch`."""
        return (Path.touch, (self.path,))


def test_a_pickle_in_place_of_an_array_is_refused_and_not_opened(tmp_path: Path) -> None:
    """NumPy's own format can hold one, which would leave a file behind."""
    trap = tmp_path / "sprung"
    data = io.BytesIO()
    np.save(data, np.array([Trap(trap)] * 2, dtype=object), allow_pickle=True)
    broken = reply_from(1)
    array = Array(dtype="object", shape=(2,), stype="numpy.ndarray", data=data.getvalue())
    broken.content["arrays"] = ArrayRecord({"w": array})
    federation = Federation(2)
    assert federation.round([reply_from(0), broken]) == pytest.approx([0.0, 1.0])
    assert "in float32, got object" in federation.lines[0]["failures"][0]["reason"]
    assert not trap.exists()
    np.load(io.BytesIO(data.getvalue()), allow_pickle=True)
    assert trap.exists()  # the trap is one


def test_an_array_that_announces_more_than_memory_holds_is_refused_by_its_head() -> None:
    """2**50 numbers, of which none come; what is announced is refused before anything is taken for it."""
    data = io.BytesIO()
    np.lib.format.write_array_header_1_0(data, {"descr": "<f4", "fortran_order": False, "shape": (2**50,)})
    broken = reply_from(1)
    broken.content["arrays"] = ArrayRecord({"w": Array("float32", (2,), "numpy.ndarray", data.getvalue())})
    federation = Federation(2)
    assert federation.round([reply_from(0), broken]) == pytest.approx([0.0, 1.0])
    assert "got [1125899906842624]" in federation.lines[0]["failures"][0]["reason"]


def test_what_a_client_says_cannot_steer_a_terminal_or_fill_a_disk() -> None:
    """Of its failure, and in the names and numbers of its reply: no control characters, a thousand others at most."""
    loud = failed(0)
    loud.error.__dict__["_reason"] = "out of memory\x1b[2J\n\x07" + "x" * 5000
    names = reply_from(1, {"y" * 5000: np.zeros(2, dtype=np.float32)})
    numbers = reply_from(2, **{"num-examples": [1.0] * 5000})
    federation = Federation(4)
    federation.round([loud, names, numbers, reply_from(3)])
    reasons = [failure["reason"] for failure in federation.lines[0]["failures"]]
    assert reasons[0].startswith("the client failed: out of memory [2J  xxx")
    assert [len(reason) for reason in reasons] == [1000] * 3
    assert all(reason.isprintable() for reason in reasons)


def test_a_stranger_s_reply_is_ignored() -> None:
    """Only nodes that were asked are aggregated."""
    assert Federation(2).round([reply_from(0), reply_from(1), reply_from(5)]) == pytest.approx([0.5, 1.0])


def test_unknown_strategies_and_options_are_refused() -> None:
    """With the nearest name."""
    with pytest.raises(SettingsError, match="Did you mean 'fedavg'"):
        named.check("fedavgg", {})
    with pytest.raises(SettingsError, match="an option of fedadam"):
        named.check("fedadam", {"etaa": 1})
    with pytest.raises(SettingsError, match="proximal_mu"):
        named.check("fedprox", {})

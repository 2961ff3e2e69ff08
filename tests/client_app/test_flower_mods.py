"""Flower's mods on a participant: what is clipped, how much noise is added, and where Flower itself fails."""

from typing import Any

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp.mod import LocalDpMod, adaptiveclipping_mod
from messages import take_identity

from client_app.flower_mods import BIT, NORM, add_local_noise, clip_as_asked
from task.seeding import generator

BEFORE = np.array([1.0, 2.0], dtype=np.float32)
CONTEXT = Context(run_id=1, node_id=2, node_config={}, state=RecordDict(), run_config={})


@pytest.fixture(autouse=True)
def identity() -> None:
    """Give messages the identity that a running Flower app has."""
    take_identity()


def question(before: np.ndarray = BEFORE, **config: Any) -> Message:
    """Return a train message."""
    content = {"arrays": ArrayRecord({"w": Array(before)}), "config": ConfigRecord({"server-round": 1, **config})}
    message = Message(RecordDict(content), 5, "train")
    message.metadata.__dict__["_message_id"] = "1"
    return message


def answer(message: Message, after: np.ndarray) -> Message:
    """Return a reply with these weights."""
    content = {"arrays": ArrayRecord({"w": Array(after)}), "metrics": MetricRecord({"num-examples": 3})}
    return Message(RecordDict(content), reply_to=message)


def moved(reply: Message, before: np.ndarray = BEFORE) -> np.ndarray:
    """Return what a reply changes."""
    moved: np.ndarray = reply.content["arrays"]["w"].numpy() - before
    return moved


def asked(after: np.ndarray, **config: Any) -> Message:
    """Return what leaves a participant that is asked for clipping."""
    message = question(**config)
    return clip_as_asked(message, CONTEXT, lambda *_: answer(message, after))


def test_an_update_is_clipped_where_the_server_asks_for_it() -> None:
    """(3, 4) has the norm 5: to 1 it is (0.6, 0.8), and the bit says so; to 10 it stays; unasked nothing happens."""
    after = BEFORE + np.array([3, 4], dtype=np.float32)
    clipped, whole, unasked = asked(after, **{NORM: 1.0}), asked(after, **{NORM: 10.0}), asked(after)
    assert moved(clipped) == pytest.approx([0.6, 0.8])
    assert moved(whole) == pytest.approx([3, 4])
    assert [reply.content["metrics"].get(BIT) for reply in (clipped, whole, unasked)] == [1, 0, None]


def test_an_update_that_changes_nothing_is_let_pass() -> None:
    """Flower's own mod divides by its norm."""
    reply = asked(BEFORE, **{NORM: 1.0})
    assert moved(reply).tolist() == [0, 0]
    assert reply.content["metrics"][BIT] == 0
    message = question(**{NORM: 1.0})
    with pytest.raises(ZeroDivisionError):
        adaptiveclipping_mod(message, CONTEXT, lambda *_: answer(message, BEFORE))


def noisy(change: float, seed: int = 0, size: int = 40_000, **values: float) -> np.ndarray:
    """Return what leaves a participant under local-dp whose every weight moved by `change`."""
    before = np.zeros(size, dtype=np.float32)
    message = question(before)
    reply = answer(message, before + np.float32(change))
    options = {"norm": 0.5, "epsilon": 2.0, "delta": 1e-5, "sensitivity": None, **values}
    return moved(add_local_noise(options, generator(seed), message, CONTEXT, reply), before)


def test_local_noise_is_as_large_as_its_settings_say() -> None:
    """A deviation of 2.4224 within 5 standard errors (1 / sqrt(2 n) of it), also on an update that changes nothing."""
    for change in (0.0, 1.0):
        assert noisy(change).std() == pytest.approx(2.42240, rel=5 / (2 * 40_000) ** 0.5)


def test_the_norm_bounds_what_is_sent() -> None:
    """With next to no noise, an update of norm 200 leaves with 0.5."""
    assert np.linalg.norm(noisy(1.0, epsilon=1e9)) == pytest.approx(0.5, rel=1e-3)


def test_local_noise_is_the_participant_s_own() -> None:
    """It repeats with its generator, and NumPy's global randomness is as before."""
    np.random.seed(3)  # noqa: NPY002
    state = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    first, again, other = noisy(1.0), noisy(1.0), noisy(1.0, seed=1)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.random.get_state()[1].tolist() == state  # type: ignore[index]  # noqa: NPY002


def test_secret_local_noise_is_as_large_and_does_not_repeat() -> None:
    """The same seed, other noise of the same deviation; NumPy's global randomness is as before."""
    state = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    first, other = noisy(1.0, secret=True), noisy(1.0, secret=True)
    assert not np.array_equal(first, other)
    assert first.std() == pytest.approx(2.42240, rel=5 / (2 * 40_000) ** 0.5)
    assert np.random.get_state()[1].tolist() == state  # type: ignore[index]  # noqa: NPY002


def test_flower_s_own_mod_fails_on_an_update_that_changes_nothing() -> None:
    """If it does not any more, the way around it can go."""
    message = question()
    with pytest.raises(ZeroDivisionError):
        LocalDpMod(1.0, 1.0, 1.0, 1e-5)(message, CONTEXT, lambda *_: answer(message, BEFORE))

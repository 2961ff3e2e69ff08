"""Tests of how a mapping becomes settings, and of what is said about one that cannot."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from task.run_config import flatten, unflatten
from task.settings import (
    OptimizerSettings,
    PartitionSettings,
    PrivateSettings,
    SettingsError,
    TaskSettings,
    choose,
    expect,
    parse,
    to_dict,
)

MINIMAL = {"dataset": "digits", "model": "digits-cnn"}


def test_parse_fills_in_defaults_and_nests() -> None:
    """Nested mappings become nested settings, lists tuples, whole numbers floats; what is absent takes its default."""
    task = parse(
        TaskSettings,
        MINIMAL | {"partition": {"kind": "one-class", "exclude": [9]}, "optimizer": {"lr": 1, "betas": [0.5, 0.9]}},
        "task",
    )
    assert task.partition == PartitionSettings(kind="one-class", exclude=(9,))
    assert task.optimizer == OptimizerSettings(lr=1.0, betas=(0.5, 0.9))
    assert isinstance(task.optimizer.lr, float)
    assert (task.batch_size, task.images_per_round) == (32, None)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"datset": "digits"}, r"a key of task \(one of: .*\), got 'datset'. Did you mean 'dataset'\?"),
        ({"dataset": "digits"}, "Expected task to have the key 'model', got"),
        (MINIMAL | {"batch_size": "32"}, "Expected task.batch_size to be a whole number, got '32'"),
        (MINIMAL | {"batch_size": 1.5}, "Expected task.batch_size to be a whole number, got 1.5"),
        (MINIMAL | {"batch_size": True}, "Expected task.batch_size to be a whole number, got True"),
        (MINIMAL | {"batch_size": 0}, "task: Expected batch_size > 0, got 0"),
        (MINIMAL | {"image_size": "big"}, "Expected task.image_size to be a whole number or null, got 'big'"),
        (MINIMAL | {"grey": 1}, "Expected task.grey to be true or false, got 1"),
        (MINIMAL | {"partition": "iid"}, "Expected task.partition to be a mapping of keys to values, got 'iid'"),
        (MINIMAL | {"partition": {"kind": "idd"}}, r"task.partition: .*got 'idd'. Did you mean 'iid'\?"),
        (MINIMAL | {"partition": {"exclude": 9}}, r"Expected task.partition.exclude to be a list, got 9"),
        (MINIMAL | {"partition": {"alpha": 0}}, "alpha > 0, got 0"),
        (MINIMAL | {"partition": {"images": 0}}, "images > 0, got 0"),
        (MINIMAL | {"partition": {"classes_per_client": 0}}, "classes_per_client > 0, got 0"),
        (
            MINIMAL | {"private": {"kind": "turned"}},
            r"task.private: Expected a kind of private property .*got 'turned'",
        ),
        (MINIMAL | {"private": {"kind": "rotated", "cleint": 1}}, "Did you mean 'client'"),
        (MINIMAL | {"private": {"kind": "rotated", "client": -1}}, "the id of a participant, got -1"),
        (MINIMAL | {"private": {"kind": "rotated", "degrees": float("nan")}}, "degrees to be a number, got nan"),
        (MINIMAL | {"private": {"kind": "rotated", "classes": []}}, r"name classes, each once, got \(\)"),
        (MINIMAL | {"private": {"kind": "rotated", "classes": [1, 1]}}, r"name classes, each once, got \(1, 1\)"),
        (MINIMAL | {"private": {"kind": "rotated", "classes": [1]}}, "kind random-classes, .*, got 'iid'"),
        (MINIMAL | {"private": {"kind": "rotated", "table": "a.csv"}}, "for the kind attribute, and only there"),
        (MINIMAL | {"private": {"kind": "attribute", "table": "../a.csv"}}, "private.table to be a file name"),
        (MINIMAL | {"private": {"kind": "attribute"}}, "private.table for the kind attribute, .*, got None"),
        (MINIMAL | {"private": {"kind": "attribute", "table": "a.csv", "classes": [1]}}, "for the kind rotated only"),
        (MINIMAL | {"private": "rotated"}, "Expected task.private to be PrivateSettings or null, got 'rotated'"),
        (MINIMAL | {"optimizer": {"lr": -1}}, r"lr > 0, got -1"),
        (MINIMAL | {"optimizer": {"lr": True}}, "task.optimizer.lr to be a number, got True"),
        (MINIMAL | {"optimizer": {"betas": [0.9]}}, "task.optimizer.betas to have 2 entries, got"),
        (MINIMAL | {"optimizer": {"betas": [0.9, 1]}}, r"betas in \[0, 1\)"),
        (MINIMAL | {"optimizer": {"momentum": 1}}, "momentum < 1, got 1"),
        (MINIMAL | {"optimizer": {"name": "adamw"}}, r"an optimizer .*got 'adamw'. Did you mean 'adam'\?"),
        ([MINIMAL], "Expected task to be a mapping of keys to values"),
    ],
)
def test_wrong_values_are_refused(values: dict, message: str) -> None:
    """A wrong value is refused with its place, what was expected and what was got."""
    with pytest.raises(SettingsError, match=message):
        parse(TaskSettings, values, "task")


def test_expect_and_choose_word_their_errors() -> None:
    """The texts follow one pattern: expected, got, remedy; without a near name no guess is made."""
    expect(bool("yes"), "nothing", None)
    with pytest.raises(SettingsError, match=r"^Expected a pear, got 'plum'. Go shopping.$"):
        expect(bool(""), "a pear", "plum", "Go shopping.")
    assert choose("a", ("a", "b"), "a letter") == "a"
    with pytest.raises(SettingsError, match=r"^Expected a letter \(one of: a, b\), got 'zzz'. Look again.$"):
        choose("zzz", ("b", "a"), "a letter", "Look again.")
    with pytest.raises(SettingsError, match=r"\(one of: none\)"):
        choose("a", (), "a letter")


def test_parse_undoes_to_dict() -> None:
    """Settings written as plain values and read again are the same."""
    task = TaskSettings(
        **MINIMAL,
        partition=PartitionSettings(kind="dirichlet", exclude=(3, 4), holders=(0, 2)),
        private=PrivateSettings(kind="rotated", client=2),
        optimizer=OptimizerSettings(name="adam", eps=1e-7, keep_state=True),
        images_per_round=50,
    )
    values = to_dict(task)
    assert values["partition"]["exclude"] == [3, 4]
    assert parse(TaskSettings, values, "task") == task


KEYS = st.text("abcdefghij-_", min_size=1, max_size=5)
NUMBERS = st.integers(-(2**40), 2**40) | st.floats(allow_nan=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.just("null") | st.text('ab[{"', max_size=5)
NESTED = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS | st.lists(SCALARS, max_size=3), lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
    ),
    max_size=5,
)


@given(NESTED)
def test_unflatten_undoes_flatten(values: dict) -> None:
    """Any mapping of plain values survives the way through a flat one, which holds scalars only."""
    flat = flatten(values)
    assert all(isinstance(value, bool | int | float | str) for value in flat.values())
    assert unflatten(flat) == values


def test_flatten_by_hand() -> None:
    """Keys are joined by dots; a list, null and an empty mapping travel as JSON."""
    flat = flatten({"a": {"b": 1, "c": {"d": [1, 2]}}, "e": None, "f": {}})
    assert flat == {"a.b": 1, "a.c.d": "[1, 2]", "e": "null", "f": "{}"}


def test_settings_do_not_import_torch() -> None:
    """A request can be checked without waiting for PyTorch."""
    code = "import sys, task, task.settings; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

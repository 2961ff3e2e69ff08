"""Scenarios with nonsense in them are refused with a text, or mean what they say."""

import copy
import functools
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oleander import scenario, shelf
from task.settings import SettingsError

WORDS = st.sampled_from(["iid", "gan", "anti-gan", "fedavg", "digits", "malicious", "extra", "null", "", "a.b", "../x"])
NUMBERS = st.integers(-2, 12) | st.integers() | st.floats() | st.sampled_from([2**31, 2**40, 2**63, -(2**63), 10**30])
SCALARS = st.none() | st.booleans() | NUMBERS | WORDS | st.text(max_size=5) | st.dates() | st.binary(max_size=3)
JUNK = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3), max_leaves=5
)
fuzzing = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
TEN_TIMES = 10 * settings().max_examples


@functools.cache
def _shipped() -> dict[str, dict[str, Any]]:
    """Return the scenarios that ship."""
    return {name: shelf.read(shelf.find(name)) for name in shelf.names()}


def _places(values: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all that is in a nested value."""
    keys = values if isinstance(values, dict) else range(len(values)) if isinstance(values, list) else ()
    return [one for key in keys for one in ((*path, key), *_places(values[key], (*path, key)))]


@st.composite
def broken(draw: st.DrawFn) -> dict[str, Any]:
    """Return a shipped scenario with one to three of its values replaced, taken out or added to."""
    values = copy.deepcopy(_shipped()[draw(st.sampled_from(list(_shipped())))])
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(_places(values)))
        level = functools.reduce(lambda inner, key: inner[key], path, values)
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                level[last] = draw(JUNK)
            case "remove":
                del level[last]
            case "add" if isinstance(level, dict):
                level[draw(SCALARS)] = draw(JUNK)
        if not _places(values):
            break
    return values


@fuzzing
@given(broken())
def test_a_scenario_is_refused_or_means_the_same_when_it_is_written_and_read(values: dict[str, Any]) -> None:
    """Whatever stands in it; what comes out of the parser goes into it again."""
    path = Path("unused.yaml")
    try:
        chosen = scenario.load(write(path, values))
    except SettingsError:
        return
    assert scenario.load(write(path, chosen.to_dict())) == chosen


@settings(fuzzing, max_examples=TEN_TIMES)
@given(st.text("abc:-[]{}&*!|>%@`'\"#, \n\t\0\x07\udc80é?1", max_size=60) | st.binary(max_size=60))
def test_a_file_that_is_no_scenario_is_refused(content: str | bytes) -> None:
    """Text and bytes of any kind."""
    path = Path("unused.yaml")
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    with pytest.raises(SettingsError):
        scenario.load(path)


def write(path: Path, values: dict[str, Any]) -> Path:
    """Write a YAML file."""
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)

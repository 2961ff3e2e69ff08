"""YAML from people is plain values or refused, whatever stands in it."""

import pytest

from oleander.plain import from_yaml
from task.settings import SettingsError

LAUGHS = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9 if n else ['lol'])}]" for n in range(9))


def test_plain_values_are_read() -> None:
    """Those of JSON; an anchor stands for its value."""
    text = "{a: [1, 2.5, null, true, word], b: &b {c: .inf}, d: *b}"
    infinite = {"c": float("inf")}
    assert from_yaml(text, "here") == {"a": [1, 2.5, None, True, "word"], "b": infinite, "d": infinite}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2", "expected ',' or ']'"),
        ("a: 2026-11-21", "neither text, number"),
        ("a: 2026-99-99", "month must be in"),
        ("a: !!binary aGk=", "neither text, number"),
        ("a: .nan", "nan, which is neither"),
        ("a: !!int ''", "got this"),
        ("a: !!bool x", "got this"),
        ("a: !!timestamp x", "got this"),
        ("1: a", "the key 1, which is no text"),
        ("&a [*a]", "nested too deep"),
        ("[" * 5000, "nested too deep"),
        (LAUGHS, "more than 100000 values"),
        ("9" * 5000, "got this"),
        ("!!python/object/apply:os.system [ls]", "could not determine a constructor"),
    ],
)
def test_what_is_not_is_refused_in_words(text: str, said: str) -> None:
    """Each of these once came through as something else, ended with a traceback, or would have filled the memory."""
    with pytest.raises(SettingsError, match="Expected YAML of plain values in here") as error:
        from_yaml(text, "here")
    assert said in str(error.value)

"""Bundles of a message's objects."""

import pytest
from flwr.supercore.inflatable.inflatable_utils import ObjectUnavailableError
from hypothesis import given
from hypothesis import strategies as st

from oleander.engines.grpc import bundles


@given(st.lists(st.binary(max_size=50)))
def test_unpack_undoes_pack(contents: list[bytes]) -> None:
    """Whatever is packed comes out in the same order, empty contents too."""
    assert bundles.unpack(bundles.pack(contents)) == contents


def test_a_bundle_is_closed_at_the_limit_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten objects of 30 bytes with a limit of 100 travel in three bundles: 4, 4 and 2."""
    monkeypatch.setattr(bundles, "LIMIT", 100)
    sent: list[tuple[list[str], list[bytes]]] = []
    objects = {f"{number}": bytes([number]) * 30 for number in range(10)}
    bundles.push(objects.items(), lambda names, packed: sent.append((names.split(","), bundles.unpack(packed))))
    assert [len(names) for names, _ in sent] == [4, 4, 2]
    assert {name: one for names, contents in sent for name, one in zip(names, contents, strict=True)} == objects


def test_pulling_goes_on_where_a_partial_bundle_ended_and_waits_for_what_is_not_there_yet() -> None:
    """A server that gives at most two objects, and at first none, is asked until all are there."""
    objects = {name: name.encode() for name in "abcde"}
    asked: list[str] = []

    def answer(names: str) -> bytes:
        asked.append(names)
        if len(asked) == 1:
            raise ObjectUnavailableError("a")
        return bundles.pack(objects[name] for name in names.split(",")[:2])

    assert bundles.pull(["a", "b", "c", "d", "e", "a"], answer) == objects
    assert asked == ["a,b,c,d,e", "a,b,c,d,e", "c,d,e", "e"]

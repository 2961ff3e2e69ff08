"""What replaces Flower's own searches in its simulation."""

from types import SimpleNamespace

import pytest

from oleander.engines.ray import quickening


def test_the_server_looks_at_messages_with_a_reply_and_now_and_then_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stock looks at all each time; those whose time is up have no reply, and must not be forgotten."""
    looked = []

    def look(message_ids: set[str], run_id: int) -> list[str]:
        looked.append((message_ids, run_id))
        return ["reply"]

    ready = quickening._ready(SimpleNamespace(get_message_res=look, message_ins_id_to_message_res_id={"b": "c"}))  # noqa: SLF001
    assert ready({"a"}, 1) == []
    assert ready({"a", "b"}, 1) == ["reply"]
    monkeypatch.setattr(quickening, "FULL_LOOK_SECONDS", -1.0)
    ready({"a"}, 1)
    assert looked == [({"b"}, 1), ({"a"}, 1)]

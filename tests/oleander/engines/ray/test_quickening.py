"""What replaces Flower's own searches in its simulation."""

import threading
from types import SimpleNamespace

import pytest
from flwr.compat.client import run_info_store
from flwr.server.superlink.fleet.vce import vce_api
from flwr.server.superlink.fleet.vce.backend import raybackend

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


def test_all_workers_run_at_once_however_few_cores_this_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stock's pool has 32 threads at most, and a worker keeps its thread; each waits for all others here."""
    for module, name in (
        (vce_api, "add_messages_to_queue"),
        (vce_api, "worker"),
        (vce_api, "ThreadPoolExecutor"),
        (run_info_store, "get_fused_config_from_dir"),
        (raybackend, "RayBackend"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))  # and back
    quickening.install(1.0)
    together = threading.Barrier(40, timeout=20)
    with vce_api.ThreadPoolExecutor() as threads:
        assert len({worker.result() for worker in [threads.submit(together.wait) for _ in range(40)]}) == 40

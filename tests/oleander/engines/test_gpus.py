"""Which GPU each client computes on."""

import pytest

from oleander.engines.gpus import devices
from oleander.sections import FederationSettings


def test_fewer_gpus_than_clients_are_shared_round_robin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two visible GPUs serve five clients in turn."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert devices(FederationSettings(clients=5, rounds=1)) == ["3", "5", "3", "5", "3"]


def test_cpu_means_no_gpu_even_where_there_are_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """`devices: cpu` is obeyed, and so is an empty CUDA_VISIBLE_DEVICES."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert devices(FederationSettings(clients=2, rounds=1, devices="cpu")) == [None, None]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert devices(FederationSettings(clients=2, rounds=1)) == [None, None]

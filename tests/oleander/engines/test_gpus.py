"""Which GPU each client and the server compute on."""

from pathlib import Path

import pytest

from oleander.engines import gpus
from oleander.engines.gpus import devices
from oleander.sections import FederationSettings


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program of ours in the place of nvidia-smi, to be written, and let it be asked."""
    path = tmp_path / "nvidia-smi"
    path.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return path


def test_fewer_gpus_than_clients_are_shared_round_robin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two visible GPUs serve five in turn."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert devices(FederationSettings(clients=4, rounds=1), 5) == ["3", "5", "3", "5", "3"]


def test_cpu_means_no_gpu_even_where_there_are_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """`devices: cpu` is obeyed, and so is an empty CUDA_VISIBLE_DEVICES."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert devices(FederationSettings(clients=2, rounds=1, devices="cpu"), 2) == [None, None]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert devices(FederationSettings(clients=2, rounds=1), 2) == [None, None]


def test_the_gpus_are_those_that_the_driver_lists(tool: Path) -> None:
    """By number; none where it fails."""
    tool.write_text("#!/bin/sh\necho 'GPU 0: one'; echo 'GPU 1: another'\n", encoding="utf-8")
    assert gpus.visible() == ["0", "1"]
    tool.write_text("#!/bin/sh\necho 'GPU 0: one'; exit 9\n", encoding="utf-8")
    assert gpus.visible() == []


def test_a_driver_that_hangs_is_none(tool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it for ever: the run computes on the CPU."""
    tool.write_text("#!/bin/sh\nexec sleep 600\n", encoding="utf-8")
    monkeypatch.setattr(gpus, "TOOL_SECONDS", 0.2)
    assert gpus.visible() == []

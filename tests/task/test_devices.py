"""Which device is computed on, and that a GPU is set to give the same numbers twice."""

import os
from collections.abc import Iterator

import pytest
import torch

from task import devices


@pytest.fixture
def untouched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put back what choosing a GPU changes in the process."""
    monkeypatch.delenv(devices.WORKSPACE, raising=False)
    cudnn = torch.backends.cudnn
    before = cudnn.benchmark, cudnn.allow_tf32
    yield
    torch.use_deterministic_algorithms(mode=False)
    cudnn.benchmark, cudnn.allow_tf32 = before
    os.environ.pop(devices.WORKSPACE, None)


@pytest.mark.usefixtures("untouched")
def test_a_gpu_is_taken_where_there_is_one_and_is_deterministic(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `auto` alone; kernels are then fixed, and convolutions are not rounded to fewer bits."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert devices.chosen("cpu") == "cpu"
    assert not torch.are_deterministic_algorithms_enabled()
    assert devices.chosen("auto") == "cuda"
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    assert not torch.backends.cudnn.allow_tf32
    assert os.environ[devices.WORKSPACE] == ":4096:8"


@pytest.mark.usefixtures("untouched")
def test_without_a_gpu_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU it is, and the process stays as it was."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert devices.chosen("auto") == "cpu"
    assert not torch.are_deterministic_algorithms_enabled()
    assert devices.WORKSPACE not in os.environ

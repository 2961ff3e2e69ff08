"""What a host's part of a fleet is to be."""

import os
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from oleander.engines import Job
from oleander.engines.grpc.forks import fork
from oleander.engines.grpc.plan import Plan, draw_up
from task.files import write_text


@pytest.mark.parametrize(
    ("visible", "gpus"),
    [("3,5,7", ["3", "5", "7"]), ("3,5", ["3", "5", "3"]), ("3", ["3", "3", "3"]), ("", [None, None, None])],
)
def test_the_servers_attack_has_a_gpu_of_its_own_where_there_are_enough(
    make_job: Callable[..., Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str, gpus: list[str | None]
) -> None:
    """It comes after the clients, in turn; each node's config says what its host has chosen."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    plan = draw_up(make_job(2, 1, "federation.devices=auto"), tmp_path / "home")
    assert plan.server is not None
    assert [*(node.gpu for node in plan.nodes), plan.server.gpu] == gpus
    assert Plan.load(str(plan.save())) == plan
    told = [tomllib.loads(Path(node.config).read_text(encoding="utf-8"))["devices"] for node in plan.nodes]
    assert told == ["cpu" if gpu is None else "auto" for gpu in gpus[:2]]


def test_a_server_without_clients_of_its_own_has_the_first_gpu(
    make_job: Callable[..., Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are on other hosts, with GPUs of their own."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    job = make_job(2, 1, "federation.devices=auto")
    plan = draw_up(Job(scenario=job.scenario, run=job.run, address="192.0.2.1:9092"), tmp_path / "home")
    assert plan.nodes == ()
    assert plan.server is not None
    assert plan.server.gpu == "3"


@pytest.mark.parametrize(("gpu", "seen"), [("5", "5"), (None, "")])
def test_a_process_sees_its_own_gpu_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gpu: str | None, seen: str
) -> None:
    """The server's, too, whose parent sees all."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    pid = fork(lambda: write_text(tmp_path / "seen", os.environ["CUDA_VISIBLE_DEVICES"]), tmp_path / "log", gpu)
    assert os.waitpid(pid, 0)[1] == 0
    assert (tmp_path / "seen").read_text(encoding="utf-8") == seen

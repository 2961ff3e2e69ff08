"""How virtual clients share GPUs in Flower's simulation; Ray itself is not started."""

import contextlib
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flwr.supercore.task_identity import TaskIdentity

from oleander import engines
from oleander.engines import Job
from oleander.engines import ray as engine
from oleander.engines.ray.simulation import simulate


@pytest.mark.parametrize(
    ("visible", "cores", "gpus"),
    [("3,5", 8, (2, 0.25)), ("3,5", 2, (2, 1.0)), ("3,5,7", 2, (3, 1.0)), ("", 8, (0, 0.0))],
)
def test_a_gpu_is_shared_by_as_many_as_there_are_cores_for(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch, visible: str, cores: int, gpus: tuple[int, float]
) -> None:
    """One client a core: eight cores and two GPUs are four clients a GPU; nobody has more than one whole."""
    asked: dict[str, Any] = {}

    def follow(_module: str, plan: Path, **_: Any) -> int:
        simulate(json.loads(plan.read_text(encoding="utf-8")), "")
        return 0

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("_task_id", "_run_id", "_node_id"):
        monkeypatch.setattr(TaskIdentity, name, 1)
    module = importlib.import_module("flwr.simulation.run_simulation")  # a function has its name
    monkeypatch.setattr(module, "_run_simulation", lambda **given: asked.update(given["backend_config"]))
    monkeypatch.setattr(engine, "cores", lambda: cores)
    monkeypatch.setattr(engine, "follow", follow)
    with contextlib.suppress(engines.EngineError):  # it ends without a result
        engines.run("ray", make_job(2, 1, "federation.devices=auto", stock=True))
    given, each = asked["init_args"], asked["client_resources"]
    assert (given["num_cpus"], each["num_cpus"]) == (cores, 1)
    assert (given["num_gpus"], each["num_gpus"]) == gpus

"""A simulation that cannot start says why, and where its log is."""

from collections.abc import Callable
from pathlib import Path

import pytest
from watching import left_running

from oleander import engines
from oleander.engines import EngineError, Job


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise OSError('no room for the object store')", "OSError: no room for the object store"),
        ("import os, sys; sys.stderr.write('raylet: no room\\n'); sys.stderr.flush(); os._exit(7)", "raylet: no room"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "exit code 137"),
    ],
)
def test_the_cause_and_the_log_are_named(
    body: str, said: str, make_job: Callable[..., Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Ray raises, what it raised; where it takes the process along, its end."""
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "__init__.py").write_text(body, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    job = make_job(2, 1)
    with pytest.raises(EngineError) as failure:
        engines.run("ray", job)
    assert said in str(failure.value)
    assert str(job.run.logs / "simulation.log") in str(failure.value)
    assert "Traceback" not in str(failure.value)
    assert left_running() == []

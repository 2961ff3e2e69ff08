"""Flower's own commands as a fleet."""

from pathlib import Path

import pytest

from oleander.engines.grpc import stock
from oleander.engines.grpc.nodes import FleetError
from oleander.engines.grpc.stock import _check


def test_a_superlink_that_does_not_answer_ends_the_run_and_not_the_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How the run ended is unknown then, which is a failure."""
    (tmp_path / "flwr").touch(mode=0o755)
    (tmp_path / "flwr").write_text("#!/bin/sh\nexec sleep 600\n", encoding="utf-8")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(stock, "START_SECONDS", 0.2)
    with pytest.raises(FleetError, match=r"'unknown .*no answer within"):
        _check()

"""Another version of Flower than is installed, for tests."""

from pathlib import Path

import pytest

OLDER = """import importlib.metadata as m
real = m.version
m.version = lambda name: "1.38.9" if name == "flwr" else real(name)
"""


def make_flower_older(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give Flower another version's name, in the processes that the test starts from here on."""
    (folder / "sitecustomize.py").write_text(OLDER, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))

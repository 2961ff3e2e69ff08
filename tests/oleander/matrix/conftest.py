"""Small matrices of the demo, as files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture
def matrix_file(tmp_path: Path) -> Callable[..., str]:
    """Return a function that writes a matrix of the demo, with the given keys, and returns its path."""

    def make(**values: Any) -> str:
        path = tmp_path / "small.yaml"
        given = {"name": "small", "base": "gan-attack-digits", "attacks": {"gan": {}}} | values
        path.write_text(
            yaml.safe_dump({key: value for key, value in given.items() if value is not None}, sort_keys=False)
        )
        return str(path)

    return make

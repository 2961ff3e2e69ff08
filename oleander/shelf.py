"""Where scenarios lie: those that ship, by name, and anybody's, by path. A file stands for one run or for a matrix."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from oleander.plain import from_yaml
from task.settings import SettingsError, choose, expect

MATRIX_KEYS = ("base", "attacks", "defenses", "sweep")
"""A file that has one of these stands for many runs, see oleander.matrix."""


def folder() -> Path:
    """Return the folder of the scenarios that ship: in a checkout beside the package, in a wheel inside it."""
    inside = Path(__file__).parent / "scenarios"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "scenarios"


def names(*, matrices: bool = False) -> list[str]:
    """Return the names of the scenarios that ship, or of the matrices (see oleander.matrix)."""
    every = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in folder().glob("*.yaml")}
    return sorted(name for name, values in every.items() if is_matrix(values) == matrices)


def is_matrix(values: Mapping[str, Any]) -> bool:
    """Say whether a file's values stand for many runs."""
    return any(key in values for key in MATRIX_KEYS)


def find(name_or_path: str | Path) -> Path:
    """Return the path of a YAML file, or of one that ships.

    Raises:
        SettingsError: for an unknown name.

    """
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml"):
        return path
    known = [one.stem for one in folder().glob("*.yaml")]
    return folder() / f"{choose(str(name_or_path), known, 'a scenario', 'Or give the path of a .yaml file.')}.yaml"


def read(path: Path) -> dict[str, Any]:
    """Return a YAML file's mapping.

    Raises:
        SettingsError: where it cannot be read, or is none.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # the latter: it is no UTF-8
        raise SettingsError(f"Expected a readable scenario, got {path} ({error}). Check the path.") from error
    values = from_yaml(text, str(path))
    expect(isinstance(values, dict), f"a mapping in {path}", values)
    return dict(values)

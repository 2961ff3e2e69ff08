"""The app's folder."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from flwr.cli.build import build_fab_from_disk
from flwr.common.config import get_fused_config_from_dir

from oleander.engines import Job
from oleander.engines.app import assemble


def test_flower_reads_the_run_config_as_it_was_given(tmp_path: Path, make_job: Callable[..., Job]) -> None:
    """Every value of a scenario's run config comes back from Flower, type and all."""
    config = make_job(3, 2).scenario.run_config(data='it\'s "a" path', out="/x", roles=True)
    folder = assemble(tmp_path / "app", config)
    assert get_fused_config_from_dir(folder, {}) == config


@pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")  # Flower's own, when it builds a bundle
def test_the_bundle_holds_the_packages_and_nothing_else(tmp_path: Path) -> None:
    """Flower builds a bundle of the folder; the command's own package does not travel."""
    folder = assemble(tmp_path / "app", {})
    assert {path.name for path in folder.iterdir()} >= {"task", "attacks", "client_app", "server_app", "strategies"}
    assert not (folder / "oleander").exists()
    assert not list(folder.rglob("__pycache__"))
    assert tomllib.loads((folder / "pyproject.toml").read_text())["project"]["name"] == "oleander"
    assert 10_000 < len(build_fab_from_disk(folder)) < 1_000_000

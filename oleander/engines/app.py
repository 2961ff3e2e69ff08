"""The Flower app of a run: the packages that travel to the nodes, and the run config as the app's defaults.

It is assembled anew for each run, from a checkout and from an installed wheel alike: so a run config needs no override,
and what lies about in a working folder never travels.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

import tomli_w

import oleander

PACKAGES = ("task", "attacks", "defenses", "client_app", "strategies", "server_app")
COMPONENTS = {"serverapp": "server_app.app:app", "clientapp": "client_app.app:app"}


def assemble(folder: Path, config: Mapping[str, bool | int | float | str], root: Path | None = None) -> Path:
    """Write the app's folder.

    Args:
        folder: made by this.
        config: the run config; dotted keys.
        root: the folder that holds the packages; None for where `oleander` lies.

    Returns:
        `folder`.

    """
    root = root or Path(oleander.__file__).parent.parent
    folder.mkdir(parents=True)
    for package in PACKAGES:
        if (root / package).is_dir():
            shutil.copytree(root / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    app = {"publisher": "oleander", "components": COMPONENTS, "config": dict(config)}
    project = {
        "project": {"name": "oleander", "version": "1.0.0", "description": "One run's app", "license": "Apache-2.0"},
        "tool": {"flwr": {"app": app}},
    }
    (folder / "pyproject.toml").write_text(tomli_w.dumps(project), encoding="utf-8")
    return folder

"""Where and with what a run is made, for environment.json; the command writes it, or the server where there is none."""

import importlib.metadata
import os
import platform
import time
from typing import Any

PACKAGES = ("oleander", "flwr", "ray", "torch", "numpy", "scikit-learn", "torchmetrics")


def beginning() -> dict[str, Any]:
    """Return what is known when a run starts: the time, the versions, the platform and its devices."""
    import torch  # noqa: PLC0415 - takes long to import, and only a run needs it

    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {
        "start": now(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        "platform": f"{platform.system()} {platform.machine()}",
        "devices": {"cores": os.cpu_count(), "gpus": gpus},
    }


def now() -> str:
    """Return the local time with its offset, ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def version(name: str) -> str:
    """Return a package's version, or that it is not installed (a checkout that is merely on the path)."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"

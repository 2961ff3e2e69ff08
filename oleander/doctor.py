"""`oleander doctor`: what this machine has, what is missing, and how to get it."""

import importlib.metadata
import os
import platform
import shutil
import socket

import torch
from rich.console import Console

from task.datasets import DATASETS, FACES_TABLE, load
from task.settings import SettingsError

PACKAGES = ("flwr", "ray", "torch", "torchvision", "torchmetrics", "numpy", "scipy", "scikit-learn", "safetensors")


def examine(console: Console, data: str | None) -> bool:
    """Print the findings; return whether the demo can run here.

    Args:
        console: to print on.
        data: folder of the data sets.

    """
    versions, complete = _versions()
    devices, ports = _devices(), _loopback()
    console.print("versions", style="bold")
    _lines(console, versions)
    console.print("machine", style="bold")
    _lines(console, devices)
    _lines(console, {"loopback ports": "free ones found" if ports else "none: the gRPC engine needs loopback sockets"})
    free = shutil.disk_usage(".").free / 2**30
    _lines(console, {"free disk": f"{free:.1f} GiB here"})
    console.print(f"data sets (in {data or 'no folder: give --data, $OLEANDER_DATA or ./data'})", style="bold")
    _lines(console, {name: _dataset(name, data) for name in DATASETS})
    fine = complete and ports
    console.print("The demo can run: oleander demo" if fine else "The demo cannot run; see above.", style="bold")
    return fine


def _versions() -> tuple[dict[str, str], bool]:
    """Return the packages' versions, and whether all are there."""
    found = {"python": platform.python_version()}
    missing = "missing: pip install -e ."
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = missing
    return found, missing not in found.values()


def _devices() -> dict[str, str]:
    """Return processors and GPUs."""
    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {"cores": str(os.cpu_count()), "GPUs": ", ".join(gpus) or "none: participants train on the CPU"}


def _loopback() -> bool:
    """Return whether a server can listen on loopback."""
    try:
        with socket.create_server(("127.0.0.1", 0)):
            return True
    except OSError:
        return False


def _dataset(name: str, data: str | None) -> str:
    """Return what is found of one data set, or why it is not."""
    try:
        dataset = load(name, data)
    except SettingsError as error:
        return f"not found. {error}"
    train, test = len(dataset.train.labels), len(dataset.test.labels)
    found = f"{train} training and {test} test images, {len(dataset.classes)} classes"
    return found if name != "att-faces" else f"{found}; {_glasses(data)}"


def _glasses(data: str | None) -> str:
    """Return whether it is known who of the AT&T faces wears glasses."""
    try:
        dataset = load("att-faces", data, table=FACES_TABLE)
    except SettingsError as error:
        return f"the scenarios with glasses cannot run. {error}"
    marked = sum(int(split.marked.sum()) for split in (dataset.train, dataset.test) if split.marked is not None)
    return f"{FACES_TABLE}: {marked} with glasses"


def _lines(console: Console, findings: dict[str, str]) -> None:
    for name, text in findings.items():
        console.print(f"  {name:16} {text}", highlight=False, markup=False, soft_wrap=True)

"""Which GPU each client computes on, and how many cores there are."""

import os
import shutil
import subprocess

from oleander.sections import FederationSettings


def visible() -> list[str]:
    """Return the names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES spells them; empty for none."""
    asked = os.environ.get("CUDA_VISIBLE_DEVICES")
    if asked is not None:
        return [name for name in asked.split(",") if name and name != "-1"]
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    listed = subprocess.run([tool, "--list-gpus"], capture_output=True, text=True, check=False)  # noqa: S603 - no input
    count = sum(line.startswith("GPU ") for line in listed.stdout.splitlines()) if listed.returncode == 0 else 0
    return [str(number) for number in range(count)]


def devices(federation: FederationSettings) -> list[str | None]:
    """Return each client's GPU, round robin; None where it computes on the CPU."""
    gpus = visible() if federation.devices == "auto" else []
    return [gpus[client % len(gpus)] if gpus else None for client in range(federation.clients)]


def cores() -> int:
    """Return how many cores this process may use; outside Linux, how many there are."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1

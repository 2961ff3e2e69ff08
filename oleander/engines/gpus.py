"""Which GPU each client and the server compute on, and how many cores there are."""

import os
import shutil
import subprocess
from collections.abc import Sequence

from oleander.sections import FederationSettings

TOOL_SECONDS = 10.0


def visible() -> list[str]:
    """Return the names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES spells them; empty for none."""
    asked = os.environ.get("CUDA_VISIBLE_DEVICES")
    if asked is not None:
        return [name for name in asked.split(",") if name and name != "-1"]
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    try:
        listed = subprocess.run(  # noqa: S603 - no input
            [tool, "--list-gpus"], capture_output=True, text=True, check=False, timeout=TOOL_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):  # a driver that hangs computes nothing either
        return []
    count = sum(line.startswith("GPU ") for line in listed.stdout.splitlines()) if listed.returncode == 0 else 0
    return [str(number) for number in range(count)]


def devices(federation: FederationSettings, count: int) -> list[str | None]:
    """Return the GPU of each of `count` processes; None where they compute on the CPU."""
    return share(visible() if federation.devices == "auto" else [], count)


def share(gpus: Sequence[str], count: int) -> list[str | None]:
    """Return which GPU each of `count` has: one of its own where there are enough, else in turn; None without any."""
    return [gpus[place % len(gpus)] if gpus else None for place in range(count)]

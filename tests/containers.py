"""The containers of docker/compose.yaml for a test: minutes, so only where somebody asks for it."""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[1] / "docker" / "compose.yaml"
NEEDS_DOCKER = "needs OLEANDER_DOCKER=1, Docker and its Compose: it builds an image and runs the demo in it"


class Stack:
    """The containers, under a name of their own and with a folder of runs of their own."""

    def __init__(self, compose: list[str], folder: Path) -> None:
        """Remember how Compose is called here, and where its words and the runs go; nothing is started yet."""
        self.runs, self._output = folder / "runs", folder / "output"
        self._name = f"oleander-test-{os.getpid()}"
        self._compose = [*compose, "-p", self._name, "-f", str(FILE)]

    def start(self, *words: str, more: Path | None = None) -> subprocess.Popen[bytes]:
        """Start a command of Compose's; `more` is a second file, which changes the first."""
        command = [*self._compose, *(["-f", str(more)] if more else []), *words]
        environment = os.environ | {"OLEANDER_RUNS": str(self.runs)}
        with self._output.open("wb") as output:
            return subprocess.Popen(command, env=environment, stdout=output, stderr=output)

    def said(self) -> str:
        """Return what the last command said."""
        return self._output.read_text(encoding="utf-8")

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return what Docker knows of each container, by its service."""
        ids = docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={self._name}").split()
        found = json.loads(docker("inspect", *ids)) if ids else []
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    def inside(self, service: str, command: str) -> str:
        """Return what a shell's command prints in a container."""
        return docker("exec", self.containers()[service]["Id"], "sh", "-c", command)

    def users(self, service: str) -> set[str]:
        """Return the users whose processes run in a container; its health check's, which come and go, are left out."""
        lines = docker("top", self.containers()[service]["Id"], "-eo", "pid,uid,args").splitlines()[1:]
        return {line.split()[1] for line in lines if " /tmp/made" not in line}


def docker(*words: str) -> str:
    """Return what a command of Docker's prints."""
    return subprocess.run(["docker", *words], stdout=subprocess.PIPE, check=False, text=True).stdout


@contextlib.contextmanager
def stack(folder: Path) -> Iterator[Stack]:
    """Give the containers for a test, their image built; only that is left in the end."""
    if os.environ.get("OLEANDER_DOCKER") != "1":
        pytest.skip(NEEDS_DOCKER)
    made = Stack(_compose(), folder)
    try:
        assert made.start("build").wait() == 0, made.said()
        yield made
    finally:
        made.start("down", "--volumes", "--timeout", "2").wait()


def _compose() -> list[str]:
    """Return how Compose is called here: the second, or else the first."""
    for command in (["docker", "compose"], ["docker-compose"]):
        there = shutil.which(command[0])
        if there and not subprocess.run([*command, "version"], capture_output=True, check=False).returncode:
            return command
    return pytest.skip(NEEDS_DOCKER)

"""A server and its clients, each started by its own line of `oleander deploy`, for tests."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONG = bool(os.environ.get("OLEANDER_LONG"))
NEEDS_LONG = "needs OLEANDER_LONG=1: it takes minutes"


@dataclass(kw_only=True)
class Deployment:
    """What runs on the hosts of a federation.

    Attributes:
        folder: that all of them work in; certificates, if any, lie in `certificates`.
        server: HOST:PORT.
        scenario: its name.
        settings: texts of --set, for everybody.
        on: turns a host's number and a command into the command that runs it there; the server's host is 1, that of
            client N is 2 + N. Without it, all are this one.
        security: what everybody is told of it.

    """

    folder: Path
    server: str
    scenario: str
    settings: Sequence[str]
    on: Callable[..., list[str]] = lambda _, *command: list(command)
    security: Sequence[str] = ("--certificates", "certificates")
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(
        self,
        name: str,
        host: int,
        *arguments: str,
        settings: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start a verb of `oleander deploy` on a host, with settings beside everybody's."""
        given = [text for setting in (*self.settings, *settings) for text in ("--set", setting)]
        command = self.on(host, sys.executable, "-m", "oleander", "deploy", *arguments, *given)
        everywhere = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        with self.output(name).open("ab") as output:
            self.processes[name] = subprocess.Popen(
                command,
                cwd=self.folder,
                env=os.environ | everywhere | dict(environment or {}),
                stdout=output,
                stderr=output,
            )

    def client(
        self,
        number: int,
        *security: str,
        name: str | None = None,
        host: int | None = None,
        settings: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start a client; its process has the name `client-N` unless it is given another."""
        name = name or f"client-{number}"
        where = ("--server", self.server, *(security or self.security), "--out", name)
        line = ("client", str(number), self.scenario, *where)
        self.start(name, host or 2 + number, *line, settings=settings, environment=environment)

    def run(self, out: str, *arguments: str) -> None:
        """Start the server on a run."""
        self.start(out, 1, "server", self.scenario, "--address", self.server, "--out", out, *self.security, *arguments)

    def output(self, name: str) -> Path:
        """Return the file of what a process says."""
        return self.folder / f"{name}.out"

    def said(self, name: str) -> str:
        """Return what a process has said."""
        return self.output(name).read_text(encoding="utf-8")

    def ended(self, name: str, seconds: float = 240) -> int:
        """Wait for the end of a process and return its exit status."""
        return self.processes[name].wait(timeout=seconds)

    def until(self, ready: Callable[[], object], seconds: float = 240) -> None:
        """Wait until something is so."""
        end = time.monotonic() + seconds
        while not ready():
            said = {path.name: path.read_text(encoding="utf-8")[-2000:] for path in self.folder.glob("*.out")}
            assert time.monotonic() < end, said
            time.sleep(0.1)

    def leave(self, name: str) -> int:
        """Ask a process to end, and return its exit status."""
        self.processes[name].send_signal(signal.SIGTERM)
        return self.ended(name)


@contextmanager
def ending(deployment: Deployment) -> Iterator[Deployment]:
    """End afterwards what was started."""
    try:
        yield deployment
    finally:
        for process in deployment.processes.values():
            process.terminate()
        for name in deployment.processes:
            deployment.ended(name)

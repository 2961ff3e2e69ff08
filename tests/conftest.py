"""Fixtures for all tests, and a loud word about those that were skipped for want of data, of rights or of time."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest
import server_attacks
import torch
import watching
from containers import NEEDS_DOCKER
from deployments import NEEDS_LONG
from disks import NEEDS_TMPFS
from namespaces import NEEDS_NAMESPACES

from attacks import registry
from oleander import scenario
from oleander.engines import Job
from oleander.engines.processes import descendants
from oleander.rundir import RunDirectory

REPOSITORY = Path(__file__).parents[1]
hypothesis.settings.register_profile("oleander", deadline=None)  # a loaded machine is no error
hypothesis.settings.register_profile("long", deadline=None, max_examples=10_000)
hypothesis.settings.load_profile("oleander")

SMALL = (  # a federation of seconds
    "federation.devices=cpu",
    "task.partition.images=40",
    "clients.0.options.steps=5",
    "clients.0.options.start_accuracy=null",
    "clients.0.options.start_round=1",
    "clients.0.loot_images=4",
)

NEEDS_DATA = "needs MNIST, Fashion-MNIST, AT&T faces and CIFAR-10: set $OLEANDER_DATA to the folder that holds them"


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Keep PyTorch to one thread: the tests are small, and their results must not depend on the machine."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """Let what the tests start be stopped by SIGINT, which a shell's job in the background hands down as ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _remember_processes() -> None:
    """Note what runs already, for tests that look for what they have left running."""
    watching.BEFORE.clear()
    watching.BEFORE.update(descendants(os.getpid()))


@pytest.fixture(scope="session")
def data_root() -> str:
    """Return the folder of the real data sets; a test that asks for it is skipped where there is none."""
    candidates = [Path(os.environ.get("OLEANDER_DATA", "data")), REPOSITORY.parent / "shared" / "data", Path("data")]
    for folder in candidates:
        if (folder / "MNIST").is_dir():
            return str(folder.resolve())
    return pytest.skip(f"{NEEDS_DATA} (looked in {', '.join(map(str, candidates))})")


@pytest.fixture
def toy_attack(monkeypatch: pytest.MonkeyPatch) -> str:
    """Put the server's attack for tests among the real ones, for this process, and return its name."""
    real = registry.names
    monkeypatch.setitem(sys.modules, "attacks.toy", server_attacks)
    monkeypatch.setattr(
        registry, "names", lambda view=None: real(view) + ["toy"] * (view in (None, server_attacks.VIEW))
    )
    return "toy"


@pytest.fixture(scope="session")
def make_job(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Job]:
    """Return a function that makes a job of the demo's scenario, with few clients of which the last attacks."""

    def make(clients: int, rounds: int, *overrides: str, out: Path | None = None, stock: bool = False) -> Job:
        sizes = (f"federation.clients={clients}", f"federation.rounds={rounds}", f"clients.0.ids=[{clients - 1}]")
        chosen = scenario.load("gan-attack-digits", [*SMALL, *sizes, *overrides])
        run = RunDirectory.create(chosen, out or tmp_path_factory.mktemp("run") / "run")
        return Job(scenario=chosen, run=run, stock=stock)

    return make


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests did not run, and what for."""
    for want in (NEEDS_DATA, NEEDS_NAMESPACES, NEEDS_TMPFS, NEEDS_DOCKER, NEEDS_LONG):
        skipped = [report for report in terminalreporter.stats.get("skipped", []) if want in str(report.longrepr)]
        if skipped:
            terminalreporter.write_line(f"{len(skipped)} tests DID NOT RUN: each {want}.", yellow=True, bold=True)

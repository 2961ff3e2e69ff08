"""The demo as containers, really built and run."""

import time
from collections.abc import Iterator
from pathlib import Path

import containers
import pytest
import yaml
from containers import Stack

from oleander.rundir import RunDirectory

CLIENTS = [f"client-{number}" for number in range(6)]
EVERYBODY = {"certificates", "server", *CLIENTS}
pytestmark = pytest.mark.timeout(3600)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """Give the containers."""
    with containers.stack(tmp_path) as made:
        yield made


def test_demo_runs_in_healthy_containers_without_root_and_leaves_its_report(stack: Stack) -> None:
    """`up` ends by itself with a report; on the way all are healthy, nobody is root, and nobody has another's key."""
    up = stack.start("up")
    healthy: set[str] = set()
    while up.poll() is None and healthy != EVERYBODY:
        time.sleep(2)
        health = {name: one["State"]["Health"]["Status"] for name, one in stack.containers().items()}
        healthy = {name for name, status in health.items() if status == "healthy"}
    assert healthy == EVERYBODY, stack.said()
    for name in EVERYBODY:
        assert stack.users(name) == {"1000"}
        made = stack.containers()[name]["HostConfig"]
        assert (made["ReadonlyRootfs"], made["CapDrop"], made["Privileged"]) == (True, ["ALL"], False)
        assert stack.inside(name, "touch /new && echo written") == ""
    for name in CLIENTS:
        assert stack.inside(name, "ls /certificates").split() == [name]
        assert stack.inside(name, f"stat -c %a /certificates/{name} /certificates/{name}/*.key").split() == [
            "700",
            "600",
        ]
    assert up.wait() == 0
    assert {name: one["State"]["ExitCode"] for name, one in stack.containers().items()} == dict.fromkeys(EVERYBODY, 0)
    (path,) = (stack.runs / "demo").iterdir()
    run = RunDirectory.open(path)
    assert run.environment()["exit"] == 0
    assert run.environment()["tls"] is True
    assert [line["replies"] for line in run.rounds()] == [6] * 30
    assert run.loot().keys() == {"client-5"}
    assert run.published().keys() == {2, 3}
    assert run.verdict().keys()
    assert run.report.stat().st_size > 100_000


def test_exit_status_is_the_demos(stack: Stack, tmp_path: Path) -> None:
    """`up --exit-code-from server` ends with 2 where the demo does, which is given a folder of loot without any."""
    server = yaml.safe_load(containers.FILE.read_text(encoding="utf-8"))["services"]["server"]
    command = [*server["command"], "--set", "federation.rounds=1", "--loot", "/alive"]
    more = tmp_path / "more.yaml"
    more.write_text(yaml.safe_dump({"services": {"server": {"command": command}}}), encoding="utf-8")
    assert stack.start("up", "--exit-code-from", "server", more=more).wait() == 2, stack.said()
    assert "Expected loot of run" in stack.said()

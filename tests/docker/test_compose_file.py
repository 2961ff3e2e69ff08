"""docker/compose.yaml and the image's context say what the demo and the package say; nothing is started here."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from oleander import scenario

ROOT = Path(__file__).parents[2]
FILE = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
DEMO = scenario.load("demo")


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_locked_down(name: str) -> None:
    """Each has a read-only file system, no new privilege and a health check; all but one, no capability and no root."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["healthcheck"]["test"]
    assert "ports" not in service
    assert "privileged" not in service
    if name == "certificates":
        assert service["network_mode"] == "none"
        assert service["cap_add"] == ["CHOWN", "SETGID", "SETUID"]
    else:
        assert "cap_add" not in service
        assert service["user"] == "${OLEANDER_UID:-1000}:${OLEANDER_GID:-1000}"
        assert service["networks"] == ["federation"]
    assert FILE["networks"]["federation"]["internal"] is True


@pytest.mark.parametrize("prefix", ["client-", "gpu-client-"])
def test_every_participant_has_a_container_with_its_own_key_and_loot(prefix: str) -> None:
    """There is a container for each participant of the demo, and it sees nobody else's key or loot."""
    found = {name: service for name, service in SERVICES.items() if name.startswith(prefix)}
    assert list(found) == [f"{prefix}{client}" for client in range(DEMO.federation.clients)]
    for client, service in enumerate(found.values()):
        mounted = ["alive:/alive:ro", f"key-{client}:/certificates/client-{client}:ro", f"loot-{client}:/loot"]
        assert service["volumes"] == mounted
        assert service["command"] == [str(client), "demo"]


def test_the_server_is_given_the_loot_that_the_demo_leaves() -> None:
    """The loot of every attacker, and what each defended participant publishes, is there for the judge."""
    server = SERVICES["server"]
    given = [after for word, after in zip(server["command"], server["command"][1:], strict=False) if word == "--loot"]
    others = [client for client in range(DEMO.federation.clients) if DEMO.role_of(client).role != "honest"]
    assert sorted(given) == [f"/loot/client-{client}" for client in others]
    assert {f"loot-{client}:/loot/client-{client}:ro" for client in others} <= set(server["volumes"])


def test_each_gpu_client_has_a_gpu_of_its_own() -> None:
    """Client N is given GPU N unless told otherwise, and computes on nothing else."""
    for client in range(DEMO.federation.clients):
        service = SERVICES[f"gpu-client-{client}"]
        (device,) = service["deploy"]["resources"]["reservations"]["devices"]
        assert service["profiles"] == ["gpu"]
        assert device["device_ids"] == [f"${{GPU_{client}:-{client}}}"]
        assert "gpu" in device["capabilities"]


def test_the_image_is_made_of_what_the_wheel_is_made_of() -> None:
    """.dockerignore lets through what the wheel needs, and only what is there."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_through = {line[1:] for line in lines if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {*wheel["packages"], *wheel["force-include"], "pyproject.toml", "README.md", "LICENSE"} <= let_through
    assert [name for name in let_through if not (ROOT / name).exists()] == []


def test_no_package_index_is_written_down() -> None:
    """The Dockerfile's own index is pip's; a comment names the one of CPU-only wheels."""
    text = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    code = [line for line in text.splitlines() if not line.startswith("#")]
    assert "ARG TORCH_INDEX=" in code
    assert [line for line in code if re.search(r"https?://", line)] == []

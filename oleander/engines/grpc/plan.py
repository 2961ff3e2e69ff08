"""What a fleet is to start: written by the command, read by the fleet program."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from oleander.engines import Job
from oleander.engines.app import assemble
from oleander.engines.gpus import devices
from oleander.engines.ports import HOST, free_ports


@dataclass(frozen=True, kw_only=True)
class Node:
    """One SuperNode: the client it speaks for, its role, its Runtime API's port, its GPU (or None), its config file."""

    client: int
    role: str
    port: int
    gpu: str | None
    config: str

    @property
    def log_name(self) -> str:
        """Name of the log that the node and its workers share."""
        return f"client-{self.client:02d}.log"

    @property
    def address(self) -> str:
        """Address of its Runtime API, where its workers fetch their tasks."""
        return f"{HOST}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A fleet.

    Attributes:
        home: FLWR_HOME of this run, removed at its end.
        logs: folder of the logs.
        app: folder of the Flower app.
        control: port of the SuperLink's HTTP APIs.
        fleet: port of its Fleet API (gRPC).
        task: the scenario's task, to load the data that all share.
        data: folder of the data sets, empty for none.
        timeout: seconds that a worker may take; the server waits for a reply as long.
        nodes: the SuperNodes.

    """

    home: str
    logs: str
    app: str
    control: int
    fleet: int
    task: dict[str, Any]
    data: str
    timeout: float
    nodes: tuple[Node, ...]

    @property
    def control_address(self) -> str:
        """Address of the SuperLink's HTTP APIs."""
        return f"{HOST}:{self.control}"

    @property
    def fleet_address(self) -> str:
        """Address of the SuperLink's Fleet API."""
        return f"{HOST}:{self.fleet}"

    def log(self, name: str) -> Path:
        """Return the path of a log."""
        return Path(self.logs) / name

    def save(self) -> Path:
        """Write the plan into its home."""
        path = Path(self.home) / "plan.json"
        path.write_text(json.dumps(dataclasses.asdict(self)), encoding="utf-8")
        return path

    @classmethod
    def load(cls, path: str) -> "Plan":
        """Read a saved plan."""
        values: Mapping[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        return cls(**{**values, "nodes": tuple(Node(**node) for node in values["nodes"])})


def draw_up(job: Job, home: Path) -> Plan:
    """Assemble the app, find ports, and write what each node alone may know.

    Raises:
        SettingsError: if there are not enough free ports.

    """
    scenario, out = job.scenario, job.run.path
    clients = range(scenario.federation.clients)
    control, fleet, *ports = free_ports(2 + len(clients))
    home.mkdir(mode=0o700, exist_ok=True)
    connection = {"superlink": {"default": "local", "local": {"address": f"{HOST}:{control}", "insecure": True}}}
    (home / "config.toml").write_text(tomli_w.dumps(connection), encoding="utf-8")
    app = assemble(home / "app", scenario.run_config(data=job.data or "", out=str(out), roles=False))
    nodes = []
    for client, port, gpu in zip(clients, ports, devices(scenario.federation), strict=True):
        config = home / f"client-{client:02d}.toml"
        known = scenario.node_config(client, data=job.data or "", out=str(out))
        config.write_text(tomli_w.dumps(known), encoding="utf-8")
        role = scenario.role_of(client).role
        nodes.append(Node(client=client, role=role, port=port, gpu=gpu, config=str(config)))
    return Plan(
        home=str(home),
        logs=str(job.run.logs),
        app=str(app),
        control=control,
        fleet=fleet,
        task=scenario.to_dict()["task"],
        data=job.data or "",
        timeout=scenario.federation.round_timeout,
        nodes=tuple(nodes),
    )

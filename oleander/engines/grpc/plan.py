"""What a host's part of a fleet is: written by the command, read by the fleet program."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from oleander.engines import Job
from oleander.engines.app import assemble
from oleander.engines.gpus import devices
from oleander.engines.ports import HOST, free_ports
from oleander.scenario import Scenario
from task.settings import parse

ALONE_SECONDS, TOGETHER_SECONDS = 1.0, 0.2
"""After which a process looks for news by itself: where all are on this host and ring bells, and between hosts."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One SuperNode.

    Attributes:
        client: that it speaks for.
        role: of that client.
        port: of its Runtime API.
        gpu: that its workers may use; None for the CPU.
        config: file of its node config.
        key: file of the private key that it proves itself by; empty for one that is drawn.

    """

    client: int
    role: str
    port: int
    gpu: str | None
    config: str
    key: str = ""

    @property
    def log_name(self) -> str:
        """Name of the log that the node and its workers share."""
        return f"client-{self.client:02d}.log"

    @property
    def address(self) -> str:
        """Address of its Runtime API, where its workers fetch their tasks."""
        return f"{HOST}:{self.port}"

    @property
    def device(self) -> str:
        """The device in words."""
        return "cpu" if self.gpu is None else f"cuda:{self.gpu}"


@dataclass(frozen=True, kw_only=True)
class Server:
    """The server's part.

    Attributes:
        app: folder of the Flower app.
        control: port of the SuperLink's HTTP APIs, which only this host reaches.
        certificate, key: files of its own; empty for plain text.
        gpu: that its app, and so its attack, may use; None for the CPU.
        known: public keys (PEM) of the participants that are let in, by their ids; empty to let everybody in.
        parts: what participants from other hosts have to do, as `Scenario.part` has it, by their ids.

    """

    app: str
    control: int
    certificate: str = ""
    key: str = ""
    gpu: str | None = None
    known: dict[str, str] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Address of its HTTP APIs."""
        return f"{HOST}:{self.control}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A host's part of a fleet.

    Attributes:
        home: FLWR_HOME of the part, removed at its end.
        logs: folder of the logs.
        fleet: address of the SuperLink's Fleet API (gRPC), where the nodes find it.
        ca: file of the authority's certificate that the server is checked against; empty for plain text.
        task: the scenario's task, to load the data that all share.
        data: folder of the data sets, empty for none.
        clients, seed: of the federation.
        timeout: seconds that a worker may take; the server waits for a reply as long.
        poll: seconds after which a process looks for news that nobody has rung a bell for.
        nodes: the SuperNodes of this host.
        server: its part of the server; None where that is another host.

    """

    home: str
    logs: str
    fleet: str
    ca: str = ""
    task: dict[str, Any]
    data: str
    clients: int
    seed: int
    timeout: float
    poll: float = ALONE_SECONDS
    nodes: tuple[Node, ...]
    server: Server | None = None

    def log(self, name: str) -> Path:
        """Return the path of a log."""
        return Path(self.logs) / name

    def authority(self) -> bytes | None:
        """Return the authority's certificate; None for plain text."""
        return Path(self.ca).read_bytes() if self.ca else None

    def save(self) -> Path:
        """Write the plan into its home."""
        path = Path(self.home) / "plan.json"
        path.write_text(json.dumps(dataclasses.asdict(self)), encoding="utf-8")
        return path

    @classmethod
    def load(cls, path: str) -> "Plan":
        """Read a saved plan."""
        return parse(cls, json.loads(Path(path).read_text(encoding="utf-8")), "plan")


def draw_up(job: Job, home: Path) -> Plan:
    """Assemble the app, find ports, and write what each node alone may know.

    Raises:
        SettingsError: if there are not enough free ports.

    """
    scenario, out, security = job.scenario, job.run.path, job.security
    here = range(scenario.federation.clients) if job.address is None else ()
    control, fleet, *ports = free_ports(2 + len(here))
    home.mkdir(mode=0o700, exist_ok=True)
    connection: dict[str, Any] = {"address": f"{HOST}:{control}"}
    connection |= {"insecure": True} if security is None else {"root-certificates": security.ca}
    settings = {"superlink": {"default": "local", "local": connection}}
    (home / "config.toml").write_text(tomli_w.dumps(settings), encoding="utf-8")
    app = assemble(home / "app", scenario.run_config(data=job.data or "", out=str(out), roles=False))
    *gpus, own = devices(scenario.federation, len(here) + 1)  # the server comes last: it shares where there are too few
    parts = {str(client): part for client, part in job.parts.items()}
    server = Server(app=str(app), control=control, gpu=own, parts=parts)
    if security is not None:
        known = {str(client): key for client, key in security.nodes.items()}
        server = dataclasses.replace(server, certificate=security.certificate, key=security.key, known=known)
    return Plan(
        home=str(home),
        logs=str(job.run.logs),
        fleet=job.address or f"{HOST}:{fleet}",
        ca="" if security is None else security.ca,
        task=scenario.to_dict()["task"],
        data=job.data or "",
        clients=scenario.federation.clients,
        seed=scenario.federation.seed,
        timeout=scenario.federation.round_timeout,
        poll=ALONE_SECONDS if job.address is None else TOGETHER_SECONDS,
        nodes=tuple(
            make_node(scenario, client, home, port=port, gpu=gpus[client], data=job.data, out=out)
            for client, port in zip(here, ports, strict=True)
        ),
        server=server,
    )


def make_node(
    scenario: Scenario,
    client: int,
    home: Path,
    *,
    port: int,
    gpu: str | None,
    data: str | None,
    out: Path,
    key: str = "",
    per_run: bool = False,
) -> Node:
    """Write a node's config, and return the node; `out` and `per_run` as `Scenario.node_config` has them."""
    config = home / f"client-{client:02d}.toml"
    known = scenario.node_config(client, data=data or "", out=str(out), per_run=per_run)
    known["devices"] = "cpu" if gpu is None else "auto"  # this host's choice, whatever the run config says
    config.write_text(tomli_w.dumps(known), encoding="utf-8")
    role = scenario.role_of(client).role
    return Node(client=client, role=role, port=port, gpu=gpu, config=str(config), key=key)

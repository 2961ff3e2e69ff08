"""A participant's host: join a server, and say what becomes of it."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from oleander.carrying_out import complaints, console
from oleander.deploy.certificates import of_client
from oleander.engines import gpus
from oleander.engines.child import follow
from oleander.engines.grpc import LOG, unsupported
from oleander.engines.grpc.greeting import knock
from oleander.engines.grpc.plan import TOGETHER_SECONDS, Plan, make_node
from oleander.engines.logs import tail
from oleander.engines.ports import free_ports
from oleander.rundir import RUNS, unused
from oleander.scenario import Scenario
from task.settings import SettingsError, expect

_WAITING = (
    "Another process has joined with the key that client {} has here ({}), and keeps its place for as long as the "
    "server hears from it; waiting for its end. Was this line started twice, or is it another participant's key?"
)


@dataclass(frozen=True, kw_only=True)
class Seat:
    """A place in a federation.

    Attributes:
        scenario: which says what everybody does.
        clients: whom this host speaks for.
        server: HOST:PORT.
        certificates: folder with a folder `client-N` for each of them; None for plain text.
        data: folder of the data sets.
        device: `auto`, `cpu` or `cuda:N`.

    """

    scenario: Scenario
    clients: tuple[int, ...]
    server: str
    certificates: Path | None
    data: str | None
    device: str


def join(seat: Seat, out: Path | None) -> None:
    """Join a server for one run after the other; this returns by an interrupt or an error only.

    Args:
        seat: whose place it is.
        out: folder of loot and logs; None for runs/NAME/client-N, which is never one that is there already.

    Raises:
        SettingsError: if the request cannot be carried out, and where the server refuses this host or is not the one
            that its certificate should be of.
        typer.Exit: with 1 if a SuperNode cannot be started.

    """
    keys = {client: of_client(seat.certificates, client) for client in seat.clients} if seat.certificates else {}
    ca = str(next(iter(keys.values()))[0]) if keys else ""
    devices = _devices(seat)
    knock(seat.server, ca)
    scenario = seat.scenario  # the server has tried it on the data; the program that is started here loads this host's
    name = "-".join(["client" if len(seat.clients) == 1 else "clients", *map(str, seat.clients)])
    folder = (out or unused(RUNS / scenario.name / name)).resolve()
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="oleander-"))
    try:
        nodes = tuple(
            make_node(
                scenario,
                client,
                home,
                port=port,
                gpu=gpu,
                data=seat.data,
                out=folder,
                key=str(keys[client][1]) if keys else "",
                per_run=True,
            )
            for client, port, gpu in zip(seat.clients, free_ports(len(seat.clients)), devices, strict=True)
        )
        plan = Plan(
            home=str(home),
            logs=str(folder / "logs"),
            fleet=seat.server,
            ca=ca,
            task=scenario.to_dict()["task"],
            data=seat.data or "",
            clients=scenario.federation.clients,
            seed=scenario.federation.seed,
            timeout=scenario.federation.round_timeout,
            poll=TOGETHER_SECONDS,
            nodes=nodes,
        )
        _say(f"Waiting for the server at {seat.server}. Loot and logs: {folder}")
        events = _Events(plan)
        code = follow(
            "oleander.engines.grpc.warm",
            plan.save(),
            home=home,
            log=plan.log(LOG),
            tick=lambda: None,
            event=events.take,
        )
    finally:
        shutil.rmtree(home, ignore_errors=True)
    events.check(code)


def _devices(seat: Seat) -> list[str | None]:
    """Return each client's GPU, as `oleander.engines.gpus` names it; None for the CPU.

    Raises:
        SettingsError: for a GPU that this host does not have.

    """
    there = gpus.visible()
    if seat.device.startswith("cuda:"):
        asked = seat.device.removeprefix("cuda:")
        expect(asked in there, f"a GPU of this host (one of {there}, as cuda:N)", seat.device, "Or --device cpu.")
        return [asked] * len(seat.clients)
    expect(seat.device in ("auto", "cpu"), "--device auto, cpu or cuda:N", seat.device)
    use = there if seat.device == "auto" and seat.scenario.federation.devices == "auto" else []
    return gpus.share(use, len(seat.clients))


class _Events:
    """What a host's program tells, in words for people."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._silent = plan, False
        self._keys = {node.client: node.key for node in plan.nodes}
        self._refused = self._failed = ""

    def take(self, event: Mapping[str, Any]) -> None:
        """Take one event."""
        match event["event"]:
            case "node":
                who = f"Client {event['client']} ({event['role']}, on {event['device']})"
                _say(f"{who} has joined as node {event['node_id']}; its SuperNode is process {event['pid']}.")
            case "server":
                self._server(event["door"])
            case "lost":
                _say(f"The SuperNode of client {event['client']} {event['how']}; it is started anew.")
            case "waiting":
                _say(_WAITING.format(event["client"], self._keys[event["client"]]))
            case "refused":
                self._refused = event["reason"]
            case "unsupported":
                self._refused = unsupported(event["reason"])
            case "failed":
                said = tail(self._plan.log(event["log"])) if event.get("log") else ""
                self._failed = f"{event['reason']} {said}"

    def _server(self, door: str) -> None:
        """Say what becomes of the server."""
        before, self._silent = self._silent, door == "silent"
        if door == "shut":
            _say(f"The server at {self._plan.fleet} has ended its run; waiting for the next.")
        elif door == "silent":
            _say(f"The server at {self._plan.fleet} does not answer; trying on.")
        elif before:
            _say(f"The server at {self._plan.fleet} answers again.")

    def check(self, code: int) -> None:
        """Raise what the program ended with: it ends by itself only where something is wrong."""
        if self._refused:
            raise SettingsError(self._refused)
        said = self._failed or f"The program ended with exit code {code}. {tail(self._plan.log(LOG))}"
        complaints.print(f"The client failed: {said}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1)


def _say(text: str) -> None:
    """Print a line."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)

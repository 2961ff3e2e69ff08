"""A scenario: what is learned, by whom, who attacks whom. YAML in, frozen dataclasses out, checked once, here.

Nothing here imports torch, so that a wrong request is refused at once.
"""

import dataclasses
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oleander import roles
from oleander.overrides import override
from oleander.sections import AccountingSettings, ClientSettings, FederationSettings, ServerSettings
from oleander.shelf import find, is_matrix, read
from task.catalogue import CLASSES
from task.questions import MembershipSettings
from task.run_config import flatten
from task.settings import TaskSettings, choose, expect, parse, to_dict

NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)
UNDEFENDED = "undefended"
"""The defence that publishes the images themselves: a control."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A resolved scenario.

    Attributes:
        name: also of the folder its runs are kept in.
        paper: what it reproduces, in words; empty where nothing.
        paper_values: the values which that paper reports, by the verdict's names.
        paper_rounds, paper_local_epochs: the paper's values where the scenario's differ.
        membership: what membership attackers are asked; None where nobody is.
        task, federation, clients, server, accounting: see their classes.

    """

    name: str
    task: TaskSettings
    federation: FederationSettings
    paper: str = ""
    paper_values: dict[str, Any] = field(default_factory=dict)
    paper_rounds: int | None = None
    paper_local_epochs: int | None = None
    clients: tuple[ClientSettings, ...] = ()
    server: ServerSettings = field(default_factory=ServerSettings)
    accounting: AccountingSettings = field(default_factory=AccountingSettings)
    membership: MembershipSettings | None = None

    def __post_init__(self) -> None:
        remedy = "Letters, digits, hyphens, underscores and dots, a letter or digit first."
        expect(bool(NAME.fullmatch(self.name)), "a name that can be a folder's", self.name, remedy)

    def role_of(self, client: int) -> ClientSettings:
        """Return what the participant `client` does."""
        return next((entry for entry in self.clients if client in entry.ids), ClientSettings(ids=(client,)))

    def malicious(self) -> list[int]:
        """Return the ids of the malicious participants, in order."""
        return sorted(client for entry in self.clients if entry.role == "malicious" for client in entry.ids)

    def defended(self) -> dict[int, str]:
        """Return the participants' defences by id, without the control that defends nobody."""
        given = [entry for entry in self.clients if entry.defense not in (None, UNDEFENDED)]
        return {client: str(entry.defense) for entry in given for client in entry.ids}

    def to_dict(self) -> dict[str, Any]:
        """Return the scenario as plain values, as it stands in YAML."""
        return to_dict(self)

    def run_config(self, *, data: str, out: str, roles: bool) -> dict[str, bool | int | float | str]:
        """Return Flower's run config, which every participant gets.

        Args:
            data: folder of the data sets.
            out: run directory.
            roles: whether it says who does what, which the simulation needs. On gRPC each node is told of itself alone,
                and the server finds its own part (`server`, and which models it keeps) in its run directory's scenario;
                the scenario's name and paper would give an attack away as well.

        """
        values = self.to_dict() | {"data": data, "out": out}
        if not roles:
            values |= {"name": "federation", "clients": []}
            hidden = {"server", "membership", "paper", "paper_values", "paper_rounds", "paper_local_epochs"}
            values = {key: value for key, value in values.items() if key not in hidden}
            values["federation"] = values["federation"] | {"keep_global": [], "keep_accuracy": []}
        return flatten(values)

    def node_config(
        self, client: int, *, data: str, out: str, per_run: bool = False
    ) -> dict[str, bool | int | float | str]:
        """Return Flower's node config of one SuperNode: who it is, and what only it knows.

        Args:
            client: partition id.
            data: folder of the data sets on that node.
            out: run directory, for a participant that is not honest: where it keeps its loot, or what it publishes ...
            per_run: ... in a folder for each run of the federation: the node outlives a run.

        """
        entry = self.role_of(client)
        config: dict[str, Any] = {"partition-id": client, "num-partitions": self.federation.clients}
        config |= {"role": entry.role, "data": data}
        if entry.attack is not None:
            config |= {"attack": entry.attack, "options": json.dumps(entry.options), "out": out}
            config |= {"loot-every": entry.loot_every, "loot-images": entry.loot_images}
            config |= {} if self.membership is None else {"membership": json.dumps(to_dict(self.membership))}
        if entry.defense is not None:
            config |= {"defense": entry.defense, "options": json.dumps(entry.options), "out": out}
            config |= {} if entry.refresh is None else {"refresh": entry.refresh}
        return config | ({"per-run": True, "part": self.part(client)} if per_run else {})

    def part(self, client: int) -> str:
        """Return a fingerprint of what a participant does in this scenario, by which two hosts know that they agree."""
        config = self.node_config(client, data="", out="")
        return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]


def load(name_or_path: str | Path, overrides: Sequence[str] = (), seed: int | None = None) -> Scenario:
    """Read, override, check and resolve a scenario.

    Args:
        name_or_path: a YAML file, or the name of one that ships.
        overrides: texts "task.optimizer.lr=0.1"; "clients.0.options.steps=60" reaches into the list of clients.
        seed: replaces federation.seed.

    Raises:
        SettingsError: expected, got and remedy.

    """
    values = read(find(name_or_path))
    remedy = f"Run it with `oleander matrix {name_or_path}`."
    expect(not is_matrix(values), "a scenario of one run", f"{name_or_path}, a matrix of many", remedy)
    for text in overrides:
        override(values, text)
    if seed is not None:
        override(values, f"federation.seed={seed}")
    return resolve(parse(Scenario, values, "scenario"))


def resolve(scenario: Scenario) -> Scenario:
    """Fill in what depends on other settings, and refuse what contradicts itself."""
    from strategies import named, private  # noqa: PLC0415 - it imports Flower, which `oleander --help` must not wait for
    from task.models import MODELS  # noqa: PLC0415 - it imports torch

    federation, task = scenario.federation, scenario.task
    choose(task.dataset, (*CLASSES, "image-folder"), "a data set", "See `oleander list datasets`.")
    choose(task.model, MODELS, "a model", "See `oleander list models`.")
    seen: set[int] = set()
    for entry in scenario.clients:
        for client in entry.ids:
            known = range(federation.clients)
            expect(client in known, f"client ids from 0 to {federation.clients - 1}", client, "Mend clients.ids.")
            expect(client not in seen, "one role for each client", f"client {client} with two", "Mend clients.ids.")
            seen.add(client)
    clients = tuple(roles.participant(entry) for entry in scenario.clients)
    scenario = dataclasses.replace(scenario, clients=clients, server=roles.server(scenario.server))
    named.check(scenario.server.strategy, scenario.server.options)
    holders = task.partition.holders
    if holders is None:
        holders = roles.holders(scenario)
    expect(bool(holders), "a participant that holds data", "none", "Name some in task.partition.holders.")
    expect(set(holders) <= set(range(federation.clients)), "task.partition.holders to be client ids", holders)
    expect(len(set(holders)) == len(holders), "each client once in task.partition.holders", holders)
    roles.check_victim(scenario, holders)
    roles.check_defended(scenario, holders)
    scenario = roles.questioned(roles.informed(scenario), holders)
    classes = CLASSES.get(task.dataset)
    fakes = any(entry.options.get("fake_label") == "extra" for entry in clients)
    outputs = task.outputs if task.outputs is not None or classes is None else classes + fakes
    if classes is not None:
        roles.check_classes(scenario, classes, outputs or 0)
    asked = round(federation.fraction * federation.clients)
    low = federation.min_replies or max(1, (asked + 1) // 2)
    if scenario.server.privacy is not None:
        private.check(scenario.server.privacy, scenario.server.privacy_options, max(low, asked))
    return dataclasses.replace(
        scenario,
        task=dataclasses.replace(task, outputs=outputs, partition=dataclasses.replace(task.partition, holders=holders)),
        federation=dataclasses.replace(
            federation,
            min_replies=low,
            keep_global=_also(federation.keep_global, [start - 1 for start in roles.starts(scenario, "start_round")]),
            keep_accuracy=_also(federation.keep_accuracy, roles.starts(scenario, "start_accuracy")),
        ),
    )


def _also(given: tuple[Any, ...], more: Sequence[Any]) -> tuple[Any, ...]:
    """Return both, sorted, each value once."""
    return tuple(sorted({*given, *more}))

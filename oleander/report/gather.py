"""Everything that a page says about one run, read from its run directory; what is missing is said, not hidden."""

import json
import shlex
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import yaml

from attacks import registry
from oleander.early_noise import disturbed
from oleander.judge.server import SERVER
from oleander.rundir import RunDirectory
from oleander.scenario import UNDEFENDED, Scenario
from oleander.sections import ENGINES

T = TypeVar("T")

SHOWN_ROUNDS, SHOWN_WARNINGS = 40, 5
UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


@dataclass(frozen=True, kw_only=True)
class Participant:
    """One participant: what it did, which process it was, and which classes it held (class: images), where known."""

    client: int
    role: str
    attack: str | None
    defense: str | None
    node_id: str
    pid: str
    device: str
    holder: bool
    held: dict[int, int]


@dataclass(kw_only=True)
class Gathered:
    """What was found of a run.

    Attributes:
        run, scenario: where it is and what was asked for.
        environment, rounds, verdict: as the run directory has them; empty where it has not.
        logs: an attacker's own log by attacker.
        missing: what is not there or unreadable, in sentences.

    """

    run: RunDirectory
    scenario: Scenario
    environment: dict[str, Any] = field(default_factory=dict)
    rounds: list[dict[str, Any]] = field(default_factory=list)
    verdict: dict[str, Any] = field(default_factory=dict)
    logs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def attempt(self, what: str, read: Callable[[], T], instead: T) -> T:
        """Return what `read` returns; where it cannot be read, note that `what` is missing and return `instead`."""
        try:
            return read()
        except UNREADABLE as error:
            self.missing.append(f"{what} cannot be read ({type(error).__name__}: {error}).")
            return instead

    @property
    def engine(self) -> str:
        """Name of the engine; "unknown" where the run did not get so far."""
        return str(self.environment.get("engine", "unknown"))

    def started(self, who: str) -> int | None:
        """Return the round in which an attacker began; None where it never did or nothing says so."""
        start = (self.verdict.get("attackers") or {}).get(who, {}).get("start_round")
        if isinstance(start, int):
            return start
        return next((line["round"] for line in self.logs.get(who, []) if line.get("started") and "round" in line), None)

    @property
    def asks(self) -> bool:
        """Whether all who attack ask who was in the training data, so that there are no images to show."""
        entries = [self.scenario.role_of(client).attack for client in self.scenario.malicious()]
        attacks = [name for name in (*entries, self.scenario.server.attack) if name is not None]
        return bool(attacks) and all(registry.asks(name) for name in attacks)

    @property
    def disturbed(self) -> bool:
        """Whether an attacker sends noise from the first round on, so that no round is an honest one."""
        return disturbed(self.scenario)

    @property
    def start(self) -> int | None:
        """The first round in which any attacker had begun."""
        attackers = set(attackers_of(self.scenario)) | set(self.logs)
        return min((begun for who in attackers if (begun := self.started(who)) is not None), default=None)


def attackers_of(scenario: Scenario) -> list[str]:
    """Return the attackers' names: of participants, and of the server."""
    found = [f"client-{client}" for client in scenario.malicious()]
    return found if scenario.server.attack is None else [*found, SERVER]


def defenses(scenario: Scenario) -> str:
    """Return the names of all defences, the server's own among them; empty where nobody defends itself."""
    names = [entry.defense for entry in scenario.clients if entry.defense not in (None, UNDEFENDED)]
    return ", ".join(dict.fromkeys(str(name) for name in (*names, scenario.server.privacy) if name is not None))


def gather(run: RunDirectory) -> Gathered:
    """Read a run directory.

    Raises:
        SettingsError: where its scenario is none; everything else may be missing.

    """
    found = Gathered(run=run, scenario=run.scenario)
    found.environment = found.attempt("environment.json", run.environment, {})
    found.rounds = found.attempt("rounds.jsonl", run.rounds, [])
    found.verdict = found.attempt("verdict.json", run.verdict, {})
    for who in attackers_of(found.scenario):
        found.logs[who] = found.attempt(f"The log of {who}", partial(run.attack_log, who), [])
    for lost in found.environment.get("lost") or []:
        found.missing.append(
            f"Participant {lost.get('client')} was lost: its process {lost.get('pid')} {lost.get('how')}."
        )
    planned = found.scenario.federation.rounds
    if not found.environment:
        found.missing.append("There is no environment.json: versions, processes and devices are unknown.")
    if len(found.rounds) < planned:
        found.missing.append(f"{len(found.rounds)} of {planned} rounds are on record.")
    if not found.verdict:
        found.missing.append(f"The run was not judged. Do that with: oleander judge {shlex.quote(str(run.path))}")
    found.missing += [text for text in found.verdict.get("missing") or [] if text not in found.missing]
    warnings = sorted({text for log in found.logs.values() for line in log for text in line.get("warnings") or []})
    if warnings:
        more = f", and {len(warnings) - SHOWN_WARNINGS} more" if len(warnings) > SHOWN_WARNINGS else ""
        found.missing.append(f"An attacker noted: {'; '.join(warnings[:SHOWN_WARNINGS])}{more}.")
    if not run.loot() and not run.scores() and attackers_of(found.scenario):
        found.missing.append(
            "There is no loot: the attack never began, the run ended before, or the loot lies on another host."
        )
    return found


def participants(found: Gathered, held: Mapping[int, dict[int, int]]) -> list[Participant]:
    """Return every participant of the scenario with its process; a dash where the environment does not name it."""
    nodes = {node.get("client"): node for node in found.environment.get("nodes") or [] if isinstance(node, dict)}
    result = []
    for client in range(found.scenario.federation.clients):
        entry, node = found.scenario.role_of(client), nodes.get(client, {})
        result.append(
            Participant(
                client=client,
                role=entry.role,
                attack=entry.attack,
                defense=entry.defense,
                node_id=_text(node.get("node_id")),
                pid=_text(node.get("pid")),
                device=_text(node.get("device")),
                holder=client in (found.scenario.task.partition.holders or ()),
                held=held.get(client, {}),
            )
        )
    return result


def failures(found: Gathered) -> list[tuple[int, str, str]]:
    """Return (round, client, reason) of every reply that failed."""
    return [
        (line.get("round", 0), _text(failure.get("client")), _text(failure.get("reason")))
        for line in found.rounds
        for failure in line.get("failures") or []
    ]


def shown_rounds(found: Gathered) -> list[dict[str, Any]]:
    """Return the rounds for the table: all of a short run; of a long one some evenly spread, and all with failures."""
    every = max(1, -(-len(found.rounds) // SHOWN_ROUNDS))
    last = len(found.rounds) - 1
    keep = (index % every == 0 or index == last or line.get("failures") for index, line in enumerate(found.rounds))
    return [line for line, kept in zip(found.rounds, keep, strict=True) if kept]


def options(found: Gathered) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return for each group of attackers or defended participants what it is and its options as (key, value) texts."""
    server = found.scenario.server
    listed = []
    for entry in found.scenario.clients:
        if entry.attack is None and entry.defense in (None, UNDEFENDED):
            continue
        what = f"Attack: {entry.attack}" if entry.attack else f"Defence: {entry.defense}"
        who = f"participant{'s' * (len(entry.ids) > 1)} {', '.join(map(str, entry.ids))}"
        listed.append((f"{what}, by {who}", [(key, json.dumps(value)) for key, value in entry.options.items()]))
    if server.attack is not None:
        values = [(key, json.dumps(value)) for key, value in server.attack_options.items()]
        listed.append((f"Attack: {server.attack}, by the server", values))
    return listed


def assumptions(found: Gathered) -> list[tuple[str, bool]]:
    """Return what the attack was granted, as (sentence, whether that flatters it): the judge's list, else ours."""
    listed = found.verdict.get("assumptions")
    if isinstance(listed, list):
        return [_assumption(entry) for entry in listed]
    task = found.scenario.task
    sentences = []
    if task.partition.kind == "one-class":
        sentences.append(("Every participant holds one class only, so a class is one person's data.", True))
    if any("target" in entry.options for entry in found.scenario.clients):
        sentences.append(("The attacker knows which output of the shared model stands for the class it wants.", True))
    return sentences


def _assumption(entry: Any) -> tuple[str, bool]:
    """Read an entry of the judge's list: a text, or a mapping with `text` and `upper_bound`."""
    if isinstance(entry, Mapping):
        return str(entry.get("text", "")), bool(entry.get("upper_bound"))
    return str(entry), "upper bound" in str(entry).lower() or "upper-bound" in str(entry).lower()


def command(found: Gathered) -> str:
    """Return the command that repeats the run: as it was given if the environment kept it, else from scenario.yaml.

    Without --out, whose folder is taken by now.
    """
    kept = found.environment.get("command")
    if isinstance(kept, list):
        words = [str(word) for word in kept]
        before = ["", *words]
        return shlex.join(
            word
            for word, last in zip(words, before, strict=False)
            if last != "--out" and word != "--out" and not word.startswith("--out=")
        )
    if isinstance(kept, str) and kept:
        return kept
    engine = f" --engine {found.engine}" if found.engine in ENGINES else ""
    path = shlex.quote(str(found.run.path / "scenario.yaml"))
    return f"oleander run {path}{engine} --seed {found.scenario.federation.seed}"


def scenario_text(found: Gathered) -> str:
    """Return the resolved scenario as YAML."""
    return yaml.safe_dump(found.scenario.to_dict(), sort_keys=False, allow_unicode=True)


def facts(found: Gathered) -> list[tuple[str, str]]:
    """Return the environment as (key, value) texts, nested keys with dots, without what the page shows elsewhere."""
    return _flat({key: value for key, value in found.environment.items() if key not in ("nodes", "lost", "command")})


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Flatten nested mappings."""
    result: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            result += _flat(value, f"{name}.")
        else:
            result.append((name, ", ".join(map(str, value)) if isinstance(value, list) else _text(value)))
    return result


def _text(value: Any) -> str:
    """Write a value; a dash for none."""
    return "—" if value is None else str(value)

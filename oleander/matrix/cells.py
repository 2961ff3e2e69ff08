"""The cells of a matrix: each a resolved scenario, and a folder of its own that changes with any of its settings."""

import copy
import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from oleander import scenario as scenarios
from oleander import shelf
from oleander.matrix.settings import Attack, Defense, Matrix
from oleander.overrides import override, place
from oleander.rundir import RunDirectory
from oleander.scenario import Scenario
from server_app.environment import version
from task.settings import SettingsError, expect, parse

VICTIMS = "victims"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One run of a matrix.

    Attributes:
        attack, defense: names in the matrix.
        settings: the values of what is swept, by dotted key.
        seed: of the federation.
        scenario: resolved.

    """

    attack: str
    defense: str
    settings: dict[str, Any] = field(default_factory=dict)
    seed: int
    scenario: Scenario

    @property
    def words(self) -> str:
        """What it is, in few words."""
        swept = [f"{key}={value}" for key, value in self.settings.items()]
        return ", ".join([self.attack, self.defense, *swept, f"seed {self.seed}"])

    @property
    def folder(self) -> str:
        """The name of its run directory: another scenario has another."""
        text = json.dumps(self.scenario.to_dict(), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        return f"{self.attack}_{self.defense}_seed-{self.seed}_{digest}"

    def finished(self, path: Path) -> bool:
        """Say whether `path` holds this cell's run by this version of Oleander, ended and judged."""
        try:
            written = yaml.safe_load((path / "scenario.yaml").read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError):
            return False
        run = RunDirectory(path)
        made = run.environment()
        ours = made.get("versions", {}).get("oleander") == version("oleander")
        return ours and written == self.scenario.to_dict() and made.get("exit") == 0 and bool(run.verdict())


def expand(matrix: Matrix, overrides: Sequence[str] = (), seeds: int | None = None) -> list[Cell]:
    """Return every cell: attacks x defences x settings x seeds.

    Values are put in place in this order: the base's, the attack's, the defence's, --set, the sweeps'.

    Args:
        matrix: what is asked for.
        overrides: texts of --set, for every cell.
        seeds: replaces the matrix's own number.

    Raises:
        SettingsError: if a cell's scenario cannot be, saying which one.

    """
    count = matrix.seeds if seeds is None else seeds
    expect(count > 0, "--seeds > 0", count)
    return [
        cell
        for (name, attack), (defended, defense) in itertools.product(matrix.attacks.items(), matrix.defenses.items())
        for point in points({**matrix.sweep, **attack.sweep, **defense.sweep})
        for cell in _seeds(Pair(matrix, name, attack, defended, defense, tuple(overrides)), point, count)
    ]


def points(sweep: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Yield every combination of the swept values; one without any where nothing is swept."""
    for values in itertools.product(*sweep.values()):
        yield dict(zip(sweep, values, strict=True))


class Pair(NamedTuple):
    """An attack and a defence of a matrix, each with its name, and the texts of --set."""

    matrix: Matrix
    attacked: str
    attack: Attack
    defended: str
    defense: Defense
    overrides: tuple[str, ...]


def _seeds(pair: Pair, point: Mapping[str, Any], count: int) -> Iterator[Cell]:
    """Yield one pair's cells at one point of the sweeps, one for each seed."""
    swept = [f"{key}={value}" for key, value in point.items()]
    where = ", ".join([f"attack {pair.attacked}", f"defence {pair.defended}", *swept])
    try:
        values = _values(pair, point)
        first = int(values.get("federation", {}).get("seed", 0))
        for seed in range(first, first + count):
            place(values, "federation.seed", seed, "--seeds")
            scenario = scenarios.resolve(parse(Scenario, copy.deepcopy(values), "scenario"))
            names = {"attack": pair.attacked, "defense": pair.defended}
            yield Cell(**names, settings=dict(point), seed=seed, scenario=scenario)
    except SettingsError as error:
        raise SettingsError(f"In the matrix, {where}: {error}") from error


def _values(pair: Pair, point: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scenario's values before they are parsed."""
    attack, defense = pair.attack, pair.defense
    base = attack.base or pair.matrix.base
    values = shelf.read(shelf.find(base))
    values.pop("sweep", None)
    remedy = "A base is a plain scenario."
    expect(not shelf.is_matrix(values), "a base of one run", f"{base}, a matrix of its own", remedy)
    for key, value in attack.set.items():
        place(values, key, copy.deepcopy(value), f"attacks.{pair.attacked}.set")
    victims = list(attack.victims) or _victim(values)
    for key, value in defense.set.items():
        place(values, key, _named(copy.deepcopy(value), victims, pair.attacked), f"defenses.{pair.defended}.set")
    for text in pair.overrides:
        key = text.partition("=")[0]
        expect(key not in point, f"--set of what is not swept ({', '.join(point)})", text, "Change the sweep.")
        override(values, text)
    for key, value in point.items():
        place(values, key, copy.deepcopy(value), "sweep")
    return values


def _victim(values: Mapping[str, Any]) -> list[int]:
    """Return the victim of the server's attack, as a list; empty where it has none."""
    victim = ((values.get("server") or {}).get("attack_options") or {}).get("victim")
    return [] if victim is None else [victim]


def _named(value: Any, victims: Sequence[int], attack: str) -> Any:
    """Return a defence's value with the attack's victims for the word `victims`."""
    if value == VICTIMS:
        expect(bool(victims), f"attacks.{attack}.victims, which a defence asks for", "none", "Name some participants.")
        return list(victims)
    if isinstance(value, dict):
        return {key: _named(inner, victims, attack) for key, inner in value.items()}
    return [_named(inner, victims, attack) for inner in value] if isinstance(value, list) else value

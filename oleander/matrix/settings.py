"""A matrix scenario: a base and two tables, YAML in, frozen dataclasses out, checked once, here.

    name: my-matrix
    base: gan-attack-digits                      # what every cell begins with: a scenario's name, or a path
    attacks:
      gan: {victims: [1, 3]}                     # as the base has it
      quick-gan: {set: {clients.0.options.steps: 20}}
    defenses:
      none: {}
      small-steps: {set: {task.optimizer.lr: 0.01}}
    sweep: {task.local_epochs: [1, 2]}           # each of these values for each pair
    seeds: 3

A plain scenario whose file has a `sweep` is a matrix of one attack and one defence.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oleander import shelf
from task.settings import expect, parse

NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One attack of a matrix.

    Attributes:
        base: a scenario's name or path in place of the matrix's own base.
        victims: participants for whom the word `victims` stands in a defence's settings; where none are named, the
            victim of the server's attack.
        set: values by dotted key, as with --set; a key that ends in + adds to a list.
        sweep: lists of values by dotted key: each of them is run.

    """

    base: str | None = None
    victims: tuple[int, ...] = ()
    set: dict[str, Any] = field(default_factory=dict)
    sweep: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_sweep(self.sweep)


@dataclass(frozen=True, kw_only=True)
class Defense:
    """One defence of a matrix; `set` and `sweep` as an attack's, and put in place after it."""

    set: dict[str, Any] = field(default_factory=dict)
    sweep: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_sweep(self.sweep)


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """A matrix.

    Attributes:
        name: also of the folder that it is kept in.
        base: a scenario's name, or its path from the matrix's own folder.
        paper: what it is about, in words.
        attacks, defenses: by name.
        sweep: of all cells.
        seeds: how many, counted from the base's own.

    """

    name: str
    base: str
    paper: str = ""
    attacks: dict[str, Attack]
    defenses: dict[str, Defense]
    sweep: dict[str, Any] = field(default_factory=dict)
    seeds: int = 1

    def __post_init__(self) -> None:
        check_sweep(self.sweep)
        expect(self.seeds > 0, "seeds > 0", self.seeds)
        for what, table in (("attacks", self.attacks), ("defenses", self.defenses)):
            expect(bool(table), f"at least one entry in {what}", dict(table))
            for name in table:
                expect(bool(NAME.fullmatch(str(name))), f"{what} named in small letters, digits and hyphens", name)


def check_sweep(sweep: Mapping[str, Any]) -> None:
    """Refuse a sweep that is not several different values for each key."""
    for key, values in sweep.items():
        fits = isinstance(values, list) and bool(values) and all(values.count(value) == 1 for value in values)
        expect(fits, f"sweep.{key} to be a list of different values", values)


def load(name_or_path: str) -> Matrix:
    """Read and check a matrix, or a scenario with a sweep.

    Raises:
        SettingsError: expected, got and remedy.

    """
    path = shelf.find(name_or_path)
    values = shelf.read(path)
    remedy = f"Run it with `oleander run {name_or_path}`, or give it a sweep: {{key: [values]}}."
    expect(shelf.is_matrix(values), "a matrix (with attacks and defenses, or a sweep)", str(path), remedy)
    if not {"base", "attacks", "defenses"} & values.keys():
        return _of_scenario(path, values)
    values["attacks"] = _table(Attack, values.get("attacks"), "attacks")
    values["defenses"] = _table(Defense, values.get("defenses", {NONE: {}}), "defenses")
    matrix = parse(Matrix, values, "matrix")
    attacks = {
        name: dataclasses.replace(attack, base=_from(path, attack.base or matrix.base))
        for name, attack in matrix.attacks.items()
    }
    return dataclasses.replace(matrix, attacks=attacks)


def _table(kind: type[Any], table: object, where: str) -> dict[str, Any]:
    """Return a table's entries as `kind`; one without settings may be left empty."""
    remedy = f"For example {where}: {{none: {{}}}}."
    expect(isinstance(table, Mapping), f"{where} to be a mapping of names to settings", table, remedy)
    assert isinstance(table, Mapping)  # noqa: S101 - for the type checker: expected above
    return {str(name): parse(kind, entry or {}, f"{where}.{name}") for name, entry in table.items()}


def _of_scenario(path: Path, values: Mapping[str, Any]) -> Matrix:
    """Return the matrix of a plain scenario with a sweep: one attack and one defence, by the names it has for them."""
    entries = [entry for entry in values.get("clients") or [] if isinstance(entry, Mapping)]
    server = values.get("server") or {}
    attacks = [server.get("attack"), *(entry.get("attack") for entry in entries)]
    defenses = [entry.get("defense") for entry in entries]
    return Matrix(
        name=str(values.get("name", path.stem)),
        base=str(path),
        paper=str(values.get("paper", "")),
        attacks={next(filter(None, attacks), NONE): Attack(base=str(path))},
        defenses={next(filter(None, defenses), NONE): Defense()},
        sweep=values["sweep"],
    )


def _from(path: Path, base: str) -> str:
    """Return a base as it is found from anywhere: a name as it is, a path from the folder of the file that names it."""
    return str(path.parent / base) if Path(base).suffix in (".yaml", ".yml") else base

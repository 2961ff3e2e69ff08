"""Matrices: what a file may say, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oleander import scenario as scenarios
from oleander import shelf
from oleander.matrix.cells import expand
from oleander.matrix.settings import load
from task.settings import SettingsError


@pytest.mark.parametrize("name", shelf.names(matrices=True))
def test_every_matrix_that_ships_can_be_run(name: str) -> None:
    """Each of its cells is a scenario, and its name is its file's."""
    matrix = load(name)
    assert matrix.name == name
    assert len(expand(matrix)) % matrix.seeds == 0


def test_a_matrix_without_defenses_has_none(matrix_file: Callable[..., str]) -> None:
    """One defence, by the name of none, which sets nothing."""
    matrix = load(matrix_file())
    assert {name: defense.set for name, defense in matrix.defenses.items()} == {"none": {}}


def test_a_plain_scenario_with_a_sweep_is_a_matrix(tmp_path: Path) -> None:
    """Of its own attack, no defence, and every value of the sweep; a base's path counts from the file that names it."""
    path = tmp_path / "swept.yaml"
    text = (shelf.folder() / "gan-attack-digits.yaml").read_text(encoding="utf-8")
    path.write_text(text + "sweep: {clients.0.options.steps: [1, 2, 3]}\n", encoding="utf-8")
    cells = expand(load(str(path)))
    assert [(cell.attack, cell.defense, cell.scenario.clients[0].options["steps"]) for cell in cells] == [
        ("gan", "none", 1),
        ("gan", "none", 2),
        ("gan", "none", 3),
    ]
    (tmp_path / "over.yaml").write_text("{name: over, base: swept.yaml, attacks: {gan: {}}}", encoding="utf-8")
    assert len(expand(load(str(tmp_path / "over.yaml")))) == 1


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"atacks": {}}, "Did you mean 'attacks'"),
        ({"attacks": {"gan": {"sett": {}}}}, "attacks.gan.*Did you mean 'set'"),
        ({"attacks": {"GAN 1": {}}}, "small letters, digits and hyphens"),
        ({"attacks": {}}, "at least one entry in attacks"),
        ({"attacks": ["gan"]}, "attacks to be a mapping"),
        ({"defenses": {"dp": {"victims": [1]}}}, "a key of defenses.dp"),
        ({"sweep": {"task.optimizer.lr": 0.1}}, "a list of different values, got 0.1"),
        ({"sweep": {"task.optimizer.lr": [0.1, 0.1]}}, "a list of different values"),
        ({"seeds": 0}, "seeds > 0"),
        ({"base": None}, "the key 'base'"),
    ],
)
def test_a_wrong_matrix_is_refused(values: dict[str, Any], text: str, matrix_file: Callable[..., str]) -> None:
    """Expected, got and remedy."""
    with pytest.raises(SettingsError, match=text):
        load(matrix_file(**values))


def test_one_run_and_many_are_not_mixed_up(matrix_file: Callable[..., str]) -> None:
    """Each command names the other."""
    with pytest.raises(SettingsError, match="Run it with `oleander matrix"):
        scenarios.load(matrix_file())
    with pytest.raises(SettingsError, match="Run it with `oleander run demo`"):
        load("demo")
    with pytest.raises(SettingsError, match="Did you mean 'matrix-digits'"):
        load("matrix-digit")

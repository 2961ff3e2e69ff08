"""The cells of a matrix: which there are, and what is set in each."""

from collections.abc import Callable
from typing import Any

import pytest

from oleander.matrix.cells import Cell, expand
from oleander.matrix.settings import load
from task.settings import SettingsError

Make = Callable[..., str]


def cells(path: str, *overrides: str, seeds: int | None = None) -> list[Cell]:
    """Return a file's cells."""
    return expand(load(path), overrides, seeds)


def test_every_combination_is_a_cell(matrix_file: Make) -> None:
    """Two attacks, a defence without settings and one with two, three seeds: 2 x (1 + 2) x 3, no folder twice."""
    sweep = {"task.optimizer.lr": [0.1, 0.2]}
    path = matrix_file(
        attacks={"gan": {}, "honest": {"set": {"clients": []}}},
        defenses={"none": {}, "slow": {"sweep": sweep}},
        seeds=3,
    )
    found = cells(path)
    assert len(found) == len({cell.folder for cell in found}) == 18
    assert [cell.seed for cell in found[:3]] == [0, 1, 2]
    assert {cell.scenario.federation.seed - cell.seed for cell in found} == {0}
    assert len(cells(path, seeds=1)) == 6
    swept = [cell.scenario.task.optimizer.lr for cell in found if cell.settings]
    assert sorted(set(swept)) == [0.1, 0.2]


def test_what_is_set_later_counts(matrix_file: Make) -> None:
    """Base, attack, defence, --set, sweep: each replaces what the one before said."""
    steps, rounds = "clients.0.options.steps", "federation.rounds"
    path = matrix_file(
        attacks={"gan": {"set": {steps: 7, rounds: 8}}},
        defenses={"none": {"set": {rounds: 9, "task.batch_size": 10}}},
        sweep={"task.local_epochs": [4]},
    )
    (cell,) = cells(path, "task.batch_size=11")
    options = cell.scenario.clients[0].options
    assert (options["steps"], options["network"]) == (7, "small")
    assert (cell.scenario.federation.rounds, cell.scenario.task.batch_size, cell.scenario.task.local_epochs) == (
        9,
        11,
        4,
    )


def test_a_defence_sits_on_the_attack_s_victims(matrix_file: Make) -> None:
    """`clients+` adds to the attack's own entries, `victims` are whom the attack names, `clients.-1` is the last."""
    defended = {"clients+": [{"ids": "victims", "role": "honest"}], "clients.-1.loot_every": 3}
    path = matrix_file(attacks={"gan": {"victims": [1, 3]}}, defenses={"on-victims": {"set": defended}})
    (cell,) = cells(path)
    assert [(entry.ids, entry.role) for entry in cell.scenario.clients] == [((5,), "malicious"), ((1, 3), "honest")]
    assert [entry.loot_every for entry in cell.scenario.clients] == [1, 3]
    (served,) = cells(matrix_file(base="mgan-ai-digits", defenses={"on-victims": {"set": defended}}))
    assert served.scenario.clients[0].ids == (4,)
    with pytest.raises(SettingsError, match=r"attacks\.gan\.victims, which a defence asks for"):
        cells(matrix_file(defenses={"on-victims": {"set": defended}}))


@pytest.mark.parametrize(
    ("values", "overrides", "text"),
    [
        (
            {"attacks": {"gan": {"set": {"federation.ronds": 3}}}},
            (),
            "attack gan, defence none: .*Did you mean 'rounds'",
        ),
        (
            {"attacks": {"gan": {"set": {"clients.3.ids": [3]}}}},
            (),
            r"attacks\.gan\.set clients\.3\.ids to name an entry",
        ),
        ({"defenses": {"dp": {"set": {"task+": [3]}}}}, (), r"defenses\.dp\.set task\+ to add a list to a list"),
        ({"sweep": {"task.optimizer.lr": [1, -1]}}, (), r"task\.optimizer\.lr=-1: .*lr > 0"),
        ({"sweep": {"task.optimizer.lr": [1]}}, ("task.optimizer.lr=2",), "--set of what is not swept"),
        ({"base": "demmo"}, (), "Did you mean 'demo'"),
        ({"base": "matrix-digits"}, (), "a base of one run"),
    ],
)
def test_a_cell_that_cannot_be_is_named(
    values: dict[str, Any], overrides: tuple[str, ...], text: str, matrix_file: Make
) -> None:
    """Which attack, which defence, which setting; before anything is started."""
    with pytest.raises(SettingsError, match=text):
        cells(matrix_file(**values), *overrides)


def test_a_folder_belongs_to_its_settings(matrix_file: Make) -> None:
    """The same settings have the same folder; any other one has another."""
    path = matrix_file()
    (first,), (same,), (other,) = cells(path), cells(path), cells(path, "task.optimizer.lr=0.19")
    assert first.folder == same.folder != other.folder

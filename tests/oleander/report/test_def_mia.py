"""DefMIA beside no defence: which runs are compared, and when the paper's fall is reproduced."""

from typing import Any

import pytest

from oleander import scenario as scenarios
from oleander.report.beside import rows
from oleander.report.results import Row

Run = tuple[scenarios.Scenario, dict[str, Any]]
NONE = ("clients.1.role=honest", "clients.1.defense=null", "clients.1.options={}")


def run(seed: int, area: float, *changes: str, other: float = 0.5) -> Run:
    """Return a run in which the server's adaptive attacker has this clean area, and its margin threshold another."""
    methods = {"adaptive-learner": {"clean": {"auc": area}}, "margin-threshold": {"clean": {"auc": other}}}
    said = {"place": "server", "methods": methods, "adds": {}, "rehearsal": None}
    attackers = {"server": {"attack": "adaptive-learner", "membership": said}}
    return scenarios.load("def-mia-cifar10-grey", changes, seed), {"attackers": attackers}


def row(runs: list[Run]) -> Row:
    """Return Zhu's row of DefMIA."""
    return next(one for one in rows("zhu", runs) if one.result.place == "1, 4.1")


@pytest.mark.parametrize(
    ("defended", "others", "status"),
    [
        ((0.6, 0.61), (0.6, 0.61), "reproduced"),
        ((0.995, 0.996), (0.995, 0.996), "not reproduced"),
        ((0.6, 0.61), (0.9, 0.91), "not judged (not alike for all attackers)"),
    ],
)
def test_a_fall_is_judged_by_every_attacker(
    defended: tuple[float, float], others: tuple[float, float], status: str
) -> None:
    """All fall, all rise, one falls and one rises; two seeds each."""
    runs = [run(seed, 0.9 + seed / 100, *NONE, other=0.8 + seed / 100) for seed in (0, 1)]
    runs += [run(seed, area, other=other) for seed, (area, other) in enumerate(zip(defended, others, strict=True))]
    found = row(runs)
    assert found.status == status
    assert found.ours.startswith("cifar10, server, adaptive-learner: 0.91 (")
    assert "; well-posed " in found.ours


def test_each_form_is_told_and_what_is_set_otherwise_is_not_compared() -> None:
    """Literal beside well-posed; fewer rounds, another defence, or no run without one: nothing to compare with."""
    literal = run(0, 0.95, "clients.1.options.objective=literal")
    found = row([run(0, 0.9, *NONE), run(0, 0.85), literal])
    assert "adaptive-learner: 0.90; literal 0.95; well-posed 0.85" in found.ours
    assert found.status == "not judged (one seed)"
    early = run(0, 0.6, *NONE, "federation.rounds=4")
    colder = run(0, 0.5, "clients.1.defense=temperature", "clients.1.options={temperature: 4}")
    assert row([early, colder, run(0, 0.85)]).status == "not run on MNIST or CIFAR-10"

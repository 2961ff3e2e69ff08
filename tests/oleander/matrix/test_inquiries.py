"""What a matrix says of membership attackers: every method's area, what a defence costs, and whom it helps."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from rich.console import Console

from oleander.judge import protected
from oleander.matrix import inquiries, table
from oleander.matrix.measures import of_run, spread
from oleander.report.metrics import ABSENT
from oleander.rundir import RunDirectory
from task.files import write_json


def attacker(place: str, **areas: float) -> dict[str, Any]:
    """Return an attacker's part of a verdict, with each method's area by two protocols."""
    methods = {
        name.replace("_", "-"): {
            "baseline": name != "adaptive_learner",
            "clean": {"auc": area, "tpr_at_1pc": area / 8, "balanced_accuracy": None},
            "paper": {"auc": area / 2, "tpr_at_1pc": None},
        }
        for name, area in areas.items()
    }
    said = {"place": place, "methods": methods, "about": [0], "adds": {}}
    return {"attack": "adaptive-learner", "membership": said, "targets": {}}


def row(
    defense: str, asked: dict[str, list[float]], attack: str = "digits", settings: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return what is looked at of a row: of each number its values over the seeds."""
    spreads = {name: asdict(spread(values)) for name, values in asked.items()}
    return {"attack": attack, "defense": defense, "settings": settings or {}, "asked": spreads}


def test_areas_and_costs_are_those_on_record(fabricate: Callable[..., RunDirectory]) -> None:
    """Of the rise of the loss and the labels changed the most of all rounds; accuracy and loss of the last round."""
    run = fabricate()
    asked = {
        "client-2": attacker("participant", adaptive_learner=0.6, label_only=0.55),
        "server": attacker("server", adaptive_learner=0.9),
    }
    write_json(run.path / "verdict.json", run.verdict() | {"attackers": asked})
    found = of_run(run).asked
    last = run.rounds()[-1]
    assert found == {
        "participant clean adaptive-learner auc": 0.6,
        "participant clean adaptive-learner tpr_at_1pc": 0.6 / 8,
        "participant paper adaptive-learner auc": 0.3,
        "participant clean label-only auc": 0.55,
        "participant clean label-only tpr_at_1pc": 0.55 / 8,
        "participant paper label-only auc": 0.275,
        "server clean adaptive-learner auc": 0.9,
        "server clean adaptive-learner tpr_at_1pc": 0.9 / 8,
        "server paper adaptive-learner auc": 0.45,
        "accuracy": last["accuracy"],
        "loss": last["loss"],
    }


def test_what_a_defence_has_noted_is_read(
    fabricate: Callable[..., RunDirectory], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The greatest rise, 0.3 of 0.1 and 0.3, of a participant who is defended."""
    run = fabricate()
    folder = run.path / "published" / "client-1"
    folder.mkdir(parents=True)
    fits = [
        {"round": 1, "loss_rise": 0.3, "labels_changed": 0.0, "loss_bound": 0.5},
        {"round": 2, "loss_rise": 0.1, "labels_changed": 0.02, "loss_bound": 0.5},
    ]
    (folder / "fit.jsonl").write_text("".join(json.dumps(line) + "\n" for line in fits), encoding="utf-8")
    monkeypatch.setattr("oleander.scenario.Scenario.defended", lambda _: {1: "def-mia"})
    verdict = {"attackers": {"server": attacker("server", adaptive_learner=0.9)}, "protected": protected.judged(run)}
    found = inquiries.numbers(run, verdict)
    assert (found["loss_rise"], found["labels_changed"]) == (0.3, 0.02)
    (said,) = protected.judged(run)["words"]
    assert said == (
        "Participant 1, defended by def-mia, changed the last layer of 2 of 2 updates: the loss on one's own "
        "records rose by 0.300 nats at most (the loss may rise by 0.5), and 2 % of them at most were answered "
        "otherwise."
    )


def test_a_defence_that_changed_nothing_protected_nothing() -> None:
    """All of its updates went as they were; said of all participants together, and of one."""
    one = {"defense": "def-mia", "updates": 2, "changed": 0, "loss_rise": 0.0, "labels_changed": 0.0, "loss_bound": 0.5}
    (said,) = protected.words({"client-0": one, "client-1": one})
    assert said.startswith("2 participants, defended by def-mia, sent all 4 updates as they were")
    assert said.endswith("NOTHING was protected.")
    (said,) = protected.words({"client-0": one | {"changed": 1}})
    assert "changed the last layer of 1 of 2 updates" in said


def test_nothing_is_said_where_nobody_is_asked(fabricate: Callable[..., RunDirectory]) -> None:
    """A run of thieves has no areas; a matrix of such rows neither a table nor a warning."""
    run = fabricate()
    assert of_run(run).asked == {}
    rows = [row("none", {}), {"attack": "gan", "defense": "none"}]
    assert inquiries.lines(rows) == inquiries.costs(rows) == []
    assert inquiries.warnings([cell("none", 0), cell("literal", 0)]) == []
    assert table.asked({"rows": rows}) == []


def cell(defense: str, seed: int, attack: str = "digits", **areas: float) -> dict[str, Any]:
    """Return what is looked at of a cell: areas at the server by the clean protocol."""
    asked = {f"server clean {name.replace('_', '-')} auc": area for name, area in areas.items()}
    return {"attack": attack, "defense": defense, "settings": {}, "seed": seed, "asked": asked | {"loss": 9.0}}


def test_a_defence_that_helps_who_adapts_is_warned_of() -> None:
    """By pairs of one seed; what helps others, by less than a hundredth, or has nothing beside it, is not."""
    cells = [
        cell("none", 0, adaptive_learner=0.9, label_only=0.95),
        cell("literal", 0, adaptive_learner=0.95, label_only=0.9),
        cell("cold", 0, adaptive_learner=0.905),
        cell("literal", 0, "mnist", adaptive_learner=0.99),
        {"attack": "digits", "defense": "failed", "settings": {}, "seed": 0},
    ]
    (may,) = inquiries.warnings(cells)
    assert may == (
        "digits: literal may help the attacker who adapts to it (server, protocol clean): AUC +0.050 (one seed) "
        "against no defence, which may be chance."
    )
    seeds = [cell("none", seed, adaptive_learner=0.5 + seed / 10, margin=0.5) for seed in range(3)]
    seeds += [cell("literal", seed, adaptive_learner=0.55 + seed * 0.101, margin=0.9) for seed in range(3)]
    one, other = sorted(inquiries.warnings(seeds))
    assert one.startswith(
        "digits: literal helps the attacker who adapts to it (server, protocol clean): AUC +0.051 (+0.0"
    )
    assert "literal helps the strongest attacker" in other


def test_seeds_are_averaged_and_people_can_read_it() -> None:
    """Means and intervals; a line for each method, a dash for what is not there; found at 1 % by the headline alone."""
    asked = {
        "server clean label-only auc": [0.5, 0.7],
        "server clean lira auc": [0.5],
        "server clean lira tpr_at_1pc": [0.02],
        "server clean lira balanced_accuracy": [0.51],
        "server paper label-only auc": [1.0],
        "server paper label-only tpr_at_1pc": [1.0],
        "participant clean lira auc": [0.25],
        "loss": [2.0, 2.0],
    }
    half = spread([0.5, 0.7])
    assert half.high is not None
    known = inquiries.lines([row("none", asked)])
    assert known == [
        [
            *("attack", "defence", "method"),
            *("AUC, participant, clean", "AUC, server, clean", "AUC, server, paper"),
            *("found at 1 %, participant, clean", "found at 1 %, server, clean"),
            *("right, participant, clean", "right, server, clean"),
        ],
        ["digits", "none", "label-only", ABSENT, f"0.600 ± {half.high - 0.6:.3f}", "1.000", *[ABSENT] * 4],
        ["digits", "none", "lira", "0.250", "0.500", ABSENT, ABSENT, "0.020", ABSENT, "0.510"],
    ]
    assert inquiries.costs([row("none", asked)]) == [["attack", "defence", "NLL"], ["digits", "none", "2.000 ± 0.000"]]
    rows = [row("none", asked, settings={"task.local_epochs": 3}), row("none", asked)]
    assert [line[2] for line in inquiries.lines(rows)] == ["settings", *["local_epochs=3"] * 2, *[""] * 2]
    assert [line[2] for line in inquiries.costs(rows)] == ["settings", "local_epochs=3", ""]
    with (console := Console(width=200)).capture() as said:
        for made in table.asked({"rows": rows}):
            console.print(made)
    assert "0.600" in said.get()
    assert "2.000" in said.get()

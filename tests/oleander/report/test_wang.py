"""Wang's results beside ours."""

from typing import Any

import pytest

from oleander import scenario as scenarios
from oleander.report import wang
from oleander.report.beside import rows
from oleander.report.papers import Row

LITERAL = (
    "server.attack_options.recipe=paper",
    "server.attack_options.network=wang",
    "server.attack_options.judge_model=null",
    "server.attack_options.turned=0",
    "task.model=wang-cnn",
)
UPRIGHT = "task.private.degrees=0"


def mnist(seed: int, *overrides: str) -> scenarios.Scenario:
    """Return a passive run's scenario."""
    return scenarios.load("mgan-ai-passive-mnist", overrides, seed)


def faces(name: str, seed: int = 0, clients: int = 20) -> scenarios.Scenario:
    """Return a scenario of faces with as many participants beside an attacker."""
    return scenarios.load(name, [f"federation.clients={clients}"], seed)


def shown(share: float, other: float = 0.1, *, control: bool = False) -> dict[str, Any]:
    """Return a verdict with a J and a control."""
    said = {"J": share, "J_other": other, "J_real_public": 0.05, "J_real": 0.95, "control": control}
    return {"attackers": {"server": {"property": said}}}


def scored(task: float, final: float, imagenet: float | None = None) -> dict[str, Any]:
    """Return a verdict with an inception score and a final accuracy."""
    scores = {"is_task": task, "is_task_real": 9.0, "is_imagenet": "not computed" if imagenet is None else imagenet}
    return {
        "attackers": {"server": {"inception": scores}},
        "global_model": {"final": {"accuracy": final}, "after_attack": {"accuracy_swing": 0.02}},
    }


def found(place: str, shows: str, *runs: wang.Run) -> Row:
    """Return a row by its place and a word of what it shows."""
    return next(row for row in rows("wang", runs) if row.result.place == place and shows in row.result.shows)


def test_runs_are_told_apart_by_what_attacks() -> None:
    """Passive, active, a participant's GAN, nobody."""
    names = ("mgan-ai-passive-mnist", "mgan-ai-active-mnist", "gan-attack-faces")
    assert [wang.kind(scenarios.load(name)) for name in names] == ["passive", "active", "participant"]


def test_departures_name_the_recipe_and_what_differs_from_it() -> None:
    """The repaired recipe's own options are no departures beside its name; a narrower network is one."""
    assert wang.departures(mnist(0, *LITERAL)) == []
    changed = wang.departures(mnist(0))
    assert changed[0] == "recipe repaired"
    assert "turned 45.0" in changed or "turned 45" in changed
    assert "network wang-quarter" in changed
    assert "model wang-cnn-half" in changed
    assert not any(text.startswith("diversity") for text in changed)
    assert "10 participants" in wang.departures(mnist(0, *LITERAL), clients=20)


@pytest.mark.parametrize(
    ("share", "upright", "status", "word"),
    [
        (0.8, 0.1, "reproduced", "shown"),
        (0.4, 0.1, "not reproduced", "not shown"),
        (0.8, 0.6, "not reproduced", "not shown"),
    ],
)
def test_the_papers_recipe_decides_against_the_upright_victim(
    share: float, upright: float, status: str, word: str
) -> None:
    """J of a half and a quarter above every control; an upright victim that does as well takes it away."""
    runs = [(mnist(seed, *LITERAL), shown(share)) for seed in (0, 1)]
    row = found("Fig. 4", "turned", *runs, (mnist(0, *LITERAL, UPRIGHT), shown(upright, control=True)))
    assert row.status == status
    assert row.ours.startswith(f"as the paper has it: {word}.\nJ {round(100 * share)} % (")
    assert "over 2 runs)" in row.ours
    assert f"upright victim {round(100 * upright)} %" in row.ours
    assert row.seeds == "0, 1"


def test_the_repaired_recipe_is_no_reproduction() -> None:
    """It is told beside, with its own numbers; alone it makes the row "with other settings"."""
    row = found("Fig. 4", "turned", (mnist(0), shown(0.8)))
    assert row.status == "with other settings"
    assert "recipe repaired" in row.ours
    assert "no run with an upright victim" in row.ours
    both = found("Fig. 4", "turned", (mnist(0), shown(0.8)), (mnist(0, *LITERAL), shown(0.1)))
    assert both.status == "not reproduced"
    assert "recipe repaired" in both.ours


def test_scores_are_compared_by_imagenets_network_alone() -> None:
    """1.40 is within a tenth of 1.42; without that network there is nothing to compare, but ours is told."""
    scenario = faces("mgan-ai-passive-faces")
    near = found("Table III", "passive", (scenario, scored(6.0, 0.9, imagenet=1.40)))
    assert near.status == "with other settings"
    assert near.ours.startswith("by ImageNet's network 1.40; by the judge's 6.00")
    without = found("Table III", "passive", (scenario, scored(6.0, 0.9)))
    assert without.status == "not judged"
    assert "not computed" in without.ours


def test_the_order_needs_all_four_attacks() -> None:
    """Three are told, but not judged; there is no model inversion among them."""
    runs = [
        (faces("mgan-ai-active-faces"), scored(7.0, 0.8)),
        (faces("mgan-ai-passive-faces"), scored(6.0, 0.9)),
        (faces("gan-attack-faces", clients=21), scored(2.0, 0.3)),
    ]
    row = found("Table III", "order", *runs)
    assert row.ours.startswith("active 7.00 > passive 6.00 > GAN-based attack 2.00")
    assert "without model inversion" in row.ours
    assert row.status == "not judged"


def test_the_side_effect_is_an_order_of_accuracies() -> None:
    """Passive highest, then active, then the participant's GAN; each with its swing."""
    runs = [
        (faces("mgan-ai-active-faces"), scored(7.0, 0.8)),
        (faces("mgan-ai-passive-faces"), scored(6.0, 0.9)),
        (faces("gan-attack-faces", clients=21), scored(2.0, 0.3)),
    ]
    row = found("Fig. 7", "Accuracy", *runs)
    assert "passive 90 %, moving by 2 % a round" in row.ours
    assert row.status == "with other settings"
    assert found("Fig. 7", "Accuracy", *runs[:2]).status == "not judged"


def test_without_runs_nothing_was_run() -> None:
    """Every row says so."""
    assert {row.status for row in rows("wang", [])} == {"not run"}

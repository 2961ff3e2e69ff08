"""Wang's results beside ours."""

from typing import Any

import pytest
from wang_runs import FACES, LITERAL, UPRIGHT, faces, gan, inversion, mnist

from oleander import scenario as scenarios
from oleander.report import wang
from oleander.report.beside import rows
from oleander.report.departures import departures
from oleander.report.results import Row


def shown(share: float, other: float = 0.1, *, control: bool = False) -> dict[str, Any]:
    """Return a verdict with a J and a control."""
    said = {"J": share, "J_other": other, "J_real_public": 0.05, "J_real": 0.95, "control": control}
    return {"attackers": {"server": {"property": said}}}


def scored(task: float, final: float, imagenet: float | None = None, swing: float = 0.02) -> dict[str, Any]:
    """Return a verdict with an inception score and a final accuracy."""
    scores = {
        "is_task": task,
        "is_task_alike": task,
        "is_task_real": 9.0,
        "is_imagenet": "not computed" if imagenet is None else imagenet,
        "samples": 400,
        "samples_real": 70,
        "samples_alike": 70,
        "classes": 7,
        "classes_asked": 7,
        "junk_share": 0.02,
    }
    return {
        "attackers": {"server": {"inception": scores}},
        "global_model": {"final": {"accuracy": final}, "after_attack": {"accuracy_swing": swing}},
    }


def found(place: str, shows: str, *runs: wang.Run) -> Row:
    """Return a row by its place and a word of what it shows."""
    return next(row for row in rows("wang", runs) if row.result.place == place and shows in row.result.shows)


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
    literal = [(mnist(seed, *LITERAL), shown(0.1)) for seed in (0, 1)]
    both = found("Fig. 4", "turned", (mnist(0), shown(0.8)), *literal)
    assert both.status == "not reproduced"
    other = (mnist(0, *LITERAL, "task.private.classes=[0, 1, 2]"), shown(0.1))
    assert found("Fig. 4", "turned", literal[0], other).status == "not judged (one seed)"
    assert "recipe repaired" in both.ours


def test_without_an_upright_run_nothing_is_reproduced() -> None:
    """Nor with one seed; what lies too low beside its own controls is not shown without either."""
    runs = [(mnist(seed, *LITERAL), shown(0.8)) for seed in (0, 1)]
    row = found("Fig. 4", "turned", *runs)
    assert row.status == "not judged (no upright run)"
    assert row.ours.startswith("as the paper has it: beside the controls of its runs.")
    control = (mnist(0, *LITERAL, UPRIGHT), shown(0.1, control=True))
    assert found("Fig. 4", "turned", runs[0], control).status == "not judged (one seed)"
    low = [(mnist(seed, *LITERAL), shown(0.8, other=0.7)) for seed in (0, 1)]
    assert found("Fig. 4", "turned", *low).status == "not reproduced"


def test_the_servers_own_turned_images_are_a_control() -> None:
    """J 0.8 against 0.6 for copies of these."""
    verdicts = [shown(0.8), shown(0.8)]
    for verdict in verdicts:
        verdict["attackers"]["server"]["property"]["J_auxiliary"] = 0.6
    runs = [(mnist(seed, *LITERAL), verdict) for seed, verdict in enumerate(verdicts)]
    assert found("Fig. 4", "turned", *runs).status == "not reproduced"


def test_classes_without_samples_are_told() -> None:
    """J is of the others."""
    verdict = shown(0.8)
    verdict["attackers"]["server"]["property"] |= {"shown_classes": 2, "judged_classes": [2, 4, 7]}
    assert "samples of 2 of 3 classes only" in found("Fig. 4", "turned", (mnist(0), verdict)).ours


def test_an_upright_run_controls_the_turn_that_it_asks_for() -> None:
    """By 30 degrees: not the run whose victim's images are turned by 45, unless it asks for these."""
    run = (mnist(0, "task.private.degrees=45"), shown(0.8))
    other = found("Fig. 4", "turned", run, (mnist(0, UPRIGHT), shown(0.1, control=True)))
    assert "no run with an upright victim" in other.ours
    assert "turned by 45 degrees" in other.ours
    same = found("Fig. 4", "turned", run, (mnist(0, UPRIGHT, "task.private.asked=45"), shown(0.1, control=True)))
    assert "upright victim 10 %" in same.ours


def test_glasses_have_no_run_without_them() -> None:
    """So pictures of faces are never called reproduced."""
    scenario = scenarios.load("mgan-ai-passive-faces", FACES, 0)
    assert departures(scenario, 10) == []
    runs = [(scenario, shown(0.8)), (scenario, shown(0.8))]
    assert found("Fig. 5", "glasses", *runs).status == "not judged (no run without the property)"


def test_scores_are_compared_by_imagenets_network_alone() -> None:
    """1.40 is within a tenth of 1.42, over two seeds; without that network there is nothing to compare."""
    literal = faces("mgan-ai-passive-faces", *FACES)
    near = [(literal, scored(6.0, 0.9, imagenet=1.40)), (literal, scored(6.0, 0.9, imagenet=1.42))]
    row = found("Table III", "passive", *near)
    assert row.status == "reproduced"
    assert row.ours.startswith("as the paper has it: by ImageNet's network 1.41 (")
    assert row.ours.endswith("6.00 (6.00 to 6.00 over 2 runs); images 400; classes 7; not of this data 2 %")
    assert found("Table III", "passive", near[0]).status == "not judged (one seed)"
    repaired = (faces("mgan-ai-passive-faces"), scored(9.0, 0.9, imagenet=1.40))
    assert found("Table III", "passive", repaired).status == "with other settings"
    without = found("Table III", "passive", (literal, scored(6.0, 0.9)))
    assert without.status == "not judged (no ImageNet network)"
    assert "not computed" in without.ours


def test_groups_are_never_averaged() -> None:
    """The literal recipe's 6 and the repaired one's 9 stand in two lines; so do 10 and 20 participants."""
    runs = [
        (faces("mgan-ai-passive-faces", *FACES), scored(6.0, 0.9)),
        (faces("mgan-ai-passive-faces"), scored(9.0, 0.9)),
        (faces("mgan-ai-passive-faces", *FACES, clients=10), scored(3.0, 0.9)),
    ]
    lines = found("Table III", "passive", *runs).ours.split("\n")
    assert len(lines) == 3
    assert ["6.00" in lines[0], "10 participants" in lines[1], "recipe repaired" in lines[2]] == [True] * 3
    order = found("Table III", "order", *runs)
    assert "passive C 9.00 > passive A 6.00 > passive B 3.00" in order.ours
    assert order.status == "not judged"


def test_real_images_are_scored_once_a_seed() -> None:
    """Two attacks on the same seed have the same real images."""
    runs = [(faces(name), scored(6.0, 0.9)) for name in ("mgan-ai-passive-faces", "mgan-ai-active-faces")]
    row = found("Table III", "real", *runs)
    assert row.ours.endswith("by ImageNet's network not computed; by the judge's 9.00; images 70; classes 7")


def four(passive: float, participant: float = 2.0, clients: int = 20) -> list[wang.Run]:
    """Return two seeds of all four attacks, as the paper has them."""
    return [
        run
        for seed in (0, 1)
        for run in (
            (faces("mgan-ai-active-faces", *FACES, seed=seed), scored(7.0 + seed / 100, 0.8)),
            (faces("mgan-ai-passive-faces", *FACES, seed=seed), scored(passive + seed / 100, 0.9)),
            (gan(clients + 1, seed), scored(participant + seed / 100, 0.3, swing=0.1)),
            (inversion(seed), scored(1.5 + seed / 100, 0.9)),
        )
    ]


def test_the_order_needs_all_four_attacks_and_several_seeds() -> None:
    """Each clear of the next; the other way round; overlapping; of other classes; one seed; three attacks."""
    row = found("Table III", "order", *four(6.0))
    assert row.status == "reproduced"
    assert row.ours.startswith("by the judge's own score: active 7.0")
    assert found("Table III", "order", *four(9.0)).status == "not reproduced"
    assert found("Table III", "order", *four(7.0)).status == "not judged (intervals overlap)"
    assert found("Table III", "order", *four(6.0)[:4]).status == "not judged (one seed)"
    three = found("Table III", "order", *four(6.0)[:3])
    assert three.status == "not judged"
    assert "without model inversion" in three.ours
    runs = four(6.0)
    runs[0][1]["attackers"]["server"]["inception"]["classes"] = 6
    assert found("Table III", "order", *runs).status.startswith("not judged (not of the same classes")


def honest(accuracy: float) -> wang.Run:
    """Return a run of the same federation whose server does not attack."""
    none = ("server.attack=null", "server.attack_options={}")
    scenario = scenarios.load("mgan-ai-passive-faces", ["federation.clients=20", "task.model=wang-faces-cnn", *none], 0)
    return scenario, scored(0.0, accuracy)


def test_the_side_effect_is_an_order_of_accuracies_that_stay_and_one_that_oscillates() -> None:
    """Passive 90 %, active 80 %, the participant's GAN 30 % and five times as unsteady; then as steady as they."""
    alone = found("Fig. 7", "Accuracy", *four(6.0))
    assert "passive 90 % (90 % to 90 % over 2 runs), moving by 2 %" in alone.ours
    assert "no honest run" in alone.ours
    assert alone.status == "not judged"
    assert found("Fig. 7", "Accuracy", *four(6.0), honest(0.9)).status == "reproduced"
    steady = [*four(6.0), honest(0.9)]
    for _, verdict in steady:
        verdict["global_model"]["after_attack"]["accuracy_swing"] = 0.02
    assert found("Fig. 7", "Accuracy", *steady).status == "not reproduced"
    assert found("Fig. 7", "Accuracy", *four(6.0)[:4], honest(0.9)).status == "not judged (one seed)"
    assert found("Fig. 7", "Accuracy", *four(6.0)[:2], honest(0.9)).status == "not judged"


@pytest.mark.parametrize(("accuracy", "status"), [(0.9, "reproduced"), (0.93, "not reproduced")])
def test_a_passive_attack_is_held_against_the_honest_run(accuracy: float, status: str) -> None:
    """Of the same federation and seed its accuracy is the same, or something is wrong."""
    row = found("Fig. 7", "Accuracy", *four(6.0), honest(accuracy))
    assert row.status == status
    assert ("differs by up to 3 %" in row.ours) == (status == "not reproduced")


def test_without_runs_nothing_was_run() -> None:
    """Every row says so."""
    assert {row.status for row in rows("wang", [])} == {"not run"}

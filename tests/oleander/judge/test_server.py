"""A malicious server's loot of known worth, judged from end to end."""

import json
from pathlib import Path
from typing import Any

import pytest
import server_runs
import torch
from PIL import Image

from oleander.judge import figures, judge
from oleander.judge.server import attack_share
from task.datasets import load
from task.runs import keep_arrays
from task.seeding import generator

pytestmark = pytest.mark.usefixtures("toy_attack")


def judged(folder: Path, kind: str, degrees: float = 30.0, *, other: bool = True) -> dict[str, Any]:
    """Judge a fabricated run; return what is said of the server."""
    run = server_runs.make(folder, kind, server_runs.scenario(degrees), other=other)
    found: dict[str, Any] = judge(run, None, lambda _: None)["attackers"]["server"]
    return found


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing: another test looks at the figures."""
    monkeypatch.setattr(figures, "draw", lambda *_, **__: [])


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize(
    ("kind", "conclusion"), [("victim", "shown"), ("upright", "class only"), ("noise", "not shown")]
)
def test_loot_is_called_what_it_is(tmp_path: Path, kind: str, conclusion: str) -> None:
    """Digits turned as the victim's are, the same upright, and noise."""
    found = judged(tmp_path / "run", kind)
    prop, targets = found["property"], found["targets"]
    assert (prop["J"] > 0.8) == (kind == "victim")
    assert (prop["J"] < 0.15) == (kind != "victim")
    assert prop["J_other"] < 0.15
    assert prop["J_not_owned"] < 0.15
    assert prop["J_real"] > 0.8
    assert prop["J_real_public"] < 0.15
    assert prop["J_auxiliary"] < 0.15
    assert (prop["noise_share"] > 0.9) == (kind == "noise")
    assert prop["rounds"] == [3, 4, 5]
    assert prop["judge"]["test_accuracy"] > 0.8
    assert prop["judge"]["victim_accuracy"] == pytest.approx(prop["J_real"])
    assert list(targets) == ["2", "4", "7"]
    assert {target["conclusion"] for target in targets.values()} == {conclusion}
    assert all(target["owner"] == [0] for target in targets.values())
    nearer = prop["nn_rmse_victim"] < prop["nn_rmse_others"]
    assert nearer == (kind == "victim") or kind == "noise"
    assert ("learned what only participant 0 holds" in found["headline"]) == (kind == "victim")


@pytest.mark.usefixtures("no_figures")
def test_a_victim_whose_images_are_upright_is_the_control(tmp_path: Path) -> None:
    """Nothing can be shown of it; the judge asks for the same turn as in the run that it is the control of."""
    found = judged(tmp_path / "run", "upright", degrees=0.0)
    prop = found["property"]
    assert prop["control"]
    assert prop["J"] < 0.15
    assert prop["J_real"] < 0.15
    assert prop["judge"]["victim_accuracy"] > 0.8
    assert found["headline"].startswith("The control: ")
    assert {target["conclusion"] for target in found["targets"].values()} == {"control"}


@pytest.mark.usefixtures("no_figures")
def test_classes_not_held_are_judged_by_their_own_file(tmp_path: Path) -> None:
    """Turned images of them, which the loot's are not: J_not_owned is high, and the sheet has a row."""
    run = server_runs.make(tmp_path / "run", "victim", server_runs.scenario())
    for number in range(server_runs.START, server_runs.ROUNDS + 1):
        images, labels = run.samples("server", number)
        turned = server_runs.samples("victim", load("digits"), 3, 30.0, generator(number, "not owned"))
        keep_arrays(
            run.path / "loot" / "server" / f"not-owned-round-{number:04d}.npz",
            images=turned,
            labels=torch.full((len(turned),), 3),
        )
        assert (labels == 3).any()
        assert images.shape[1:] == turned.shape[1:]
    prop = judge(run, None, lambda _: None)["attackers"]["server"]["property"]
    assert prop["J_not_owned"] > 0.8
    assert prop["not_owned_classes"] == {"3": "3"}


@pytest.mark.usefixtures("no_figures")
def test_without_samples_of_the_others_there_is_no_such_control(tmp_path: Path) -> None:
    """An active attack has none: J stands without it, and the words don't name it."""
    found = judged(tmp_path / "run", "victim", other=False)
    assert found["property"]["J_other"] is None
    assert "“not participant 0”" not in found["headline"]
    assert found["property"]["J"] > 0.8


def test_a_complete_run_is_judged_completely(tmp_path: Path) -> None:
    """Everything stands in the verdict, which is plain JSON, and the figures are there."""
    run = server_runs.make(tmp_path / "run", "victim", server_runs.scenario())
    verdict = judge(run, None, lambda _: None)
    assert json.loads((run.path / "verdict.json").read_text(encoding="utf-8")) == verdict
    assert verdict["missing"] == []
    found = verdict["attackers"]["server"]
    assert found["attack"] == "toy"
    assert found["victim"] == 0
    assert found["start_round"] == 2
    assert found["last_loot_round"] == 5
    assert found["attack_share"] == pytest.approx(0.5)
    assert [one["round"] for one in found["property"]["per_round"]] == [2, 3, 4, 5]
    assert found["inception"]["samples"] == 72
    assert found["inception"]["is_imagenet"] == "not computed"
    assert 1 < found["inception"]["is_task"] < 11
    assert sorted(found["representatives"]) == ["0", "1", "2", "3"]
    assert all(one["nearest_mean"] == int(client) for client, one in found["representatives"].items())
    assert list(run.victims()) == [0]
    for name in ("sheet-server", "property-server", "nearest-server-2", "metrics"):
        with Image.open(run.figures / f"{name}.png") as picture:
            assert min(picture.size) > 200


def test_the_attacks_share_is_of_the_rounds_that_were_timed() -> None:
    """Two rounds of 4 seconds with 1 and 3 of attack make a half; without any on record nothing is said."""
    lines = [{"seconds": 4, "attack_seconds": 1}, {"seconds": 4, "attack_seconds": 3}, {"seconds": 9}]
    assert attack_share(lines) == 0.5
    assert attack_share([{"seconds": 9}]) is None

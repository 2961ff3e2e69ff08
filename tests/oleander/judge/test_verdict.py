"""Whole runs, fabricated from digits, judged from end to end."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from oleander.judge import figures, judge
from oleander.judge.verdict import plain
from oleander.rundir import RunDirectory

Fabricate = Callable[..., RunDirectory]


def judged(run: RunDirectory) -> tuple[dict[str, Any], dict[str, Any]]:
    """Judge a run; return the verdict and the target's numbers."""
    verdict = judge(run, None, lambda _: None)
    return verdict, verdict["attackers"]["client-5"]["targets"]["3"]


@pytest.mark.parametrize(
    ("kind", "conclusion"),
    [("records", "records"), ("held-out", "likenesses"), ("average", "prototype"), ("noise", "not stolen")],
)
def test_loot_is_called_what_it_is(
    fabricate: Fabricate, monkeypatch: pytest.MonkeyPatch, kind: str, conclusion: str
) -> None:
    """The owner's own images, real ones of other people, their average, and noise."""
    monkeypatch.setattr(figures, "draw", lambda *_, **__: [])  # another test looks at them
    verdict, target = judged(fabricate(kind))
    assert target["conclusion"] == conclusion
    assert target["owner"] == [1]
    assert (target["recognised"] > 0.9) == (kind != "noise")
    control = verdict["attackers"]["client-5"]["targets"]["9"]
    assert control["control"]
    assert control["recognised"] == 0


def test_a_complete_run_is_judged_completely(fabricate: Fabricate) -> None:
    """The verdict on disk is the one returned and plain JSON; truth and figures are there; nothing is missing."""
    run = fabricate("held-out")
    verdict, target = judged(run)
    assert json.loads((run.path / "verdict.json").read_text(encoding="utf-8")) == verdict
    assert "NaN" not in (run.path / "verdict.json").read_text(encoding="utf-8")
    assert verdict["missing"] == []
    assert verdict["attackers"]["client-5"]["start_round"] == 2
    assert [line["round"] for line in verdict["attackers"]["client-5"]["per_round"]] == [2, 2, 3, 3, 4, 4]
    assert target["samples"] == 30
    assert target["round"] == 4
    assert verdict["paper"] == {"recognised": {"paper": 0.9, "ours": target["recognised"]}}
    assert list(run.victims()) == [1]
    model = verdict["global_model"]
    assert [model[point]["round"] for point in ("first", "start", "final")] == [0, 1, None]
    assert "honest accuracy is unknown" in model["before_attack_is"]
    assert verdict["attackers"]["client-5"]["noise_from_round"] == 1
    assert "sent noise from round 1" in verdict["attackers"]["client-5"]["verdict"]
    assert model["before_attack"]["accuracy"] == pytest.approx(0.1)
    assert model["after_attack"]["accuracy"] == pytest.approx(0.3)
    assert set(model["auc"]["final"]) == set("012345678")
    assert verdict["judge"]["test_accuracy"] > 0.95
    names = {path.stem for path in run.figures.iterdir()}
    targets = {f"{figure}-client-5-{label}" for figure in ("loot", "nearest", "growth") for label in (3, 9)}
    assert names == targets | {"recognised-client-5", "distances-client-5", "metrics", "roc", "auc"}
    for path in run.figures.iterdir():
        with Image.open(path) as picture:
            assert np.asarray(picture.convert("L")).std() > 10


def test_judging_again_gives_the_same(fabricate: Fabricate) -> None:
    """To the last bit, figures included; the truth is not written anew."""
    run = fabricate("average")
    judged(run)
    first = {path: path.read_bytes() for path in (run.path / "verdict.json", *run.figures.iterdir())}
    judged(run)
    assert {path: path.read_bytes() for path in (run.path / "verdict.json", *run.figures.iterdir())} == first


def test_a_run_that_died_is_judged_as_far_as_it_got(fabricate: Fabricate) -> None:
    """No final model, fewer rounds, and one file of loot cut short: each is stated, the rest is judged."""
    run = fabricate("held-out", final=False, rounds=3)
    torn = run.path / "loot" / "client-5" / "samples-round-0003.npz"
    torn.write_bytes(torn.read_bytes()[:100])
    verdict, target = judged(run)
    assert verdict["missing"][:2] == ["3 of 4 rounds are on record.", "There is no final global model."]
    assert "round 3 cannot be read" in verdict["missing"][2]
    assert target["round"] == 2
    assert target["conclusion"] == "likenesses"
    assert target["global_model_agrees"] is None


def test_without_loot_nothing_is_claimed(fabricate: Fabricate) -> None:
    """The attack began, and the run ended before it kept anything."""
    verdict, target = judged(fabricate("noise", loot=False))
    assert target["conclusion"] == "no loot"
    assert verdict["headline"] == "Participant 5's attack (gan) began in round 2, but left no loot."
    assert "There is no loot of client-5." in verdict["missing"]
    assert verdict["attackers"]["client-5"]["per_round"] == []


def test_a_run_that_died_at_once_is_judged_too(fabricate: Fabricate) -> None:
    """Nothing but a scenario: no rounds, no models, no attack."""
    run = fabricate("noise", loot=False, rounds=0)
    for name in ("rounds.jsonl", "loot/client-5/attack.jsonl", "global/final.safetensors"):
        (run.path / name).unlink(missing_ok=True)
    (run.path / "global" / "round-0000.safetensors").unlink()
    verdict, _ = judged(run)
    ended = "the run ended before the start that its options set"
    assert verdict["headline"] == f"Participant 5's attack (gan) never began: {ended}."
    assert len(verdict["missing"]) == 4
    assert list(run.figures.iterdir()) == []


def test_what_is_not_a_number_becomes_null() -> None:
    """JSON knows neither NaN nor infinity."""
    assert plain({"a": [1.0, float("nan")], "b": (float("inf"), "x")}) == {"a": [1.0, None], "b": [None, "x"]}


def test_the_last_digits_of_a_sum_are_not_written() -> None:
    """0.1 + 0.2 is 0.3; six digits stay of numbers large and small, and whole numbers and truths are left alone."""
    assert plain([0.1 + 0.2, 1234567.0, 1.23456789e-9]) == [0.3, 1234570.0, 1.23457e-9]
    assert repr(plain([12345678, True, 2.0])) == "[12345678, True, 2.0]"

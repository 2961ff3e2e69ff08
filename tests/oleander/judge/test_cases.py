"""Whom to judge, and what each is held against."""

from pathlib import Path

import pytest
import server_runs
import torch

from oleander import scenario as scenarios
from oleander.judge import cases, independent, victims
from oleander.judge.classifier import Judge
from oleander.rundir import RunDirectory
from task.datasets import Dataset
from task.partitions import held
from task.private import turned
from task.runs import keep_arrays
from task.settings import parse, to_dict

pytestmark = pytest.mark.usefixtures("toy_attack")


def evidence(chosen: scenarios.Scenario, digits: Dataset, model: Judge) -> cases.Evidence:
    """Return what the loot is held against; the judge knows categories alone."""
    holding = held(digits, chosen.task, chosen.federation.clients, 0)
    victim = victims.find(digits, chosen.task, holding)
    judge = independent.Independent(model=model, facts={})
    return cases.Evidence(dataset=digits, holding=holding, victim=victim, judge=judge)


def test_a_server_is_judged_even_where_nobody_can_judge_the_property(
    digits: Dataset, judge_model: Judge, tmp_path: Path
) -> None:
    """Its targets are the victim's classes, the victim their only owner; J is not there."""
    chosen = server_runs.scenario()
    run = server_runs.make(tmp_path / "run", "victim", chosen)
    found = cases.judged(run, evidence(chosen, digits, judge_model), lambda _: None)["server"]
    assert sorted(found.verdict["targets"]) == ["2", "4", "7"]
    assert all(target["owner"] == [0] for target in found.verdict["targets"].values())
    assert "property" not in found.verdict
    assert found.verdict["inception"]["samples"] == 72
    assert found.sheet is not None


def test_a_server_that_is_after_another_than_the_private_participant_is_told_so(
    digits: Dataset, judge_model: Judge, tmp_path: Path
) -> None:
    """Participant 1 has no property: that J is missing is said, and why."""
    values = to_dict(server_runs.scenario())
    values["server"]["attack_options"] = {"victim": 1}
    chosen = scenarios.resolve(parse(scenarios.Scenario, values, "scenario"))
    run = server_runs.make(tmp_path / "run", "victim", chosen)
    found = cases.judged(run, evidence(chosen, digits, judge_model), lambda _: None)["server"]
    assert "property" not in found.verdict
    assert any("after participant 1, but the private property is participant 0's" in text for text in found.missing)


def test_the_servers_own_images_are_turned_as_the_attack_turns_them(digits: Dataset) -> None:
    """Many times each, by other angles; where the attack turns none they are as they are."""
    chosen = server_runs.scenario()
    victim = victims.find(digits, chosen.task, held(digits, chosen.task, chosen.federation.clients, 0))
    assert victim is not None
    plain, askew = (cases.auxiliary(digits, victim, degrees, 0) for degrees in (0.0, 45.0))
    count = int(torch.isin(digits.test.labels, torch.tensor([2, 4, 7])).sum())
    assert len(plain.labels) == count
    assert len(askew.labels) == count * -(-1000 // count)
    assert set(askew.labels.tolist()) == {2, 4, 7}
    assert not torch.equal(askew.images[:count], askew.images[count : 2 * count])


def test_the_servers_own_images_are_turned_by_what_the_update_says(digits: Dataset) -> None:
    """Shares of the last three rounds that have some, as a mean; all on the last of three steps is 15 to 45 degrees."""
    first = {"turn_-30.0": 1.0, "turn_0.0": 0.0, "turn_30.0": 0.0}
    later = {"round": 9, "turn_-30.0": 0.0, "turn_0.0": 0.3, "turn_30.0": 0.7}
    assert cases.turns([{"loss": 1.0}]) == {}
    found = cases.turns([first, later, later, {"loss": 1.0}])
    assert found == pytest.approx({-30.0: 1 / 3, 0.0: 0.2, 30.0: 1.4 / 3})
    chosen = server_runs.scenario()
    victim = victims.find(digits, chosen.task, held(digits, chosen.task, chosen.federation.clients, 0))
    assert victim is not None
    plain = cases.auxiliary(digits, victim, 0.0, 0)
    count = len(plain.labels)
    askew = cases.auxiliary(digits, victim, 45.0, 0, {-30.0: 0.0, 0.0: 0.0, 30.0: 1.0}).images[:count]
    near, far = ((askew - turned(plain.images, torch.full((count,), by))).abs().mean() for by in (30.0, -30.0))
    assert near < far / 2


def test_a_server_that_is_after_nobody_steals_from_all_holders(
    digits: Dataset, judge_model: Judge, tmp_path: Path
) -> None:
    """Without a private property every class counts, and its owners are those who hold it."""
    values = to_dict(server_runs.scenario())
    values["task"]["private"] = None
    values["server"] |= {"attack": None, "attack_options": {}}
    chosen = scenarios.resolve(parse(scenarios.Scenario, values, "scenario"))
    run = server_runs.make(tmp_path / "made", "upright", server_runs.scenario(0.0))
    plain = RunDirectory.create(chosen, tmp_path / "run")
    (run.path / "loot").rename(plain.path / "loot")
    found = cases.judged(plain, evidence(chosen, digits, judge_model), lambda _: None)["server"]
    assert found.verdict["victim"] is None
    assert len(found.verdict["targets"]) == 10
    assert any(len(target["owner"]) != 1 for target in found.verdict["targets"].values())
    assert "inception" not in found.verdict


def test_a_participants_loot_of_the_victims_classes_gets_a_score_and_no_test_of_records(
    digits: Dataset, judge_model: Judge, tmp_path: Path
) -> None:
    """The owners' images differ from free ones by their turn, so that nearness to them says nothing of records."""
    chosen = server_runs.scenario()
    run = RunDirectory.create(chosen, tmp_path / "run")
    images = torch.zeros(20, 1, 8, 8)
    keep_arrays(
        run.path / "loot" / "client-3" / "samples-round-0001.npz", images=images, labels=torch.tensor([2, 4] * 10)
    )
    found = cases.judged(run, evidence(chosen, digits, judge_model), lambda _: None)
    assert sorted(found) == ["client-3", "server"]
    target = found["client-3"].verdict["targets"]["2"]
    assert 0 in target["owner"]
    assert target["owner_p"] is None
    scores = found["client-3"].verdict["inception"]
    assert scores["samples"] == 20
    assert (scores["classes"], scores["classes_asked"]) == (2, 3)
    assert scores["samples_real"] == int(torch.isin(digits.test.labels, torch.tensor([2, 4, 7])).sum())
    assert found["server"].missing == ["There is no loot of the server."]

"""A membership attacker's scores against the truth, from a run directory made by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from oleander import scenario as scenarios
from oleander.judge import membership
from oleander.judge.verdict import judge
from oleander.report.key_numbers import key_numbers
from oleander.report.page import write
from oleander.rundir import RunDirectory
from task.datasets import load
from task.files import append_line
from task.membership import Asked, ask, declared
from task.partitions import held
from task.runs import keep_arrays

WHO = "server"


def made(tmp_path: Path, *overrides: str) -> tuple[RunDirectory, Asked]:
    """Return the run directory of a membership run in which nobody has answered yet, and the truth."""
    chosen = scenarios.load(
        "membership-digits", ["membership.protocols=[clean,paper]", "membership.about=[0,1,2]", *overrides]
    )
    run = RunDirectory.create(chosen, tmp_path / "run")
    digits, seed = load("digits"), chosen.federation.seed
    assert chosen.membership is not None
    return run, ask(digits, chosen.membership, held(digits, chosen.task, chosen.federation.clients, seed), seed)


def answer(run: RunDirectory, name: str, scores: torch.Tensor, *, number: int = 3, marked: Any = None) -> None:
    """Leave one method's scores of a round."""
    marked = scores > 0.5 if marked is None else marked
    path = run.path / "loot" / WHO / f"scores-{name}-round-{number:04d}.npz"
    keep_arrays(path, scores=scores.double(), marked=marked, record=torch.arange(len(scores)))


def verdict_of(run: RunDirectory, attack: str = "margin-threshold") -> dict[str, Any]:
    """Judge the server's answers alone."""
    settings = run.scenario.membership
    assert settings is not None
    digits = load("digits")
    holding = held(digits, run.scenario.task, run.scenario.federation.clients, 0)
    told = membership.truth(run, digits, settings, holding, 0)
    labels, said = digits.train.labels[told.image], declared(digits, holding)
    silent = {"seed": 0, "progress": lambda _: None}
    return membership.judge(run, WHO, attack, settings, told, labels=labels, declared=said, **silent).verdict


@pytest.fixture
def asked(tmp_path: Path) -> tuple[RunDirectory, Asked]:
    """Return a run about three participants, with 60 members of theirs."""
    return made(tmp_path, "membership.records=60")


def test_each_protocol_has_numbers_of_its_own(asked: tuple[RunDirectory, Asked]) -> None:
    """Who scores members and fresh images high, others' records low, gets 1 by the one protocol, 0.5 by the clean."""
    run, told = asked
    scores = (told.member | told.fresh).double()
    answer(run, "margin-threshold", scores)
    answer(run, "label-only", torch.zeros(len(scores)))
    said = verdict_of(run)["membership"]
    mine = said["methods"]["margin-threshold"]
    assert (mine["paper"]["auc"], mine["clean"]["auc"]) == (1, 0.5)
    assert (mine["paper"]["balanced_accuracy"], mine["clean"]["balanced_accuracy"]) == (1, 0.5)
    assert mine["clean"]["fp_rate"] == 1
    assert mine["paper"]["paper_ratio"] == 1
    assert "paper_ratio" not in mine["clean"]
    assert mine["clean"]["members"] == mine["clean"]["others"] == 60
    adds = said["adds"]["paper"]
    assert adds["baseline"] == "label-only"
    assert [adds[name] for name in ("auc", "auc_low", "auc_high")] == pytest.approx([0.5] * 3)
    assert said["methods"]["label-only"]["baseline"]


def test_the_last_round_counts_and_all_are_drawn(asked: tuple[RunDirectory, Asked]) -> None:
    """Perfect in round 2, upside down in round 3: the headline is 0, the curve has both."""
    run, told = asked
    answer(run, "margin-threshold", told.member.double(), number=2)
    answer(run, "margin-threshold", -told.member.double(), number=3)
    said = verdict_of(run)["membership"]
    assert said["methods"]["margin-threshold"]["clean"]["auc"] == 0
    areas = {line["round"]: line["auc"] for line in said["over_rounds"] if line["protocol"] == "clean"}
    assert areas == {2: 1, 3: 0}


def test_records_in_another_order_are_put_right(asked: tuple[RunDirectory, Asked]) -> None:
    """The scores name the records that they are about."""
    run, told = asked
    order = torch.randperm(len(told.member))
    path = run.path / "loot" / WHO / "scores-margin-threshold-round-0003.npz"
    keep_arrays(path, scores=told.member.double()[order], marked=told.member[order], record=order)
    assert verdict_of(run)["membership"]["methods"]["margin-threshold"]["clean"]["auc"] == 1


def test_the_truth_is_left_for_others_to_judge(asked: tuple[RunDirectory, Asked]) -> None:
    """truth/membership.npz says which records are members', of whom, and which training image each is."""
    run, told = asked
    verdict_of(run)
    with np.load(run.path / "truth" / "membership.npz", allow_pickle=False) as arrays:
        assert arrays["member"].sum() == 60
        assert np.array_equal(arrays["member"], told.member.numpy())
        assert np.array_equal(arrays["image"], told.image.numpy())
        assert arrays["record"].tolist() == list(range(180))


def test_scores_that_are_none_are_left_out_and_said(asked: tuple[RunDirectory, Asked]) -> None:
    """NaN, a record too few, and no .npz at all."""
    run, told = asked
    answer(run, "label-only", torch.full((len(told.member),), torch.nan))
    answer(run, "loss-threshold", torch.zeros(len(told.member) - 1))
    (run.path / "loot" / WHO / "scores-argmax-round-0003.npz").write_bytes(b"none")
    append_line(run.path / "loot" / WHO / "attack.jsonl", {"round": 1, "started": True})
    found = judge(run, None, lambda _: None, pictures=False)
    text = " ".join(found["missing"])
    assert text.count("has no finite score for each of 180 records") == 2
    assert "scores-argmax-round-0003.npz cannot be read" in text
    assert "There are no scores of server" in text
    assert found["attackers"]["server"]["headline"] == "The server's attack (margin-threshold) left no scores."


def test_a_rehearsal_is_judged_with_and_without_made_images(asked: tuple[RunDirectory, Asked]) -> None:
    """Made images, all told for members, lift a guess on real ones from 0.5 to 0.625, balanced."""
    run, told = asked
    answer(run, "margin-threshold", told.member.double())
    member = torch.tensor([True] * 40 + [False] * 40)
    made_ones = torch.tensor([True] * 20 + [False] * 60)
    scores = torch.tensor([0.9] * 20 + [0.9, 0.1] * 30, dtype=torch.float64)
    path = run.path / "loot" / WHO / "rehearsal-margin-threshold-round-0003.npz"
    keep_arrays(path, scores=scores, member=member, made=made_ones)
    own = verdict_of(run)["membership"]["rehearsal"]
    assert own["made_share"] == 0.25
    assert own["real"]["balanced_accuracy"] == 0.5
    assert own["all"]["balanced_accuracy"] == pytest.approx((0.75 + 0.5) / 2)


def test_words_and_page_say_what_was_shown(asked: tuple[RunDirectory, Asked]) -> None:
    """A perfect server: what it can tell, that it adds to the baseline, the key numbers, a table and a figure."""
    run, told = asked
    answer(run, "margin-threshold", told.member.double())
    answer(run, "label-only", torch.zeros(len(told.member)))
    append_line(run.path / "loot" / WHO / "attack.jsonl", {"round": 1, "started": True, "labels_without": 3.0})
    found = judge(run, None, lambda _: None)
    headline = found["attackers"]["server"]["headline"]
    assert headline.startswith(
        "The server can tell participants 0, 1 and 2's training records from others of the same labels that nobody "
        "holds: AUC 1.00 (0.94 to 1.00) by margin-threshold, which is a baseline itself; label-only reaches "
        "0.50 (0.50 to 0.50)."
    )
    assert [number.value for number in key_numbers(found)] == ["1.00", "0.50", "100 %"]
    assert (run.figures / "membership-clean-server.png").is_file()
    assert (run.figures / "membership-paper-server.png").is_file()
    page = write([run], run.report).read_text(encoding="utf-8")
    assert "Who was in the training data? (the server)" in page
    assert "members against fresh images of the same labels" in page
    assert "60 members, 60 others" in page
    assert "At worst it had nothing to learn 3 of the labels from." in found["attackers"]["server"]["verdict"]
    assert "The loot beside the truth" not in page


def test_a_guess_is_not_called_a_leak(asked: tuple[RunDirectory, Asked]) -> None:
    """Random scores: nothing is shown, and nothing is added."""
    run, told = asked
    answer(run, "margin-threshold", torch.rand(len(told.member), generator=torch.Generator().manual_seed(1)))
    assert "can tell" in verdict_of(run)["headline"]
    assert verdict_of(run)["headline"].startswith("That the server can tell participants 0, 1 and 2's training records")
    assert "is not shown" in verdict_of(run)["headline"]


def test_a_leak_that_only_a_baseline_shows_is_called_one(asked: tuple[RunDirectory, Asked]) -> None:
    """The attack guesses, the baseline knows: the headline has the baseline's numbers, and what the attack adds."""
    run, told = asked
    answer(run, "lira", torch.rand(len(told.member), generator=torch.Generator().manual_seed(1)))
    answer(run, "label-only", told.member.double())
    headline = verdict_of(run, "lira")["headline"]
    assert headline.startswith("The server can tell participants 0, 1 and 2's training records from others of the same")
    assert "AUC 1.00 (0.94 to 1.00) by label-only, the strongest baseline; the attack itself, lira, reaches" in headline
    assert "and does worse." in headline


def test_one_record_shows_nothing(tmp_path: Path) -> None:
    """Whoever is right about one member and one other may have guessed."""
    run, told = made(tmp_path, "membership.about=[0]", "membership.records=1")
    answer(run, "margin-threshold", told.member.double())
    found = verdict_of(run)
    numbers = found["membership"]["methods"]["margin-threshold"]["clean"]
    assert (numbers["auc"], numbers["auc_high"]) == (1, 1)
    assert numbers["auc_low"] == pytest.approx(0.025)
    assert "is not shown" in found["headline"]


@pytest.mark.parametrize("kind", ["iid", "whole-classes"])
def test_the_headline_says_where_others_have_other_labels(kind: str, tmp_path: Path) -> None:
    """By the protocol of the paper: then it is the labels that are told apart."""
    sizes = ["federation.clients=5", "clients.0.ids=[4]", "membership.about=[0]", "membership.records=10"]
    layout = f"task.partition={{kind: {kind}, images: 60}}"
    run, told = made(tmp_path, layout, *sizes, "membership.reference=20")
    answer(run, "margin-threshold", told.member.double())
    found = verdict_of(run)
    assert found["membership"]["other_labels"] is (kind == "whole-classes")
    assert ("Participant 0 has declared the labels 0 and 5." in found["verdict"]) is (kind == "whole-classes")
    assert ("who owns a label, not whose record it is" in found["headline"]) is (kind == "whole-classes")

"""What is read off a run, and what several seeds say together."""

import json
from collections.abc import Callable

import pytest

from oleander.matrix.measures import leaked, of_run, pareto, row, spread
from oleander.rundir import RunDirectory
from task.files import write_json


def test_of_several_targets_the_mean_counts_and_of_defended_ones_alone() -> None:
    """And of controls the strongest; with a private property it is J, and the strongest of its controls."""
    targets = {
        "1": {"recognised": 0.9},
        "2": {"recognised": 0.4},
        "3": {"recognised": 0.2, "control": True},
        "4": {"recognised": 0.1, "control": True},
    }
    assert leaked({"attackers": {"client-2": {"targets": targets}}}) == ("recognised", 0.65, 0.2)
    defended = {label: numbers | {"defenses": ["anti-gan"] * (label == "2")} for label, numbers in targets.items()}
    assert leaked({"attackers": {"client-2": {"targets": defended}}}) == ("recognised", 0.4, 0.2)
    said = {"J": 0.7, "J_other": 0.1, "J_auxiliary": 0.3, "J_real_public": None, "J_not_owned": 0.9}
    assert leaked({"attackers": {"server": {"targets": targets, "property": said}}}) == ("J", 0.7, 0.3)
    reads = {"server": {"attack": "published-set", "targets": {"6": {"recognised": 0.2}}}}
    seen = {"client-6": {"seen_published": 0.33}}
    assert leaked({"attackers": reads, "defended": seen}) == ("recognised", 0.2, 0.33), "what looking alone gives"
    assert leaked({"attackers": {}}) == ("", None, None)
    assert leaked({"attackers": {"client-2": {"targets": {"1": {"samples": 0}}}}}) == ("recognised", None, None)


def test_a_run_s_numbers_are_those_on_record(fabricate: Callable[..., RunDirectory]) -> None:
    """Six rounds of half a second; the busier of the honest works 0.4 s in each; the attacker does not count."""
    run = fabricate()
    lines = [
        line | {"clients": [0, 1, 2], "seconds_each": [0.2, 0.4, 9.0], "bytes_down": 30, "bytes_up": 20}
        for line in run.rounds()
    ]
    (run.path / "rounds.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    account = {"who": "server", "epsilon": 4.0, "delta": 1e-5, "unit": "participant", "reason": ""}
    write_json(run.path / "verdict.json", run.verdict() | {"privacy": [account]})
    found = of_run(run)
    assert (found.metric, found.leakage, found.control) == ("recognised", 0.98, 0.0)
    assert (found.accuracy, found.seconds, found.bytes, found.epsilon) == (0.6, 3.0, 300, 4.0)
    assert found.participant_seconds == pytest.approx(6 * 0.4)
    assert found.privacy == {"delta": 1e-5, "unit": "participant"}


def test_what_is_not_on_record_is_not_made_up(fabricate: Callable[..., RunDirectory]) -> None:
    """Older runs have neither bytes nor each participant's seconds; without a budget there is no epsilon."""
    found = of_run(fabricate())
    assert (found.bytes, found.participant_seconds, found.epsilon) == (None, None, None)
    assert found.privacy == {"reason": "there is no mechanism with a guarantee"}


def test_an_interval_is_student_s() -> None:
    """Of 1, 2, 3: mean 2, standard error 1 / sqrt(3), t(0.975, 2) = 4.3027; of one value there is none."""
    three = spread([1.0, None, 2.0, 3.0])
    assert (three.mean, three.count) == (2.0, 3)
    assert three.high == pytest.approx(2 + 4.3027 / 3**0.5, abs=1e-4)
    assert three.low == pytest.approx(2 - 4.3027 / 3**0.5, abs=1e-4)
    assert (spread([5.0]).low, spread([]).mean) == (None, None)
    assert row([])["leakage"]["count"] == 0


def test_the_front_is_what_nothing_beats() -> None:
    """More accuracy at no more leakage beats; equals do not beat each other; in the order of accuracy."""
    points = [(0.9, 0.8), (0.8, 0.2), (0.7, 0.3), (0.5, 0.1), (0.8, 0.2), (0.9, 0.9)]
    assert pareto(points) == [3, 1, 4, 0]


def test_of_several_defended_participants_the_worst_counts(fabricate: Callable[..., RunDirectory]) -> None:
    """The least RIAFI and the most that is still seen; a participant that makes nothing has no share to see."""
    run = fabricate()
    assert (of_run(run).riafi, of_run(run).seen) == (None, None)
    said = {"client-0": {"riafi": 0.9, "seen": 0.1}, "client-1": {"riafi": 0.2, "seen": 0.6}}
    verdict = run.verdict() | {"defended": said | {"client-2": {"riafi": 1.0, "seen": None}}}
    (run.path / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
    assert (of_run(run).riafi, of_run(run).seen) == (0.2, 0.6)

"""A federation in one process: what it leaves behind, and what it says when it fails."""

from collections.abc import Callable

import pytest
import torch

from client_app import participant
from oleander import engines
from oleander.engines import EngineError, Job


def test_it_leaves_what_the_other_engines_leave(
    make_job: Callable[..., Job], capfd: pytest.CaptureFixture[str]
) -> None:
    """Rounds, loot and roles; Flower's words are in the log and not on the terminal; a tick for each reply."""
    job, ticks, threads = make_job(2, 2), [], torch.get_num_threads()
    engines.run("inline", job, lambda: ticks.append(len(job.run.rounds())))
    assert [line["clients"] for line in job.run.rounds()] == [[0, 1], [0, 1]]
    assert set(job.run.loot()["client-1"]) == {1, 2}
    nodes = job.run.environment()["nodes"]
    assert [(node["client"], node["role"], node["device"]) for node in nodes] == [
        (0, "honest", "cpu"),
        (1, "malicious", "cpu"),
    ]
    assert ticks == [0, 0, 0, 0, 1, 1]
    assert "ROUND 2/2" in (job.run.logs / "inline.log").read_text(encoding="utf-8")
    assert capfd.readouterr().err == ""
    assert torch.get_num_threads() == threads


def test_a_participant_that_fails_is_recorded_until_too_few_are_left(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Client 0 fails in round 2: with one reply enough the run goes on, with two it ends, and says why."""
    real = participant.Participant.draw

    def draw(self: participant.Participant, server_round: int) -> object:
        if server_round == 2 and self.client == 0:
            raise OSError("the disk is gone")
        return real(self, server_round)

    monkeypatch.setattr(participant.Participant, "draw", draw)
    job = make_job(2, 3, "federation.min_replies=1")
    engines.run("inline", job)
    assert [line["replies"] for line in job.run.rounds()] == [2, 1, 2]
    assert "the disk is gone" in job.run.rounds()[1]["failures"][0]["reason"]
    strict = make_job(2, 3, "federation.min_replies=2")
    with pytest.raises(EngineError, match=r"Expected at least 2 usable replies in round 2, got 1.*the disk is gone"):
        engines.run("inline", strict)
    assert len(strict.run.rounds()) == 1
    assert "Traceback" in (strict.run.logs / "inline.log").read_text(encoding="utf-8")

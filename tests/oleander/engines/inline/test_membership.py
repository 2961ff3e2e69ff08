"""A whole run in which a participant and the server are asked about records."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from oleander import engines
from oleander import scenario as scenarios
from oleander.engines import Job
from oleander.preflight import settle
from oleander.rundir import RunDirectory

SMALL = [
    "federation.rounds=2",
    "federation.clients=4",
    "clients.0.ids=[3]",
    "membership.records=60",
    "task.local_epochs=3",
]


def ran(folder: Path, *overrides: str) -> RunDirectory:
    """Return the run of a smaller membership-digits."""
    chosen = settle(scenarios.load("membership-digits", [*SMALL, *overrides]), None)
    run = RunDirectory.create(chosen, folder)
    engines.run("inline", Job(scenario=chosen, run=run, data=None), lambda: None)
    return run


@pytest.fixture(scope="module")
def passive(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """Return a run whose attackers only look."""
    return ran(tmp_path_factory.mktemp("passive") / "run")


def test_both_places_leave_the_scores_of_every_method_in_every_round(passive: RunDirectory) -> None:
    """60 members and 60 others, by the attack and two more baselines (everyone holds every label: no argmax)."""
    found = passive.scores()
    assert set(found) == {"client-3", "server"}
    for rounds in found.values():
        assert {number: set(methods) for number, methods in rounds.items()} == {
            number: {"margin-threshold", "loss-threshold", "label-only"} for number in (1, 2)
        }
        with np.load(rounds[2]["margin-threshold"], allow_pickle=False) as arrays:
            assert arrays["scores"].dtype == np.float64
            assert arrays["scores"].shape == arrays["marked"].shape == arrays["record"].shape == (120,)


def test_the_server_asks_other_models_than_the_participant(passive: RunDirectory) -> None:
    """Their scores of the same records differ: the one has each update, the other the global model."""
    both = [np.load(passive.scores()[who][2]["margin-threshold"])["scores"] for who in ("client-3", "server")]
    assert np.abs(both[0] - both[1]).max() > 0.1


def test_who_only_looks_changes_nothing_and_who_climbs_does(passive: RunDirectory, tmp_path: Path) -> None:
    """The final model of the passive run is, bit for bit, that of an honest one; gradient ascent leaves another."""
    honest = ran(tmp_path / "honest", "server.attack=null", "clients=[]", "membership=null")
    active = ran(tmp_path / "active", "server.attack=gradient-ascent", "clients.0.attack=gradient-ascent")
    finals = [load_file(run.path / "global" / "final.safetensors") for run in (honest, passive, active)]
    assert all((finals[0][name] == tensor).all() for name, tensor in finals[1].items())
    assert not all((finals[0][name] == tensor).all() for name, tensor in finals[2].items())


def test_no_truth_lies_where_attackers_write(passive: RunDirectory) -> None:
    """Before the judge comes there is no truth in the run directory at all."""
    assert not (passive.path / "truth").exists()


def test_defended_participants_send_another_last_layer_within_their_bound(tmp_path: Path) -> None:
    """def-mia-digits in small, against the same without a defence: in round 1 nothing else differs, and no label does.

    All three learning attackers answer at both places.
    """
    small = ["federation.rounds=1", "federation.clients=3", "clients.0.ids=[2]", "clients.1.ids=[0,1]"]
    small += ["membership.records=30", "membership.known=30", "task.local_epochs=40", "clients.1.options.steps=60"]
    plain = ["clients.1.role=honest", "clients.1.defense=null", "clients.1.options={}"]
    chosen = [settle(scenarios.load("def-mia-digits", [*small, *more]), None) for more in ([], plain)]
    runs = [RunDirectory.create(one, tmp_path / str(place)) for place, one in enumerate(chosen)]
    for one, run in zip(chosen, runs, strict=True):
        engines.run("inline", Job(scenario=one, run=run, data=None), lambda: None)
    defended, honest = (load_file(run.path / "global" / "final.safetensors") for run in runs)
    differ = {name for name, tensor in honest.items() if not (defended[name] == tensor).all()}
    assert differ == {"7.weight", "7.bias"}
    for client in (0, 1):
        (line,) = runs[0].fits(client)
        assert line["loss_rise"] <= line["loss_bound"] == 0.5
        assert line["labels_changed"] == 0
        assert line["left"] < 1
    learners = {"fixed-learner", "shadow-learner", "adaptive-learner"}
    assert all(learners <= set(runs[0].scores()[who][1]) for who in ("client-2", "server"))

"""A malicious server in a whole federation, in one process: what it writes, and what it leaves as it was."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from server_attacks import ToyAttack

from attacks.views import ServerView
from oleander import engines
from oleander import scenario as scenarios
from oleander.rundir import RunDirectory
from server_app.app import own_settings
from server_app.malicious import keep
from strategies.malicious import Loot
from task.facts import Images
from task.run_config import unflatten
from task.settings import SettingsError

HONEST = ["federation.rounds=3", "federation.clients=3", "clients=[]", "task.partition.images=60"]
ATTACKED = [*HONEST, "server.attack=toy", "server.attack_options.victim=1", "server.loot_images=2"]


def federate(path: Path, *overrides: str) -> RunDirectory:
    """Run a short federation of three on the digits."""
    scenario = scenarios.load("gan-attack-digits", overrides)
    run = RunDirectory.create(scenario, path)
    engines.run("inline", engines.Job(scenario=scenario, run=run))
    return run


def final(run: RunDirectory) -> bytes:
    """Return the final model's file."""
    return (run.path / "global" / "final.safetensors").read_bytes()


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[ServerView]:
    """Collect the views that the attack is shown."""
    seen: list[ServerView] = []
    observe = ToyAttack.observe

    def spy(self: ToyAttack, view: ServerView, generator: torch.Generator) -> None:
        seen.append(view)
        observe(self, view, generator)

    monkeypatch.setattr(ToyAttack, "observe", spy)
    return seen


def test_a_passive_attack_leaves_the_final_model_as_it_was(toy_attack: str, tmp_path: Path) -> None:
    """The same bytes on disk, and the same rounds, but for their seconds; an active attack makes another model."""
    honest, passive = federate(tmp_path / "a", *HONEST), federate(tmp_path / "b", *ATTACKED)
    active = federate(tmp_path / "c", *ATTACKED, "server.attack_options.active=true")
    assert final(passive) == final(honest) != final(active)
    for left, right in zip(honest.rounds(), passive.rounds(), strict=True):
        timed = ("seconds", "client_seconds", "seconds_each")
        assert {key: value for key, value in left.items() if key not in timed} == {
            key: right[key] for key in left if key not in timed
        }
        assert right.keys() - left.keys() == {"attack_seconds", "isolated"}
    assert [line["isolated"] for line in active.rounds()] == [[1]] * 3
    assert toy_attack == passive.scenario.server.attack


@pytest.mark.usefixtures("toy_attack")
def test_the_loot_is_written_as_the_run_goes(tmp_path: Path) -> None:
    """Two images of each of ten categories in rounds 2 and 3, the control's negatives, and whose representatives."""
    run = federate(tmp_path / "run", *ATTACKED, "server.loot_every=2")
    folder = run.path / "loot" / "server"
    kinds = ("other", "representatives", "samples")
    files = [f"{kind}-round-{number:04d}.npz" for kind in kinds for number in (2, 3)]
    assert sorted(path.name for path in folder.iterdir()) == ["attack.jsonl", *files]
    images, labels = run.samples("server", 3)
    assert images.shape == (20, 1, 8, 8)
    assert labels.tolist() == [category for category in range(10) for _ in range(2)]
    with np.load(folder / "other-round-0003.npz", allow_pickle=False) as other:
        assert np.array_equal(other["images"], -images.numpy())
    with np.load(folder / "representatives-round-0003.npz", allow_pickle=False) as found:
        assert {name: (str(found[name].dtype), found[name].shape) for name in found} == {
            "images": ("float32", (3, 1, 8, 8)),
            "labels": ("int64", (3,)),
            "client": ("int64", (3,)),
        }
        assert found["client"].tolist() == [0, 1, 2]
    log = run.attack_log("server")
    assert [line["round"] for line in log] == [1, 2, 3]
    assert [line["accuracy"] for line in log[1:]] == [line["accuracy"] for line in run.rounds()[:2]]
    text = "the server's own data have no image of the classes [9]"
    assert [line["warnings"] for line in log] == [[text], [], []]


@pytest.mark.usefixtures("toy_attack")
def test_the_view_has_the_models_of_the_record(watched: list[ServerView], tmp_path: Path) -> None:
    """The aggregate is the next round's global model and the last one's the final; the mean update leads there."""
    run = federate(tmp_path / "run", *ATTACKED)
    kept = run.global_model()
    assert kept is not None
    assert [(view.round, view.last) for view in watched] == [(1, False), (2, False), (3, True)]
    for name, weights in watched[-1].aggregate.state_dict().items():
        assert torch.equal(weights, kept[name])
    before, after = watched[1].global_model.state_dict(), watched[1].aggregate.state_dict()
    for name, weights in watched[0].aggregate.state_dict().items():
        assert torch.equal(weights, before[name])
        mean = torch.stack([update[name] for update in watched[1].updates.values()]).mean(0)
        assert torch.allclose(after[name] - before[name], mean, atol=1e-6)
    assert set(watched[0].auxiliary.labels.tolist()) == set(range(9))


def test_there_is_no_file_of_nothing(tmp_path: Path) -> None:
    """Before the start, and for an attack without a control."""
    none = Images(torch.empty(0, 1, 8, 8), torch.empty(0, dtype=torch.int64))
    keep(tmp_path, 1, Loot(samples=none, other=none, not_owned=none, representatives={}))
    assert not list(tmp_path.iterdir())


def test_on_grpc_the_server_reads_its_own_part_from_its_own_disk(toy_attack: str, tmp_path: Path) -> None:
    """The run config that everyone gets has none of it; who else attacks stays unread."""
    scenario = scenarios.load("gan-attack-digits", [f"server.attack={toy_attack}", "server.attack_options.victim=1"])
    run = RunDirectory.create(scenario, tmp_path / "run")
    shared: dict[str, Any] = unflatten(scenario.run_config(data="", out=str(run.path), roles=False))
    assert "toy" not in json.dumps(shared)
    config = own_settings(shared, run.path)
    assert config["server"] == scenario.to_dict()["server"]
    assert config["federation"] == scenario.to_dict()["federation"]
    assert config["clients"] == []
    with pytest.raises(SettingsError, match=r"scenario\.yaml.*Start the run with `oleander run`"):
        own_settings(shared, tmp_path)
    everything = unflatten(scenario.run_config(data="", out="", roles=True))
    assert own_settings(everything, tmp_path) is everything


def test_only_an_attack_that_says_so_reads_what_is_published(
    toy_attack: str, watched: list[ServerView], tmp_path: Path
) -> None:
    """The published-set attack learns from all 40 images of the victim; the toy beside the same defence sees none.

    A single round leaves loot of the victim's class alone.
    """
    quick = {"network": "small", "steps": 2, "batch_size": 8}
    overrides = ["federation.clients=10", "task.partition.images=40", "server.loot_images=3"]
    defended = [f"clients.0.options={json.dumps(quick)}", *overrides]
    options = json.dumps(quick | {"victim": 6})
    scenario = scenarios.load("anti-gan-digits", [*defended, f"server.attack_options={options}"])
    run = RunDirectory.create(scenario, tmp_path / "a")
    engines.run("inline", engines.Job(scenario=scenario, run=run))
    (line,) = run.attack_log("server")
    assert (line["started"], line["published"], line["learned_from"], line["warnings"]) == (True, 40, 40, [])
    images, labels = run.samples("server", 1)
    assert labels.tolist() == [6, 6, 6]
    assert images.shape == (3, 1, 8, 8)
    other = [f"server.attack={toy_attack}", "server.attack_options={victim: 6}"]
    scenario = scenarios.load("anti-gan-digits", [*defended, *other])
    engines.run("inline", engines.Job(scenario=scenario, run=RunDirectory.create(scenario, tmp_path / "b")))
    assert [view.published for view in watched] == [{}]

"""Scenarios: what is filled in, what is refused, what the server is told."""

import dataclasses
import json
from pathlib import Path

import pytest
from flwr.common.config import flatten_dict

from oleander import scenario as scenarios
from oleander import sections, shelf
from oleander.preflight import settle
from task.run_config import unflatten
from task.settings import SettingsError

LATE = "server.attack_options.start_round=7"
VICTIM = ["server.attack_options.victim=2"]


@pytest.mark.parametrize("name", shelf.names())
def test_every_scenario_that_ships_loads_and_comes_back_from_its_own_text(name: str, tmp_path: Path) -> None:
    """A resolved scenario, written and read again, is the same: nothing is left to defaults."""
    loaded = scenarios.load(name)
    path = tmp_path / "again.yaml"
    path.write_text(json.dumps(loaded.to_dict()), encoding="utf-8")  # JSON is YAML, but for numbers like 1e-07
    assert scenarios.load(path) == loaded
    assert loaded.name == name


def test_holders_are_all_who_are_not_malicious() -> None:
    """The demo's thief, client 5, holds no data."""
    assert scenarios.load("gan-attack-digits").task.partition.holders == (0, 1, 2, 3, 4)


def test_an_extra_fake_label_gives_the_model_one_more_output() -> None:
    """Sun's shared model has eleven outputs, Hitaj's ten."""
    assert scenarios.load("gan-attack-mnist").task.outputs == 11
    assert scenarios.load("hitaj-mnist").task.outputs == 10


def test_the_server_keeps_the_model_at_which_the_attack_starts() -> None:
    """By accuracy, or as the model after the round before a start round."""
    assert scenarios.load("gan-attack-digits").federation.keep_accuracy == (0.75,)
    by_round = scenarios.load("gan-attack-digits", ["clients.0.options.start_round=7"])
    assert by_round.federation.keep_global == (6,)


def test_on_grpc_the_server_is_told_nothing_of_the_attacker() -> None:
    """The roles are in the node's own config; in the simulation, which has none, in the run config."""
    demo = scenarios.load("gan-attack-digits")
    told = demo.run_config(data="", out="", roles=False)
    assert "malicious" not in json.dumps(told)
    assert "attack" not in json.dumps(told)
    assert "malicious" in json.dumps(demo.run_config(data="", out="", roles=True))
    assert demo.node_config(5, data="", out="")["attack"] == "gan"
    assert "attack" not in demo.node_config(4, data="", out="")


def test_on_grpc_the_participants_are_told_nothing_of_the_server_s_attack(toy_attack: str) -> None:
    """Their run config is that of the honest run; in the simulation, where all share one, it has the attack."""
    attacked = scenarios.load("gan-attack-digits", [f"server.attack={toy_attack}", *VICTIM, LATE])
    honest = dataclasses.replace(attacked, name="honest", server=sections.ServerSettings())
    honest = dataclasses.replace(honest, federation=scenarios.load("gan-attack-digits").federation)
    told = [scenario.run_config(data="d", out="o", roles=False) for scenario in (attacked, honest)]
    assert told[0] == told[1]
    config = unflatten(attacked.run_config(data="", out="", roles=True))
    assert config["server"]["attack_options"] == {"victim": 2, "active": False, "start_round": 7, "fail_in": []}


def test_a_server_s_attack_is_resolved_with_all_its_options(toy_attack: str) -> None:
    """Also those left at their defaults; the model at which it starts is kept."""
    chosen = scenarios.load("gan-attack-digits", [f"server.attack={toy_attack}", *VICTIM, LATE])
    assert chosen.server.attack_options == {"victim": 2, "active": False, "start_round": 7, "fail_in": []}
    assert chosen.federation.keep_global == (6,)
    assert scenarios.resolve(chosen) == chosen


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        (["server.attack_options={victim: 6}"], "a victim from 0 to 5, got 6"),
        (["server.attack_options={victim: -1}"], "a victim from 0 to 5, got -1"),
        (["server.attack_options={victim: 5}"], r"not malicious itself \(not in \[5\]\), got 5"),
        (["task.partition.holders=[0, 1]", *VICTIM], r"a victim that holds data \(one of \[0, 1\]\), got 2"),
        (["server.attack_options={}"], "server.attack_options to have the key 'victim'"),
        (["server.attack_options={victim: 2, actve: true}"], "Did you mean 'active'"),
        (["server.attack=tox", *VICTIM], "Did you mean 'toy'"),
        (["server.attack=gan", "server.attack_options={target: 3}"], "a server's attack, got 'gan'.* under clients"),
        (["server.attack=null", *VICTIM], "an attack for server.attack_options"),
        (
            ["clients.0.attack=toy", "clients.0.options={victim: 1}"],
            "a participant's attack, got 'toy'.* server.attack",
        ),
        (["server.loot_every=0", *VICTIM], "loot_every > 0"),
        (["server.loot_images=0", *VICTIM], "loot_images > 0"),
        (
            ["federation.clients=1", "clients=[]", "server.attack_options={victim: 0}"],
            "other clients beside the victim",
        ),
    ],
)
def test_a_server_s_attack_that_cannot_be_is_refused(overrides: list[str], text: str, toy_attack: str) -> None:
    """Victims from whom there is nothing to learn, attacks in the wrong place, options that are not there."""
    with pytest.raises(SettingsError, match=text):
        scenarios.load("gan-attack-digits", [f"server.attack={toy_attack}", *overrides])


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("name=../elsewhere", "a name that can be a folder's, got '../elsewhere'"),
        ("name=/etc", "a name that can be a folder's, got '/etc'"),
        ("federation.clients=1000000000", "at most 100000 clients"),
        ("federation.round_timeout=.inf", "round_timeout > 0, got inf"),
        ("task.image_size=100000", "image_size up to 1024"),
        (f"clients.{'9' * 5000}.role=honest", "to name an entry of the list"),
    ],
)
def test_what_would_leave_the_folder_or_fill_the_memory_is_refused(override: str, text: str) -> None:
    """Before anything is made of it."""
    with pytest.raises(SettingsError, match=text):
        scenarios.load("gan-attack-digits", [override])


PROTECTED = "ids: [1], role: defended, defense: clip-and-noise, options: {norm: 1, noise_multiplier: 0}"
DEFENDED = [
    "clients=[{ids: [1, 3], role: defended, defense: anti-gan, options: {lambda2: 4}, refresh: 5}]",
    "task.outputs=10",
]


def test_a_defended_participant_alone_knows_of_its_defence() -> None:
    """Its node is told all options and where to publish; neither the server nor anybody else is told anything."""
    chosen = scenarios.load("gan-attack-digits", DEFENDED)
    assert chosen.clients[0].options["lambda2"] == 4.0
    assert chosen.clients[0].options["critic_steps"] == 5
    assert chosen.task.partition.holders == (0, 1, 2, 3, 4, 5)
    assert scenarios.resolve(chosen) == chosen
    assert "defen" not in json.dumps(chosen.run_config(data="", out="", roles=False))
    told = chosen.node_config(3, data="", out="run")
    assert (told["role"], told["defense"], told["refresh"]) == ("defended", "anti-gan", 5)
    assert told["out"] == "run"
    assert json.loads(str(told["options"])) == chosen.clients[0].options
    assert chosen.node_config(2, data="", out="run").keys() == {"partition-id", "num-partitions", "role", "data"}


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("clients.0.role=honest", "a defence for a defended participant, and only there, got 'anti-gan'"),
        ("clients.0.defense=null", "a defence for a defended participant, and only there, got None"),
        ("clients.0.attack=gan", "an attack for a malicious participant"),
        ("clients.0.defense=anti-gen", "Did you mean 'anti-gan'"),
        ("clients.0.options.lamda2=3", "Did you mean 'lambda2'"),
        ("clients.0.options.lambda1=-3", "lambda1 >= 0"),
        ("clients.0.options.mixing_ratio=4", "real images / made ones"),
        ("clients.0.refresh=0", "refresh > 0"),
        ("task.partition.holders=[0, 1]", r"a defended participant that holds data \(one of \[0, 1\]\), got 3"),
        (
            f"clients=[{{refresh: 2, {PROTECTED}}}]",
            "no refresh for clip-and-noise",
        ),
        ("clients=[{ids: [1], refresh: 2}]", "refresh > 0, for a defended participant only"),
    ],
)
def test_a_defence_that_cannot_be_is_refused(override: str, text: str) -> None:
    """In the wrong role, mistyped, for somebody who holds nothing, or refreshed where nothing is fitted."""
    with pytest.raises(SettingsError, match=text):
        scenarios.load("gan-attack-digits", [*DEFENDED, override])


def test_a_defence_that_the_data_are_too_few_for_is_refused_before_anything_is_started() -> None:
    """Fifty images of two classes are 25 of each, fewer than a batch of 64; a batch of 20 is fine."""
    few = [*DEFENDED, "task.partition.images=50"]
    with pytest.raises(SettingsError, match=r"at least 64 images of class [0-9], as many as a batch, got 25"):
        settle(scenarios.load("gan-attack-digits", few), None)
    settle(scenarios.load("gan-attack-digits", [*few, "clients.0.options.batch_size=20"]), None)
    settle(scenarios.load("gan-attack-digits", [f"clients=[{{{PROTECTED}}}]", *few[1:]]), None)


@pytest.mark.parametrize(
    "clients", ["[]", "[{ids: [1], role: defended, defense: clip-and-noise, options: {norm: 1, noise_multiplier: 1}}]"]
)
def test_who_reads_what_is_published_needs_a_victim_who_publishes(clients: str) -> None:
    """Somebody without a defence publishes nothing, nor does one whose update is noised."""
    with pytest.raises(SettingsError, match="a victim of published-set that publishes images"):
        settle(scenarios.load("anti-gan-digits", [f"clients={clients}"]), None)


def test_a_scenario_survives_flower_s_run_config() -> None:
    """Dotted scalars there, the same nesting back; empty tuples and nulls included."""
    demo = scenarios.load("gan-attack-digits")
    config = demo.run_config(data="d", out="o", roles=True)
    assert all(isinstance(value, bool | int | float | str) for value in config.values())
    assert unflatten(config) == demo.to_dict() | {"data": "d", "out": "o"}


def test_set_reaches_into_lists_and_makes_yaml_values() -> None:
    """--set clients.0.options.target=[1,2] is a list of numbers."""
    changed = scenarios.load("gan-attack-digits", ["clients.0.options.target=[1, 2]", "task.optimizer.lr=0.5"], seed=9)
    assert changed.clients[0].options["target"] == [1, 2]
    assert changed.task.optimizer.lr == 0.5
    assert changed.federation.seed == 9


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("federation.rounds=0", "rounds > 0"),
        ("federation.rounds=many", "a whole number"),
        ("federation.ronds=3", "Did you mean 'rounds'"),
        ("taks.model=x", "Did you mean 'task'"),
        ("clients.0.ids=[6]", "client ids from 0 to 5"),
        ("clients.0.ids=[5, 5]", "one role for each client"),
        ("clients.3.ids=[5]", "an entry of the list"),
        ("clients.0.role=evil", "a role"),
        ("clients.0.role=honest", "an attack for a malicious participant"),
        ("clients.0.attack=gen", "Did you mean 'gan'"),
        ("clients.0.options.target=10", "a target from 0 to 9"),
        ("clients.0.options.stpes=10", "Did you mean 'steps'"),
        ("task.partition.exclude=[10]", "excluded classes from 0 to 9"),
        ("task.partition.kind=one-clas", "Did you mean 'one-class'"),
        ("task.partition.holders=[9]", "holders to be client ids"),
        ("task.model=digits-cn", "Did you mean 'digits-cnn'"),
        ("task.dataset=digit", "Did you mean 'digits'"),
        ("task.optimizer.lr=-1", "lr > 0"),
        ("task.outputs=3", "at least 10 outputs"),
        ("server.strategy=fedav", "Did you mean 'fedavg'"),
        ("server.options.mu=3", "an option of fedavg"),
        ("federation.min_replies=9", "min_replies from 1 to 6"),
        ("federation", "--set key=value"),
        ("task.model.name=x", "a key of a mapping"),
    ],
)
def test_impossible_requests_are_refused(override: str, text: str) -> None:
    """The message names what was expected; a mistyped name gets the nearest one."""
    with pytest.raises(SettingsError, match=text):
        scenarios.load("gan-attack-digits", [override])


def test_an_unknown_scenario_is_refused_with_the_nearest_name() -> None:
    """`dmo` is close to `demo`."""
    with pytest.raises(SettingsError, match="Did you mean 'demo'"):
        scenarios.load("dmo")


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [", "name: x\n"])
def test_a_broken_file_is_refused(text: str, tmp_path: Path) -> None:
    """A list, broken YAML, a scenario without a task."""
    path = tmp_path / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="Expected"):
        scenarios.load(path)


def test_the_project_s_run_config_is_the_demo() -> None:
    """`flwr run .` has the demo's values as its defaults; this fails when one is changed without the other."""
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    flat = flatten_dict(project["tool"]["flwr"]["app"]["config"])  # Flower reads it so
    assert flat == scenarios.load("demo").run_config(data="", out="", roles=True)


def test_an_attack_that_knows_the_defence_is_told_it() -> None:
    """Its victim's, with all options; a resolved scenario resolves to itself; who does not ask is told nothing."""
    told = scenarios.load("anti-gan-digits", ["server.attack_options.knows=true"])
    known = told.server.attack_options["known"]
    assert known == {"defense": "anti-gan", **told.clients[0].options}
    assert known["lambda2"] == 40.0
    assert scenarios.resolve(told) == told
    assert scenarios.load("anti-gan-digits").server.attack_options["known"] is None

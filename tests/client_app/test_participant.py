"""What a participant knows and draws."""

import itertools

import pytest
import torch
from flwr.app import Context, RecordDict

from client_app import participant as participants
from client_app.participant import Participant, prepare, read
from oleander import scenario as scenarios
from task import devices, private
from task.datasets import load, to_float
from task.settings import PrivateSettings, SettingsError, TaskSettings


def participant(client: int) -> Participant:
    """Return a participant that holds eleven digits, in a federation whose participant 2 holds turned ones."""
    return Participant(
        client=client,
        seed=0,
        task=TaskSettings(
            dataset="digits",
            model="digits-cnn",
            images_per_round=5,
            private=PrivateSettings(kind="rotated", client=2, degrees=90),
        ),
        dataset=load("digits"),
        indices=torch.arange(40, 51),
        device="cpu",
        behaviour={},
        rounds=3,
        clients=4,
    )


@pytest.mark.parametrize("client", [1, 2])
def test_a_draw_is_of_what_the_participant_really_holds(client: int) -> None:
    """Five different images of the eleven with their labels, another five in the next round; participant 2's turned."""
    who, digits = participant(client), load("digits")
    held = digits.train.images[who.indices]
    own = {image.numpy().tobytes() for image in to_float(private.turn(held, 90) if client == 2 else held)}
    drawn = who.draw(1)
    assert len({image.numpy().tobytes() for image in drawn.images}) == 5
    assert all(image.numpy().tobytes() in own for image in drawn.images)
    assert set(drawn.labels.tolist()) <= set(digits.train.labels[who.indices].tolist())
    assert torch.equal(who.draw(1).images, drawn.images)
    assert not torch.equal(who.draw(2).images, drawn.images)


def told(client: int = 1, *, roles: bool, **node: str) -> Context:
    """Return the context of a node in a federation whose participant 3 is defended, whose run config may say so."""
    entry = "clients=[{ids: [3], role: defended, defense: compression, options: {keep: 0.5}}]"
    scenario = scenarios.load("gan-attack-digits", [entry, "task.outputs=10", "task.partition.exclude=[]"])
    config = scenario.run_config(data="", out="", roles=roles)
    known = {"partition-id": client, "num-partitions": 6, **node}
    return Context(run_id=1, node_id=2, node_config=known, state=RecordDict(), run_config=config)


def test_a_role_comes_from_the_node_or_else_from_a_run_config_that_has_roles() -> None:
    """In the simulation and with `flwr run`, whom the run config does not name is honest; a node's own word counts."""
    assert [read(told(client, roles=True)).behaviour["role"] for client in (1, 3)] == ["honest", "defended"]
    assert read(told(roles=False, role="honest")).behaviour["role"] == "honest"
    own = read(
        told(roles=True, role="defended", defense="clip-and-noise", options='{"norm": 1, "noise_multiplier": 0}')
    )
    assert (own.behaviour["role"], own.behaviour["defense"]) == ("defended", "clip-and-noise")


def test_a_hosts_own_choice_of_a_device_wins_over_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server on the CPU does not keep a client from its GPU, nor one with a GPU a client from its CPU."""
    asked = {"auto": "cuda", "cpu": "cpu"}
    monkeypatch.setattr(devices, "chosen", asked.__getitem__)
    for servers, hosts in itertools.product(asked, asked):
        context = told(roles=False, role="honest", devices=hosts)
        context.run_config["federation.devices"] = servers
        assert read(context).device == asked[hosts]
        context = told(roles=False, role="honest")
        context.run_config["federation.devices"] = servers
        assert read(context).device == asked[servers]


def test_nobody_is_honest_by_mistake() -> None:
    """No role in a deployment; a defence, a refresh or options without one; a defence for another role, or none."""
    with pytest.raises(SettingsError, match=r"the role of participant 1, got 'none, .*Set role in the node config"):
        read(told(roles=False))
    for stray in ({"defense": "anti-gan"}, {"refresh": "2"}, {"options": "{}"}):
        for roles in (True, False):
            with pytest.raises(SettingsError, match="a role beside them"):
                read(told(roles=roles, **stray))
    with pytest.raises(SettingsError, match="got \"the role 'honest' with anti-gan"):
        read(told(roles=False, role="honest", defense="anti-gan"))
    with pytest.raises(SettingsError, match="got \"the role 'defended' with none"):
        read(told(roles=False, role="defended"))


def test_what_is_prepared_is_not_made_again() -> None:
    """As in a worker that is forked from a process that has prepared it: its part, and the model that it trains on."""
    scenario = scenarios.load("gan-attack-digits")
    prepare(scenario.task, None, scenario.federation.clients, scenario.federation.seed, step=True)
    made = [one.cache_info().misses for one in (participants._parts, participants._apart, participants._bench)]  # noqa: SLF001
    config = scenario.run_config(data="", out="", roles=True)
    who = read(Context(run_id=1, node_id=2, node_config={"partition-id": 1}, state=RecordDict(), run_config=config))
    who.bench()
    assert made == [one.cache_info().misses for one in (participants._parts, participants._apart, participants._bench)]  # noqa: SLF001

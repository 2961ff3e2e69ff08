"""Scenarios that ask about membership: what is filled in, who is told, and what is refused with a remedy."""

import json

import pytest

from oleander import scenario as scenarios
from oleander.preflight import settle
from task.run_config import unflatten
from task.settings import SettingsError

NAME = "membership-digits"


def test_everyone_who_holds_data_and_does_not_attack_is_asked_about() -> None:
    """Participant 7 holds data and attacks: it is not asked about its own."""
    settings = scenarios.load(NAME).membership
    assert settings is not None
    assert settings.about == tuple(range(7))
    assert settings.others == ()


def test_on_grpc_only_the_attacker_s_node_is_told_what_is_asked() -> None:
    """The run config that every participant gets says nothing; in the simulation, where all share one, it does."""
    chosen = scenarios.load(NAME)
    told = chosen.run_config(data="", out="", roles=False)
    assert not [key for key in told if key.startswith("membership")]
    assert unflatten(chosen.run_config(data="", out="", roles=True))["membership"]["records"] == 210
    assert json.loads(str(chosen.node_config(7, data="", out="")["membership"]))["records"] == 210
    assert "membership" not in chosen.node_config(6, data="", out="")


def test_a_membership_attack_without_a_question_is_asked_the_usual_one() -> None:
    """Without the section its defaults are filled in."""
    chosen = scenarios.load(NAME, ["membership=null"])
    assert chosen.membership is not None
    assert chosen.membership.records == 200


@pytest.mark.parametrize(
    ("overrides", "error"),
    [
        (["membership.about=[0,7]"], r"Expected to ask about records that no attacker holds, got 'participant 7, who"),
        (["membership.about=[0,9]"], r"Expected participants that hold data \(of .*\), got 9\. Mend membership\.about"),
        (["membership.protocols=[fair]"], r"a membership protocol \(one of: clean, paper\), got 'fair'"),
        (["membership.baselines=[gan]"], r"Expected a membership attack as a baseline, got 'gan'"),
        (["membership.record=3"], r"Did you mean 'records'"),
        (
            ["clients=[]", "server.attack=null"],
            r"Expected a membership attack, since the scenario asks about membership",
        ),
        (["server.attack=margin-treshold"], r"Did you mean 'margin-threshold'"),
    ],
)
def test_a_wrong_question_is_refused_before_anything_starts(overrides: list[str], error: str) -> None:
    """By name, with what was expected and what to do."""
    with pytest.raises(SettingsError, match=error):
        scenarios.load(NAME, overrides)


@pytest.mark.parametrize(
    ("overrides", "error"),
    [
        (["membership.records=500"], r"Expected 72 records of participant 0, got 30\. Lower membership\.records"),
        (["membership.reference=1300"], r"training images that nobody holds to compare with, got .* Lower"),
        (["membership.protocols=[paper]"], r"records of participants who are not asked about, got 0\. Shorten"),
    ],
)
def test_too_few_records_are_refused_before_anything_starts(overrides: list[str], error: str) -> None:
    """They are counted with the data at hand."""
    with pytest.raises(SettingsError, match=error):
        settle(scenarios.load(NAME, overrides), None)


def test_attackers_are_told_the_one_defence_of_all_who_are_asked_about() -> None:
    """With all its options; not where one of them defends itself otherwise, nor where it publishes something else."""
    settings = scenarios.load("def-mia-digits").membership
    assert settings is not None
    assert settings.defended is not None
    assert settings.defended["defense"] == "def-mia"
    assert settings.defended["options"]["objective"] == "well-posed"
    for changes in (["clients.1.ids=[0,1]"], ["clients.1.defense=undefended", "clients.1.options={}"]):
        other = scenarios.load("def-mia-digits", changes).membership
        assert other is not None
        assert other.defended is None


@pytest.mark.parametrize(
    ("overrides", "error"),
    [
        (
            ["clients.1.options.surrogate=[64]"],
            r"not built like the network of adaptive-learner, .*got \[64\]\. Change",
        ),
        (["membership.known=-1"], "membership.known >= 0"),
    ],
)
def test_a_surrogate_like_the_attacker_s_network_is_refused(overrides: list[str], error: str) -> None:
    """As the paper demands; so is a wrong number of records told."""
    with pytest.raises(SettingsError, match=error):
        scenarios.load("def-mia-digits", overrides)


@pytest.mark.parametrize(
    ("overrides", "error"),
    [
        (["task.partition.reserve=0"], r"never trains on, got 0\. Set task\.partition\.reserve"),
        (["membership.known=0"], r"whose membership the attacker is told, got none\. Set membership\.known"),
        (["membership.reference=1"], r"at least two references, got 1\. Raise membership\.reference"),
        (["membership.known=150"], r"Expected 37 records of participant 0, got 30\. Lower membership\.records"),
    ],
)
def test_what_the_data_do_not_yield_is_refused_before_anything_starts(overrides: list[str], error: str) -> None:
    """Nothing to compare with for the defender, nothing to learn from for the attackers."""
    with pytest.raises(SettingsError, match=error):
        settle(scenarios.load("def-mia-digits", overrides), None)

"""What is guaranteed: against closed forms and published numbers, for the rounds that ran and the attack at hand."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
from scipy.stats import norm

from oleander import scenario as scenarios
from oleander.accounting import SEED, accounts, check, epsilon_of, quoted
from oleander.preflight import settle
from task.settings import SettingsError

CENTRAL = [
    "server.privacy=server-side-fixed-clipping",
    "server.privacy_options={noise_multiplier: 4.0, clipping_norm: 1.0}",
]
HONEST = ["clients=[]", "task.outputs=10", "task.partition.exclude=[]"]


def loaded(*overrides: str) -> scenarios.Scenario:
    """Return the demo without its thief."""
    return scenarios.load("gan-attack-digits", [*HONEST, *overrides])


def defended(defense: str, options: str, ids: str = "[1, 3]") -> str:
    """Return the --set that defends some participants."""
    return f"clients=[{{ids: {ids}, role: defended, defense: {defense}, options: {options}}}]"


def delta_of(epsilon: float, mu: float) -> float:
    """Return the delta of a Gaussian mechanism of sensitivity / deviation mu (Balle and Wang 2018, theorem 8)."""
    return float(norm.cdf(mu / 2 - epsilon / mu) - math.exp(epsilon) * norm.cdf(-mu / 2 - epsilon / mu))


@pytest.mark.parametrize(("multiplier", "rounds", "delta"), [(1.0, 1, 1e-5), (0.5, 1, 1e-5), (2.0, 60, 1e-3)])
def test_epsilon_is_that_of_the_closed_form(multiplier: float, rounds: int, delta: float) -> None:
    """T rounds are one mechanism of mu = sqrt(T) / z; for z = 1 and delta 1e-5 epsilon is 4.377, as published."""
    epsilon = epsilon_of(multiplier, rounds, delta)
    assert delta_of(epsilon, math.sqrt(rounds) / multiplier) == pytest.approx(delta, rel=1e-6)
    if (multiplier, rounds) == (1.0, 1):
        assert epsilon == pytest.approx(4.377, abs=1e-3)


@pytest.mark.parametrize(("multiplier", "rounds"), [(0.02, 60), (0.3, 30), (1.0, 10), (20.0, 5)])
def test_epsilon_is_between_the_bounds_by_hand(multiplier: float, rounds: int) -> None:
    """Zero-concentrated: at most rho + 2 sqrt(rho ln(1 / delta)) with rho = T / (2 z^2), and no less than half."""
    rho, delta = rounds / (2 * multiplier**2), 1e-5
    bound = rho + 2 * math.sqrt(rho * math.log(1 / delta))
    assert bound / 2 < epsilon_of(multiplier, rounds, delta) <= bound


def test_drawing_participants_by_lot_helps() -> None:
    """Ten rounds of 10 out of 100 at z = 1: dp-accounting's own value; never more than without the lot."""
    assert epsilon_of(1.0, 10, 1e-5, drawn=10, share=(10, 100)) == pytest.approx(4.58627, abs=1e-4)
    whole = epsilon_of(0.05, 10, 1e-5)
    assert epsilon_of(0.05, 10, 1e-5, drawn=10, share=(5, 6)) <= whole
    assert epsilon_of(0.05, 10, 1e-5, drawn=0, share=(5, 6)) == whole
    assert epsilon_of(1.0, 0, 1e-5) == 0.0


def test_central_noise_is_counted_for_the_rounds_that_ran() -> None:
    """Three of thirty: z / 2 = 2, since one participant can move the mean by 2 C / n; delta as asked for."""
    (plan,), (found,) = accounts(loaded(*CENTRAL)), accounts(loaded(*CENTRAL), [{"round": 1}] * 3)
    assert (plan["rounds"], found["rounds"]) == (30, 3)
    assert found["epsilon"] == epsilon_of(2.0, 3, 1e-5)
    assert (found["who"], found["delta"], found["unit"]) == ("server", 1e-5, "participant")
    (other,) = accounts(loaded(*CENTRAL, "accounting.delta=0.001"), [{"round": 1}] * 3)
    assert other["epsilon"] == epsilon_of(2.0, 3, 1e-3)


def test_a_lot_with_a_failure_is_no_lot() -> None:
    """Half of six are asked; of ten rounds two had a failure, and count in full."""
    scenario = loaded(*CENTRAL, "federation.fraction=0.5")
    lines: list[dict[str, Any]] = [{"failures": []}] * 8 + [{"failures": [{"client": 1, "reason": "late"}]}] * 2
    (found,) = accounts(scenario, lines)
    assert found["epsilon"] == epsilon_of(2.0, 10, 1e-5, drawn=8, share=(3, 6))
    assert any("who is drawn" in text for text in found["assumptions"])


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (("server.privacy_options.noise_multiplier=0",), "clipping alone"),
        (("server.strategy=fedadam",), "fedadam moves further"),
        (("server.strategy=fedmedian",), "fedmedian moves further"),
        (("federation.weighting=examples",), "weights are by the examples"),
    ],
)
def test_central_noise_that_guarantees_nothing_says_why(overrides: tuple[str, ...], reason: str) -> None:
    """Without noise, or where the result can move by more than the noise is meant for."""
    (found,) = accounts(loaded(*CENTRAL, *overrides))
    assert found["epsilon"] is None
    assert reason in found["reason"]


def test_local_noise_is_counted_for_the_rounds_a_participant_was_in() -> None:
    """It replied in one, failed in one, was not connected in one and not asked in one: two count."""
    scenario = loaded(defended("clip-and-noise", "{norm: 1, noise_multiplier: 3}"))
    lines: list[dict[str, Any]] = [
        {"clients": [0, 1]},
        {"clients": [0], "failures": [{"client": 1, "reason": "no reply within 600 s"}]},
        {"clients": [0], "failures": [{"client": 1, "reason": "not connected"}]},
        {"clients": [0, 2], "failures": []},
    ]
    found = {one["who"]: one for one in accounts(scenario, lines)}
    assert (found["client-1"]["rounds"], found["client-3"]["rounds"]) == (2, 0)
    assert found["client-1"]["epsilon"] == epsilon_of(1.5, 2, 1e-5)
    assert found["client-3"]["epsilon"] == 0


def test_flower_s_local_epsilon_is_of_one_round() -> None:
    """0.5 a round by its formula is 0.353 exactly, and 2.29 after thirty rounds rather than 0.5 or 15."""
    scenario = loaded(defended("local-dp", "{norm: 1, epsilon: 0.5}"))
    (one, _), (all_of_them, _) = accounts(scenario, [{"round": 1}]), accounts(scenario)
    multiplier = math.sqrt(2 * math.log(125000)) / 0.5
    assert one["epsilon"] == pytest.approx(epsilon_of(multiplier, 1, 1e-5))
    assert one["epsilon"] == pytest.approx(0.3526, abs=1e-4)
    assert all_of_them["epsilon"] == pytest.approx(2.2865, abs=1e-4)


def test_noise_from_the_seed_is_no_secret() -> None:
    """Secret noise holds against everybody, for the same epsilon; central noise against all but the server."""
    told = {}
    for defense, options in (("local-dp", "norm: 1, epsilon: 0.5"), ("clip-and-noise", "norm: 1, noise_multiplier: 3")):
        for secret in ("false", "true"):
            (one, _) = accounts(loaded(defended(defense, f"{{{options}, secret: {secret}}}")))
            told[defense, secret] = one["against"], SEED in one["assumptions"], one["epsilon"]
        assert told[defense, "false"][:2] == ("everybody, the server too, were the noise secret", True)
        assert told[defense, "true"][:2] == ("everybody, the server too", False)
        assert told[defense, "false"][2] == told[defense, "true"][2]
    (central,) = accounts(loaded(*CENTRAL))
    assert central["against"] == "whoever sees the global models alone, were the noise secret"


@pytest.mark.parametrize(
    ("defense", "options", "reason"),
    [
        ("anti-gan", "{}", "anti-gan adds no noise"),
        ("fixed-noise", "{}", "fixed-noise adds no noise"),
        ("compression", "{keep: 0.1}", "compression adds no noise"),
        ("clip-and-noise", "{norm: 1, noise_multiplier: 0}", "clipping alone hides nothing"),
        ("local-dp", "{norm: 1, epsilon: 1, sensitivity: 0}", "clipping alone hides nothing"),
    ],
)
def test_a_defence_without_a_guarantee_says_so(defense: str, options: str, reason: str) -> None:
    """No epsilon, and why."""
    found = accounts(loaded(defended(defense, options)))
    assert [one["epsilon"] for one in found] == [None, None]
    assert reason in found[0]["reason"]
    assert quoted(found, victims=[1, 3], server_attacks=False)["reason"] == found[0]["reason"]


def test_what_is_quoted_holds_against_the_attack() -> None:
    """The server's noise not against the server; of two victims the worse off; of what protects one the stronger."""
    central, weak, strong, none = (
        {"who": who, "epsilon": epsilon, "delta": 1e-5, "unit": "participant", "reason": reason}
        for who, epsilon, reason in (
            ("server", 3.0, ""),
            ("client-1", 9.0, ""),
            ("client-2", 2.0, ""),
            ("client-3", None, "no noise"),
        )
    )
    said = {"delta": 1e-5, "unit": "participant"}

    def epsilon(*victims: int, server: bool = False, found: Sequence[dict[str, Any]]) -> float | None:
        quote: float | None = quoted(found, victims=victims, server_attacks=server)["epsilon"]
        return quote

    assert quoted([central], victims=[1], server_attacks=False) == {"epsilon": 3.0, **said}
    assert "is the attacker" in quoted([central], victims=[1], server_attacks=True)["reason"]
    assert epsilon(1, 2, server=True, found=[weak, strong]) == 9.0
    assert epsilon(1, 2, found=[central, weak, strong]) == 3.0
    assert epsilon(2, found=[central, strong]) == 2.0
    assert epsilon(2, 4, found=[central, strong]) == 3.0
    assert epsilon(3, found=[central, none]) == 3.0
    assert epsilon(2, server=True, found=[central, strong]) == 2.0
    assert epsilon(2, 4, found=[weak, strong]) is None
    assert quoted([weak], victims=[4], server_attacks=True)["reason"] == (
        "participant 4: there is no mechanism with a guarantee"
    )
    assert quoted([strong, none], victims=[2, 3], server_attacks=False)["reason"] == "no noise"
    assert quoted([], victims=[1], server_attacks=False) == {
        "epsilon": None,
        "reason": "there is no mechanism with a guarantee",
    }


def test_noise_of_somebody_else_is_no_guarantee_for_the_victim() -> None:
    """A server is after participant 4; participant 1's own noise gives it an epsilon of 3.4 and 4 none."""
    noise = "{ids: [1], role: defended, defense: local-dp, options: {norm: 1, epsilon: 0.5}}"
    attacked = scenarios.load("mgan-ai-digits", [f"clients=[{noise}]", "accounting.max_epsilon=10"])
    assert accounts(attacked)[0]["epsilon"] == pytest.approx(3.38, abs=0.01)
    with pytest.raises(SettingsError, match="participant 4: there is no mechanism"):
        check(attacked)
    check(scenarios.load("mgan-ai-digits", [f"clients=[{noise.replace('[1]', '[4]')}]", "accounting.max_epsilon=10"]))


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        ((), "a mechanism with a guarantee, as accounting.max_epsilon asks, got 'there is no mechanism"),
        ((defended("anti-gan", "{}"),), "got 'participant 0: there is no mechanism"),
        ((*CENTRAL, "server.privacy_options.noise_multiplier=0"), "got 'clipping alone"),
        (CENTRAL, "epsilon of 8 at most, got 14.83.* 30 rounds at delta 1e-05"),
    ],
)
def test_a_run_that_cannot_guarantee_what_is_asked_is_refused(overrides: tuple[str, ...], text: str) -> None:
    """Before anything is started: no mechanism, one without a guarantee, or too little noise."""
    with pytest.raises(SettingsError, match=text):
        settle(loaded(*overrides, "accounting.max_epsilon=8"), None)


def test_a_run_that_guarantees_what_is_asked_may_start() -> None:
    """Noise of four times the norm in thirty rounds gives 14.83; with two rounds, less than 8."""
    check(loaded(*CENTRAL, "accounting.max_epsilon=15"))
    check(loaded(*CENTRAL, "accounting.max_epsilon=8", "federation.rounds=2"))


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("accounting.delta=0", "accounting.delta between 0 and 1"),
        ("accounting.delta=1", "accounting.delta between 0 and 1"),
        ("accounting.max_epsilon=-1", "accounting.max_epsilon > 0"),
        ("accounting.epsilon=1", "Did you mean 'max_epsilon'"),
        ("server.privacy=server-side", "a wrapper for server.privacy"),
        ("server.privacy_options={clipping_norm: 1}", "a wrapper for server.privacy_options"),
    ],
)
def test_settings_that_mean_nothing_are_refused(override: str, text: str) -> None:
    """When the scenario is loaded."""
    with pytest.raises(SettingsError, match=text):
        loaded(override)

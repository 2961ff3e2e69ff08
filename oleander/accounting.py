"""What differential privacy a run guarantees: epsilon for the mechanisms that really ran, or why there is none.

Everything counted is Gaussian noise on clipped updates, round after round. The unit is a participant, and neighbours
differ in **everything that one participant sends**, replaced by anything else. Two clipped updates lie up to 2 C apart,
so that noise of z C is worth z / 2. For the mean of n updates adding or removing one participant moves it as far, since
Flower divides by the replies that came; its own accountant counts z.

Where everybody takes part, T rounds are one Gaussian mechanism of z / (2 sqrt(T)) (Dong et al. 2019, arXiv:1905.02383,
corollary 3.3), whose epsilon is exact (Balle and Wang 2018, arXiv:1805.06530, theorem 8). Where participants are drawn,
it is the bound of Wang et al. 2019 (arXiv:1808.00087) for sampling without replacement, or the exact one without the
drawing, whichever is less. dp-accounting computes both.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oleander.scenario import Scenario
from oleander.sections import ClientSettings
from task.settings import expect

UNIT = "participant"
MEANS = ("fedavg", "fedprox")
NOTHING = "there is no mechanism with a guarantee"
NEIGHBOURS = (
    "Neighbours differ in everything that one participant sends, replaced by anything else: two clipped updates lie up "
    "to twice the norm apart."
)
SEED = (
    "The noise comes from the run's seed, which can be found by trial, and then subtracted: the epsilon is that of the "
    "same mechanism with noise from the operating system, which `secret: true` draws."
)
BESIDE = "The loss and the number of examples, sent beside the update, are not covered."


@dataclass(frozen=True, kw_only=True)
class Mechanism:
    """Something that a run does for privacy's sake.

    Attributes:
        who: `server`, or `client-N`.
        name: in words.
        multiplier: the noise's standard deviation over the distance of two neighbours' results; 0 for no guarantee.
        reason: why there is none; empty where there is one.
        assumptions: what the guarantee rests on.
        secret: whether the noise is from randomness that nobody else has, rather than from the run's seed.

    """

    who: str
    name: str
    multiplier: float = 0.0
    reason: str = ""
    assumptions: tuple[str, ...] = ()
    secret: bool = False

    @property
    def against(self) -> str:
        """Whom the guarantee holds against, in words."""
        whom = "whoever sees the global models alone" if self.who == "server" else "everybody, the server too"
        return whom if self.secret else f"{whom}, were the noise secret"


def accounts(scenario: Scenario, rounds: Sequence[Mapping[str, Any]] | None = None) -> list[dict[str, Any]]:
    """Return what each mechanism of a run guarantees.

    Args:
        scenario: resolved.
        rounds: lines of rounds.jsonl; None for all that are planned.

    Returns:
        For each `who`, `mechanism`, `protects`, `against`, `epsilon` (None: no guarantee, and `reason` says why),
        `delta`, `unit`, `rounds` in which something was released, `assumptions`.

    """
    planned = [{"round": number + 1} for number in range(scenario.federation.rounds)]
    lines = planned if rounds is None else list(rounds)
    return [_account(scenario, one, lines) for one in _mechanisms(scenario)]


def quoted(found: Sequence[Mapping[str, Any]], *, victims: Collection[int], server_attacks: bool) -> dict[str, Any]:
    """Return the account that a run may be quoted with, against the attack that it is under.

    Noise that the server adds guarantees nothing against the server. Of all that protects a victim the strongest
    counts, and of several victims the one that is protected the least.

    Args:
        found: from `accounts`.
        victims: participants whom the attack is after, at least one.
        server_attacks: whether the server is the attacker.

    Returns:
        `epsilon`, `delta`, `unit`, or `epsilon` None and `reason`.

    """
    known = {one["who"]: one for one in found}
    useless = server_attacks and "server" in known
    reason = "the server, which adds the noise, is the attacker" if useless else NOTHING
    worst: Mapping[str, Any] = {"epsilon": -math.inf}
    for victim in sorted(victims):
        names = [f"client-{victim}", *(["server"] if not server_attacks else [])]
        unprotected = {"epsilon": None, "reason": f"participant {victim}: {reason}" if known else reason}
        best = min((known[name] for name in names if name in known), key=_size, default=unprotected)
        worst = max(worst, best, key=_size)
    return {key: worst[key] for key in ("epsilon", "delta", "unit", "reason") if worst.get(key, "") != ""}


def victims_of(scenario: Scenario) -> list[int]:
    """Return whom a run's attack may be after: a server's victim, else everybody who does not attack."""
    named = scenario.server.attack_options.get("victim") if scenario.server.attack is not None else None
    attackers = set(scenario.malicious())
    return [one for one in range(scenario.federation.clients) if one not in attackers] if named is None else [named]


def check(scenario: Scenario) -> None:
    """Refuse a run whose planned rounds do not guarantee what is asked of it.

    Raises:
        SettingsError: where no epsilon can be computed, or it is larger than accounting.max_epsilon.

    """
    most = scenario.accounting.max_epsilon
    if most is None:
        return
    attacked = scenario.server.attack is not None
    plan = quoted(accounts(scenario), victims=victims_of(scenario), server_attacks=attacked)
    epsilon = plan["epsilon"]
    remedy = "Set accounting.max_epsilon to null, or see docs/privacy.md for what has a guarantee."
    expect(
        epsilon is not None, "a mechanism with a guarantee, as accounting.max_epsilon asks", plan.get("reason"), remedy
    )
    rounds, delta = scenario.federation.rounds, scenario.accounting.delta
    remedy = f"That is for {rounds} rounds at delta {delta:g}: add noise, or take fewer rounds."
    expect(epsilon <= most, f"epsilon of {most:g} at most", float(f"{epsilon:.4g}"), remedy)


def epsilon_of(
    multiplier: float, rounds: int, delta: float, *, drawn: int = 0, share: tuple[int, int] = (1, 1)
) -> float:
    """Return the epsilon of Gaussian mechanisms, one after the other.

    Args:
        multiplier: standard deviation over sensitivity, > 0.
        rounds: how many.
        delta: that it is for.
        drawn: in how many of them the participants were drawn without anybody's knowing ...
        share: ... so many of so many.

    """
    if rounds == 0:
        return 0.0
    from dp_accounting import GaussianDpEvent, NeighboringRelation, SampledWithoutReplacementDpEvent  # noqa: PLC0415
    from dp_accounting.pld.privacy_loss_mechanism import GaussianPrivacyLoss  # noqa: PLC0415 - they take a second
    from dp_accounting.rdp import RdpAccountant  # noqa: PLC0415
    from scipy.optimize import brentq  # noqa: PLC0415

    once = GaussianPrivacyLoss(multiplier / math.sqrt(rounds), sensitivity=1)
    mu = math.sqrt(rounds) / multiplier
    if once.get_delta_for_epsilon(0.0) <= delta:
        return 0.0
    beyond = mu**2 / 2 + mu * math.sqrt(2 * math.log(1 / delta))  # a tail bound: delta is never more there
    exact = float(brentq(lambda epsilon: once.get_delta_for_epsilon(epsilon) - delta, 0.0, beyond))
    if not drawn or share[0] >= share[1]:
        return exact
    accountant = RdpAccountant(neighboring_relation=NeighboringRelation.REPLACE_ONE)
    accountant.compose(SampledWithoutReplacementDpEvent(share[1], share[0], GaussianDpEvent(multiplier)), drawn)
    if rounds > drawn:
        accountant.compose(GaussianDpEvent(multiplier), rounds - drawn)
    return min(exact, float(accountant.get_epsilon(delta)))


def _account(scenario: Scenario, mechanism: Mechanism, lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what one mechanism guarantees after the rounds on these lines."""
    central, federation = mechanism.who == "server", scenario.federation
    asked = round(federation.fraction * federation.clients)
    share = max(federation.min_replies or 1, asked), federation.clients
    # Who replies instead of whom is not drawn by lot any more where somebody was missing.
    drawn = sum(not line.get("failures") for line in lines) if central and share[0] < share[1] else 0
    count = len(lines) if central else _took_part(lines, mechanism.who)
    epsilon = None
    if not mechanism.reason:
        epsilon = epsilon_of(mechanism.multiplier, count, scenario.accounting.delta, drawn=drawn, share=share)
    secret = ("Nobody knows who is drawn in a round.",) * bool(drawn)
    return {
        "who": mechanism.who,
        "mechanism": mechanism.name,
        "protects": "every participant" if central else f"participant {mechanism.who.removeprefix('client-')}",
        "against": mechanism.against if epsilon is not None else "nobody",
        "epsilon": epsilon,
        "delta": scenario.accounting.delta,
        "unit": UNIT,
        "rounds": count,
        "reason": mechanism.reason,
        "assumptions": [*mechanism.assumptions, *secret] if epsilon is not None else [],
    }


def _took_part(lines: Sequence[Mapping[str, Any]], who: str) -> int:
    """Return in how many rounds a participant may have sent something: all but those in which it was not asked."""
    client = int(who.removeprefix("client-"))
    count = 0
    for line in lines:
        failed = [one["client"] for one in line.get("failures") or () if one.get("reason") != "not connected"]
        count += client in (*line.get("clients", (client,)), *failed)
    return count


def _mechanisms(scenario: Scenario) -> list[Mechanism]:
    """Return everything that a run does for privacy's sake: the server first, then the defended participants."""
    entries = [(client, scenario.role_of(client)) for client in scenario.defended()]
    central = [] if scenario.server.privacy is None else [_central(scenario, scenario.server.privacy)]
    return [*central, *(_local(client, entry) for client, entry in sorted(entries, key=lambda pair: pair[0]))]


def _central(scenario: Scenario, name: str) -> Mechanism:
    """Return Flower's wrapper."""
    server, words = scenario.server, f"Flower's {name}"
    multiplier = float(server.privacy_options["noise_multiplier"])
    reasons = {
        "clipping alone hides nothing: its noise_multiplier is 0": multiplier == 0,
        f"the noise is meant for a mean, and {server.strategy} moves further": server.strategy not in MEANS,
        "weights are by the examples that participants claim, and the noise is meant for equal ones": (
            scenario.federation.weighting != "uniform"
        ),
    }
    reason = next((reason for reason, applies in reasons.items() if applies), "")
    secret = bool(server.privacy_options.get("secret"))
    assumptions = [NEIGHBOURS] if secret else [NEIGHBOURS, SEED]
    if name.startswith("client-side"):
        assumptions.append("Every participant clips its own update as it is asked to.")
    if "adaptive" in name:
        assumptions.append("Counting who was clipped costs its share: both noises together are of this multiplier.")
    return Mechanism(
        who="server",
        name=words,
        multiplier=multiplier / 2,
        reason=reason,
        assumptions=tuple(assumptions),
        secret=secret,
    )


def _local(client: int, entry: ClientSettings) -> Mechanism:
    """Return a participant's defence."""
    from defenses import registry  # noqa: PLC0415 - it imports torch

    name, secret = entry.defense or "", bool(entry.options.get("secret"))
    multiplier = registry.noise_multiplier(name, entry.options)
    reason = "" if multiplier else f"{name} adds no noise that anything could be concluded from"
    if multiplier == 0:
        reason = "clipping alone hides nothing: there is no noise"
    return Mechanism(
        who=f"client-{client}",
        name=name,
        multiplier=multiplier or 0.0,
        reason=reason,
        assumptions=(NEIGHBOURS, *(() if secret else (SEED,)), BESIDE),
        secret=secret,
    )


def _size(account: Mapping[str, Any]) -> float:
    """Return an account's epsilon, infinite where there is no guarantee."""
    return math.inf if account["epsilon"] is None else float(account["epsilon"])

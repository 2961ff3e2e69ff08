"""What a cell's run says of leakage, utility, cost and epsilon; and what several seeds say together."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import mean
from typing import Any

from oleander import accounting
from oleander.judge.statistics import mean_interval
from oleander.matrix.inquiries import numbers as areas
from oleander.report.metrics import finite, headline_of, inquiries_of, properties_of, targets_of
from oleander.rundir import RunDirectory

J, RECOGNISED, AUC, NOTHING = "J", "recognised", "AUC", ""
CHANCE = 0.5
"""The AUC of guessing."""
CONTROLS = ("J_other", "J_auxiliary", "J_real_public")
UNITS = {
    "leakage": "share of the loot that an independent judge recognises as the victim's class (metric `recognised`: "
    "mean of the targets; where holders of some are defended, of those alone), with the victim's private property "
    "where it has one (metric `J`); of membership attacks the area under the ROC curve of the server's, or of the "
    "first participant's where the server does not ask (metric `AUC`; a half is guessing)",
    "control": "the same of what is not the victim's: a class that nobody owns, or the strongest control of J; of a "
    "membership attack the strongest baseline's area; of one who reads a published set what that shows without any "
    "attack, real images in it included",
    "accuracy": "of the final global model on the server's test images; none of a run of a single round, which is "
    "there for what is published in it",
    "riafi": "share of held-out real images of its classes that a classifier gets right which knows them from what a "
    "defended participant publishes in place of its own; of several participants the least",
    "seen": "share of those published images that are not real which an independent judge takes for their class; of "
    "several participants the most",
    "seconds": "of all rounds, the attack's own work included",
    "participant_seconds": "own work in all rounds of the busiest participant who does not attack",
    "bytes": "of the weights sent, both ways, all rounds",
    "epsilon": "that the mechanism guarantees the attack's victims against it over all rounds, the worst of them, with "
    "noise that is secret (an experiment's comes from its seed, which can be found by trial); none: no guarantee",
}
"""Every measure, and what it is."""


@dataclass(frozen=True, kw_only=True)
class Measures:
    """One run's numbers, see UNITS; None for what is not on record.

    Attributes:
        metric: what the leakage is: J, RECOGNISED, AUC or, where nobody attacks, NOTHING.
        loot: whether the attack left any: one that never began has no leakage to measure.
        asked: of membership attacks, see oleander.matrix.inquiries.numbers.
        privacy: what epsilon is worth nothing without, `delta` and `unit`; or the `reason` why there is none.

    """

    metric: str
    loot: bool
    leakage: float | None
    control: float | None
    accuracy: float | None
    riafi: float | None
    seen: float | None
    seconds: float | None
    participant_seconds: float | None
    bytes: float | None
    epsilon: float | None
    privacy: dict[str, Any]
    asked: dict[str, float] = field(default_factory=dict)


def of_run(run: RunDirectory) -> Measures:
    """Return a judged run's numbers."""
    verdict, rounds = run.verdict(), run.rounds()
    metric, leakage, control = leaked(verdict)
    guarantee = accounting.quoted(
        verdict.get("privacy") or [],
        victims=_victims(verdict) or accounting.victims_of(run.scenario),
        server_attacks=run.scenario.server.attack is not None,
    )
    attackers = set(run.scenario.malicious())
    return Measures(
        metric=metric,
        loot=any(attacker.get("last_loot_round") is not None for attacker in verdict["attackers"].values()),
        leakage=leakage,
        control=control,
        accuracy=finite(rounds[-1].get("accuracy")) if rounds and run.scenario.federation.rounds > 1 else None,
        riafi=min(_of_defended(verdict, "riafi"), default=None),
        seen=max(_of_defended(verdict, "seen"), default=None),
        seconds=_total(rounds, ("seconds",)),
        participant_seconds=_own(rounds, attackers),
        bytes=_total(rounds, ("bytes_down", "bytes_up")),
        epsilon=finite(guarantee.get("epsilon")),
        privacy={key: value for key, value in guarantee.items() if key != "epsilon"},
        asked=areas(run, verdict),
    )


def leaked(verdict: Mapping[str, Any]) -> tuple[str, float | None, float | None]:
    """Return the headline metric of a verdict's attack, its value, and the strongest control's.

    Of several targets the mean counts; where the holders of some are defended, of those alone: the others say nothing
    of the defence. Of controls the strongest counts.
    """
    said = next((prop for _, prop in properties_of(verdict)), None)
    if said is not None:
        controls = [share for name in CONTROLS if (share := finite(said.get(name))) is not None]
        return J, finite(said.get("J")), max(controls, default=None)
    inquiries = dict(inquiries_of(verdict))
    asked = inquiries.get("server", next(iter(inquiries.values()), None))
    rows = [numbers for _, _, numbers in targets_of(verdict)]
    if asked is not None and not rows:
        mine = headline_of(asked)
        best = (asked["membership"]["adds"].get(mine.get("protocol")) or {}).get("baseline")
        theirs = asked["membership"]["methods"].get(best, {}).get(mine.get("protocol"), {})
        return AUC, finite(mine.get("auc")), finite(theirs.get("auc"))
    known = [(row, share) for row in rows if (share := finite(row.get("recognised"))) is not None]
    targets = [(row.get("defenses"), share) for row, share in known if not row.get("control")]
    stolen = [share for defenses, share in targets if defenses] or [share for _, share in targets]
    controls = [share for row, share in known if row.get("control")]
    if not controls and any(one.get("attack") == "published-set" for one in verdict["attackers"].values()):
        controls = _of_defended(verdict, "seen_published")
    metric = RECOGNISED if verdict.get("attackers") else NOTHING
    return metric, mean(stolen) if stolen else None, max(controls, default=None)


def style(metric: str) -> str:
    """Return how a leakage of this metric is written, see oleander.matrix.writing.number."""
    return "area" if metric == AUC else "share"


def strength(metric: str, leakage: float) -> float:
    """Return how much of what could leak has leaked, from 0 to 1: of an AUC, what lies above guessing."""
    return max(0.0, (leakage - CHANCE) / (1 - CHANCE)) if metric == AUC else leakage


def _victims(verdict: Mapping[str, Any]) -> set[int]:
    """Return whom the attacks were after: a server's victim, who is asked about, and who holds what was wanted."""
    named = {attacker.get("victim") for attacker in verdict["attackers"].values()} - {None}
    owners = {one for _, _, row in targets_of(verdict) if not row.get("control") for one in row.get("owner") or ()}
    asked = {client for _, one in inquiries_of(verdict) for client in one["membership"]["about"]}
    return named or owners | asked


def _of_defended(verdict: Mapping[str, Any], name: str) -> list[float]:
    """Return a number of every participant that publishes something."""
    each = (verdict.get("defended") or {}).values()
    return [value for one in each if (value := finite(one.get(name))) is not None]


def _total(rounds: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> float | None:
    """Return the sum of some numbers over all rounds; None where one is missing."""
    values = [finite(line.get(key)) for line in rounds for key in keys]
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _own(rounds: Sequence[Mapping[str, Any]], attackers: set[int]) -> float | None:
    """Return the own seconds, in all rounds, of the busiest participant who does not attack."""
    each: dict[int, float] = {}
    for line in rounds:
        for client, seconds in zip(line.get("clients") or (), line.get("seconds_each") or (), strict=False):
            if client not in attackers:
                each[client] = each.get(client, 0.0) + seconds
    return max(each.values(), default=None)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Several seeds' values: their mean, its 95 % interval (Student's t; None for one value), how many there are."""

    mean: float | None
    low: float | None
    high: float | None
    count: int


def spread(values: Sequence[float | None]) -> Spread:
    """Return the spread of the values that there are; of shares, too, the interval may go beyond 0 and 1."""
    known = [value for value in values if value is not None]
    middle, low, high = mean_interval(known)
    return Spread(mean=finite(middle), low=finite(low), high=finite(high), count=len(known))


def row(measured: Sequence[Measures]) -> dict[str, Any]:
    """Return what several seeds of one cell say together: each measure as a Spread's mapping, `metric`, `without_loot`.

    Args:
        measured: one for each seed that is finished; may be empty.

    """
    spreads = {name: asdict(spread([getattr(one, name) for one in measured])) for name in UNITS}
    metrics = {one.metric for one in measured}
    return spreads | {
        "metric": "/".join(sorted(metrics)),
        "without_loot": sum(not one.loot for one in measured),
        "privacy": measured[0].privacy if measured else {},
        "asked": {
            name: asdict(spread([one.asked[name] for one in measured]))
            for name in (measured[0].asked if measured else ())
            if all(name in one.asked for one in measured)
        },
    }


def pareto(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return which points (utility, leakage) no other point beats, in the order of their utility.

    One beats another if it has at least its utility and at most its leakage, and is not the same point.
    """
    front = [
        index
        for index, mine in enumerate(points)
        if not any(other[0] >= mine[0] and other[1] <= mine[1] and other != mine for other in points)
    ]
    return sorted(front, key=lambda index: points[index])

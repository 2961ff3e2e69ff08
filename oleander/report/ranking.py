"""Attacks against one another: the order of Wang's inception scores (Table III), the model's accuracy (Fig. 7).

Only groups of runs that are set alike are compared, by the 95 % intervals of their means over seeds. An order is
reproduced where each stands clear of the next, not reproduced where one is clearly the other way round, and not judged
in between.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

from oleander.judge.statistics import mean_interval, share_interval
from oleander.judge.words import percent
from oleander.report.departures import of_the_federation
from oleander.report.metrics import finite
from oleander.scenario import Scenario

Run = tuple[Scenario, Mapping[str, Any]]
Judged = tuple[str, str]
Key = tuple[str, tuple[str, ...]]
Groups = dict[Key, list[Run]]
"""Runs that are set alike, by kind of attack and departures from the paper."""
Spread = tuple[float, float, float]

REPRODUCED, NOT_REPRODUCED, NOT_JUDGED = "reproduced", "not reproduced", "not judged"
OTHERWISE = "with other settings"
ONE_SEED, OVERLAP = "not judged (one seed)", "not judged (intervals overlap)"
OTHER_CLASSES = "not judged (not of the same classes, or of as many images)"
KINDS = {"active": "active", "passive": "passive", "participant": "GAN-based attack", "inversion": "model inversion"}
ORDER = ("active", "passive", "participant", "inversion")
FALLING = ("passive", "active", "participant")
OSCILLATES = 2.0
"""An accuracy oscillates that moves so many times as much a round as those of the two other attacks."""


def named(changed: Sequence[str]) -> str:
    """Name a group by its departures."""
    return "; ".join(changed) or "as the paper has it"


def scores_of(runs: Sequence[Run]) -> list[Mapping[str, Any]]:
    """Return the attackers' inception scores."""
    attackers = [attacker for _, verdict in runs for attacker in (verdict.get("attackers") or {}).values()]
    return [attacker["inception"] for attacker in attackers if attacker.get("inception")]


def values(found: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    """Return the numbers of that name, where there are."""
    return [value for one in found if (value := finite(one.get(name))) is not None]


def shares(found: Sequence[float]) -> str:
    """Write the mean of shares, with the interval over several runs."""
    mean, low, high = mean_interval(found)
    if len(found) == 1:
        return percent(mean)
    return f"{percent(mean)} ({percent(max(0.0, low))} to {percent(min(1.0, high))} over {len(found)} runs)"


def spread(found: Sequence[float], most: float = math.inf) -> str:
    """Write the mean of scores from 0 to `most`, with the interval over several runs."""
    mean, low, high = mean_interval(found)
    if len(found) == 1:
        return f"{mean:.2f}"
    return f"{mean:.2f} ({max(0.0, low):.2f} to {min(most, high):.2f} over {len(found)} runs)"


def area(found: Sequence[float]) -> str:
    """Write the mean of areas under ROC curves, likewise."""
    return spread(found, 1.0)


def interval(numbers: Sequence[float], count: int = 0) -> tuple[float, float, float]:
    """Return a mean and its interval; of shares, `count` being how many each is of."""
    return share_interval(numbers, count) if count else mean_interval(numbers)


def apart(high: Sequence[float], low: Sequence[float], count: int = 0) -> str:
    """Say whether one number lies clearly above another, by their means over seeds; `count` as in `interval`."""
    if not high or not low:
        return NOT_JUDGED
    if min(len(high), len(low)) == 1:
        return ONE_SEED
    (_, least, above), (_, under, most) = interval(high, count), interval(low, count)
    return REPRODUCED if least > most else NOT_REPRODUCED if above < under else OVERLAP


def seeds_of(groups: Groups) -> Groups:
    """Return one run a seed, which is enough for what does not depend on the attack."""
    by_seed = {run[0].federation.seed: run for group in reversed(list(groups.values())) for run in reversed(group)}
    return {("real", ()): [by_seed[seed] for seed in sorted(by_seed)]}


def order(groups: Groups) -> Judged:
    """Judge the order of the scores by the judge's own network, of as many samples each as there are real images."""
    found = {key: values(scores_of(group), "is_task_alike") for key, group in groups.items()}
    found = {key: numbers for key, numbers in found.items() if numbers}
    if len(found) < 2:  # noqa: PLR2004  # an order needs two
        return "", NOT_JUDGED
    labels = _labels(list(found))
    ranked = sorted(found, key=lambda key: -mean_interval(found[key])[0])
    lines = [f"by the judge's own score: {' > '.join(f'{labels[key]} {spread(found[key])}' for key in ranked)}"]
    lines += [f"{labels[key]}: {named(key[1])}" for key in ranked]
    missing = [name for one, name in KINDS.items() if all(key[0] != one for key in found)]
    if missing:
        return "\n".join([*lines, f"without {', '.join(missing)}"]), NOT_JUDGED
    if not all((one, ()) in found for one in ORDER):
        return "\n".join(lines), OTHERWISE
    scores = [one for name in ORDER for one in scores_of(groups[name, ()])]
    if len({(one.get("classes"), one.get("samples_alike")) for one in scores}) > 1:
        return "\n".join(lines), OTHER_CLASSES
    return "\n".join(lines), _ordered([found[one, ()] for one in ORDER])


def _labels(keys: Sequence[Key]) -> dict[Key, str]:
    """Name groups by the kind of attack, with a letter where there are several of a kind."""
    labels: dict[Key, str] = {}
    for one in dict.fromkeys(key[0] for key in keys):
        mine = [key for key in keys if key[0] == one]
        name = KINDS.get(one, "no attack")
        labels |= {key: f"{name} {chr(65 + place)}" if len(mine) > 1 else name for place, key in enumerate(mine)}
    return labels


def _ordered(series: Sequence[Sequence[float]]) -> str:
    """Say whether each of several series lies clear above the next."""
    if min(map(len, series)) == 1:
        return ONE_SEED
    intervals = [mean_interval(one) for one in series]
    if any(later[1] > earlier[2] for earlier, later in combinations(intervals, 2)):
        return NOT_REPRODUCED
    return REPRODUCED if all(upper[1] > lower[2] for upper, lower in pairwise(intervals)) else OVERLAP


def effect(groups: Groups) -> Judged:
    """Judge the side effect: final accuracy by attack, and how much it moves from round to round."""
    final = {
        key: found
        for key, group in groups.items()
        if (found := values([_model(verdict, "final") for _, verdict in group], "accuracy"))
    }
    if not final:
        return "", NOT_JUDGED
    swing = {
        key: values([_model(verdict, "after_attack") for _, verdict in groups[key]], "accuracy_swing") for key in final
    }
    labels, texts = _labels(list(final)), []
    for key, found in final.items():
        moves = f", moving by {shares(swing[key])} a round" if swing[key] else ""
        texts.append(f"{labels[key]} {shares(found)}{moves}: {named(key[1])}")
    alike, same = _beside_honest(groups)
    texts += alike
    if same is None or not all(any(key[0] == one for key in final) for one in FALLING):
        return "\n".join(texts), NOT_JUDGED
    if not all((one, ()) in final for one in FALLING):
        return "\n".join(texts), OTHERWISE
    keys: list[Key] = [(one, ()) for one in FALLING]
    return "\n".join(texts), _fallen([final[key] for key in keys], [swing[key] for key in keys], same=same)


def _fallen(final: Sequence[Sequence[float]], swing: Sequence[Sequence[float]], *, same: bool) -> str:
    """Say whether accuracies of a passive, an active and a participant's attack are as the paper has them.

    The last is clearly the lowest and oscillates, the first is not below the second, and that of an honest run.
    """
    if min(map(len, final)) == 1:
        return ONE_SEED
    if not all(swing):
        return NOT_JUDGED
    moves = [sum(one) / len(one) for one in swing]
    passive, active, participant = (mean_interval(one) for one in final)
    oscillates = moves[2] >= OSCILLATES * max(moves[:2])
    if not (same and oscillates) or active[1] > passive[2] or participant[1] > active[2]:
        return NOT_REPRODUCED
    return REPRODUCED if active[1] > participant[2] else OVERLAP


def _beside_honest(groups: Groups) -> tuple[list[str], bool | None]:
    """Hold passive runs against honest ones of the same federation and seed; say how, and whether none differs.

    None where there is none to hold them against.
    """
    every = [run for group in groups.values() for run in group]
    plain = {_federation(run[0]): run for (one, _), group in groups.items() if one == "honest" for run in group}
    apart = []
    for scenario, verdict in every:
        beside = plain.get(_federation(scenario))
        if scenario.server.attack_options.get("mode") == "passive" and beside is not None:
            ours, theirs = (finite(_model(one, "final").get("accuracy")) for one in (verdict, beside[1]))
            apart += [abs(ours - theirs)] if ours is not None and theirs is not None else []
    if not apart:
        return ["no honest run of the same federation and seed beside the passive attack"], None
    same, seeds = max(apart) == 0, f"{len(apart)} seed{'s' if len(apart) > 1 else ''}"
    said = "is that of" if same else f"differs by up to {percent(max(apart))} from that of"
    return [f"the passive attack's accuracy {said} the honest run, {seeds}"], same


def _federation(scenario: Scenario) -> tuple[Any, ...]:
    """Return what makes two federations the same, whatever the server looks at."""
    federation = scenario.federation
    changed = tuple(of_the_federation(scenario))
    return federation.seed, federation.clients, federation.rounds, scenario.task.dataset, changed


def _model(verdict: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    """Return the global model's numbers at a place."""
    found: Mapping[str, Any] = (verdict.get("global_model") or {}).get(place) or {}
    return found

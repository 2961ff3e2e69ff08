"""Wang's results beside ours: runs of several seeds, recipes and controls, as means with intervals.

A row is judged by the runs whose attack is the paper's, if there are such; else it says "with other settings". Runs
with an upright victim are the control of the others, and never a result of their own.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attacks import registry
from oleander.judge.statistics import mean_interval
from oleander.judge.words import percent
from oleander.report.metrics import finite, properties_of
from oleander.report.papers import Paper, Result, Row
from oleander.scenario import Scenario
from task.settings import to_dict

Run = tuple[Scenario, Mapping[str, Any]]
Judged = tuple[str, str]
HALF, CLEAR, TENTH = 0.5, 0.25, 0.1
OTHERWISE, NOT_JUDGED = "with other settings", "not judged"
FREE = ("victim", "mode", "recipe", "start_round", "start_accuracy", "stop_accuracy")
"""Options that are no part of the recipe: whom, how, and when."""
PAPERS_OWN = {"network": ("wang", "wang-faces"), "model": ("wang-cnn", "wang-faces-cnn")}
KINDS = {"active": "active", "passive": "passive", "participant": "GAN-based attack", "inversion": "model inversion"}
ORDER = ("active", "passive", "participant", "inversion")


def kind(scenario: Scenario) -> str:
    """Return `passive`, `active`, `inversion`, `participant` (a client's GAN), `honest`, or another attack's name."""
    attack = scenario.server.attack
    if attack == "mgan-ai":
        return str(scenario.server.attack_options.get("mode"))
    if attack is not None:
        return "inversion" if attack == "model-inversion" else attack
    return "participant" if scenario.malicious() else "honest"


def rows(paper: Paper, runs: Sequence[Run]) -> list[Row]:
    """Put runs beside the paper's results; see oleander.report.beside.rows."""
    return [_row(result, [run for run in runs if _covers(result, run[0])]) for result in paper.results]


def departures(scenario: Scenario, clients: int | None = None) -> list[str]:
    """Return, in words, in what a run is set otherwise than the paper's.

    Args:
        scenario: resolved.
        clients: the paper's participants beside an attacker; None where that does not matter.

    """
    server, found = scenario.server, []
    if server.attack == "mgan-ai":
        given = server.attack_options
        recipe = given.get("recipe", "paper")
        found += [f"recipe {recipe}"] if recipe != "paper" else []
        plain = {"victim": 0, "mode": given.get("mode", "passive"), "recipe": recipe}
        usual = to_dict(registry.options(server.attack, plain))
        found += [
            f"{name} {given[name]}"
            for name, default in usual.items()
            if name not in FREE and name in given and given[name] not in (default, *PAPERS_OWN.get(name, ()))
        ]
    if scenario.task.model not in PAPERS_OWN["model"]:
        found.append(f"model {scenario.task.model}")
    honest = scenario.federation.clients - len(scenario.malicious())
    if clients is not None and honest != clients:
        found.append(f"{honest} participants")
    return found


def _covers(result: Result, scenario: Scenario) -> bool:
    """Say whether a run is of a result's data set and attack."""
    return scenario.task.dataset == result.dataset and kind(scenario) in result.attacks


def _row(result: Result, runs: Sequence[Run]) -> Row:
    """Put the runs that cover a result beside it."""
    seeds = ", ".join(dict.fromkeys(str(scenario.federation.seed) for scenario, _ in runs))
    if not runs:
        return Row(result=result, ours="", seeds="", status="not run")
    if result.judged == "loot":
        return Row(result=result, ours="see the pictures below", seeds=seeds, status="to look at")
    judge: dict[str, Callable[[Result, Sequence[Run]], Judged]] = {
        "property": _property,
        "score": _score,
        "order": _order,
        "effect": _effect,
    }
    ours, status = judge[result.judged](result, runs)
    return Row(result=result, ours=ours, seeds=seeds, status=status)


def _settled(result: Result, runs: Sequence[Run], status: str) -> Judged:
    """Return what the runs are set otherwise in, as the end of a text, and the status that they can have at most."""
    changed = sorted({text for scenario, _ in runs for text in departures(scenario, result.clients)})
    return (f" ({'; '.join(changed)})", OTHERWISE) if changed else ("", status)


def _property(result: Result, runs: Sequence[Run]) -> Judged:
    """Judge pictures: J against its controls, each recipe by itself, an upright victim beside it."""
    groups: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(tuple(departures(run[0], result.clients)), []).append(run)
    texts, statuses = [], {}
    for changed, group in sorted(groups.items()):
        said = [prop for _, verdict in group for _, prop in properties_of(verdict)]
        values = {name: _values([one for one in said if not one.get("control")], name) for name in MEASURES}
        upright = _values([one for one in said if one.get("control")], "J")
        if not values["J"]:
            continue
        measured = [f"{MEASURES[name]} {_shares(found)}" for name, found in values.items() if found]
        measured.append(f"upright victim {_shares(upright)}" if upright else "no run with an upright victim")
        controls = [values["J_other"], values["J_real_public"], upright]
        highest = max((sum(found) / len(found) for found in controls if found), default=0.0)
        mean = sum(values["J"]) / len(values["J"])
        shown = mean >= HALF and mean - highest >= CLEAR
        name = "; ".join(changed) or "as the paper has it"
        texts.append(f"{name}: {'shown' if shown else 'not shown'}.\n{'; '.join(measured)}")
        statuses[changed] = shown
    if not texts:
        return "", NOT_JUDGED
    literal = statuses.get(())
    status = OTHERWISE if literal is None else "reproduced" if literal else "not reproduced"
    return "\n\n".join(texts), status


MEASURES = {
    "J": "J",
    "J_other": "“not the victim”",
    "J_not_owned": "classes not held",
    "J_real_public": "real images without the property",
    "J_real": "the victim's own images",
}


def _score(result: Result, runs: Sequence[Run]) -> Judged:
    """Judge an inception score: by ImageNet's network where that was at hand; the judge's own stands beside it."""
    found = [one for _, verdict in runs for one in _scores(verdict)]
    suffix = "_real" if result.metric.endswith("_real") else ""
    own, imagenet = _values(found, f"is_task{suffix}"), _values(found, f"is_imagenet{suffix}")
    if not own or result.value is None:
        return "", NOT_JUDGED
    near = bool(imagenet) and abs(sum(imagenet) / len(imagenet) - result.value) <= TENTH * result.value
    changed, status = _settled(result, runs, "reproduced" if near else "not reproduced")
    text = f"by ImageNet's network {_spread(imagenet) if imagenet else 'not computed'}; by the judge's {_spread(own)}"
    return text + changed, status if imagenet else NOT_JUDGED


def _order(result: Result, runs: Sequence[Run]) -> Judged:
    """Judge the order of the scores; it is read off the means, and says where intervals overlap."""
    by_kind = {
        name: _values([one for run in runs if kind(run[0]) == name for one in _scores(run[1])], "is_task")
        for name in ORDER
    }
    known = [(name, mean_interval(found)) for name, found in by_kind.items() if found]
    if len(known) < 2:  # noqa: PLR2004  # an order needs two
        return "", NOT_JUDGED
    ranked = sorted(known, key=lambda one: -one[1][0])
    text = " > ".join(f"{KINDS[name]} {mean:.2f}" for name, (mean, _, _) in ranked)
    ties = [
        f"{KINDS[first[0]]} and {KINDS[second[0]]}"
        for first, second in itertools.pairwise(ranked)
        if first[1][1] <= second[1][2]
    ]
    text += f"; intervals overlap of {', '.join(ties)}" if ties else ""
    missing = [KINDS[name] for name, found in by_kind.items() if not found]
    same = [name for name, _ in ranked] == [name for name, _ in known]
    changed, status = _settled(result, runs, "reproduced" if same and not ties else "not reproduced")
    if missing:
        return f"{text}; without {', '.join(missing)}{changed}", NOT_JUDGED
    return f"by the judge's own score: {text}{changed}", status


def _effect(result: Result, runs: Sequence[Run]) -> Judged:
    """Judge the side effect: final accuracy by attack, and how much it moves from round to round."""
    final: dict[str, list[float]] = {}
    swing: dict[str, list[float]] = {}
    for scenario, verdict in runs:
        model = verdict.get("global_model") or {}
        for store, place, name in ((final, "final", "accuracy"), (swing, "after_attack", "accuracy_swing")):
            value = finite((model.get(place) or {}).get(name))
            if value is not None:
                store.setdefault(kind(scenario), []).append(value)
    texts = [
        f"{KINDS.get(name, 'no attack')} {_shares(found)}"
        + (f", moving by {percent(sum(swing[name]) / len(swing[name]))} a round" if name in swing else "")
        for name, found in final.items()
    ]
    means = {name: sum(found) / len(found) for name, found in final.items()}
    if not {"passive", "active", "participant"} <= set(means):
        return "; ".join(texts), NOT_JUDGED
    falls = means["passive"] >= means["active"] > means["participant"]
    changed, status = _settled(result, runs, "reproduced" if falls else "not reproduced")
    return "; ".join(texts) + changed, status


def _scores(verdict: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the attackers' inception scores."""
    attackers = (verdict.get("attackers") or {}).values()
    return [attacker["inception"] for attacker in attackers if attacker.get("inception")]


def _values(found: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    """Return the numbers of that name, where there are."""
    return [value for one in found if (value := finite(one.get(name))) is not None]


def _shares(found: Sequence[float]) -> str:
    """Write the mean of shares, with the interval over several runs."""
    mean, low, high = mean_interval(found)
    if len(found) == 1:
        return percent(mean)
    return f"{percent(mean)} ({percent(max(0.0, low))} to {percent(min(1.0, high))} over {len(found)} runs)"


def _spread(found: Sequence[float]) -> str:
    """Write the mean of scores, with the interval over several runs."""
    mean, low, high = mean_interval(found)
    return f"{mean:.2f}" if len(found) == 1 else f"{mean:.2f} ({low:.2f} to {high:.2f} over {len(found)} runs)"

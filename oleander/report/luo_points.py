"""How participants of several runs are defended, and their numbers along one setting; see oleander.report.luo."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from oleander.report.metrics import targets_of
from oleander.report.ranking import Run, values
from oleander.scenario import Scenario

LAMBDA1, LAMBDA2 = 0.005, 48.0
AXES = {"lambda1", "lambda2", "obfuscation", "mixing_ratio"}
SAMPLES = "samples_stolen"


class Point(NamedTuple):
    """How a participant is defended: by what, and of Anti-GAN with which settings; `rest` are all others, as a text."""

    defense: str
    lambda1: float
    lambda2: float
    obfuscation: str
    ratio: float
    rest: str

    @property
    def steps(self) -> int:
        """The generator's, 0 for a defence that fits nothing."""
        return int(json.loads(self.rest).get("steps", 0))


Measured = dict[Point, dict[int, dict[str, Any]]]
"""Numbers of a verdict's defended participant by point and seed; `stolen` and `stolen_adaptive` are the attackers'."""


def point(scenario: Scenario) -> Point | None:
    """Return how the first participant that publishes something is defended; None where nobody is."""
    entry = next((one for one in scenario.clients if one.defense is not None), None)
    if entry is None or entry.defense is None:
        return None
    options = entry.options
    return Point(
        entry.defense,
        float(options.get("lambda1", 0)),
        float(options.get("lambda2", 0)),
        str(options.get("obfuscation", "")),
        float(options.get("mixing_ratio", 0)),
        json.dumps({key: options[key] for key in sorted(set(options) - AXES)}),
    )


def measured(runs: Sequence[Run]) -> Measured:
    """Return what runs say; of several ways to fit a defence (its network, its steps), that of most settings alone."""
    found: Measured = {}
    for scenario, verdict in runs:
        where, said = point(scenario), next(iter((verdict.get("defended") or {}).values()), None)
        if where is None or said is None:
            continue
        numbers = found.setdefault(where, {}).setdefault(scenario.federation.seed, {"seed": scenario.federation.seed})
        numbers.update({key: value for key, value in said.items() if key not in numbers})
        if scenario.server.attack == "published-set":
            name = "stolen_adaptive" if scenario.server.attack_options.get("knows") else "stolen"
            targets = [numbers for _, _, numbers in targets_of(verdict)]
            found_in = values(targets, "recognised")
            numbers[name] = sum(found_in) / len(found_in) if found_in else None
            numbers[SAMPLES] = sum(values(targets, "samples"))
    fits: dict[str, Counter[str]] = {}
    for where, by_seed in found.items():
        fits.setdefault(where.defense, Counter())[where.rest] += len(by_seed)
    chosen = {
        defense: max(count, key=lambda rest: (count[rest], json.loads(rest).get("steps", 0)))
        for defense, count in fits.items()
    }
    return {where: by_seed for where, by_seed in found.items() if where.rest == chosen[where.defense]}


def series(found: Measured, axis: str, fixed: Mapping[str, Any]) -> dict[float, list[dict[str, Any]]]:
    """Return the numbers of all seeds along one setting, the others being as `fixed` says, ascending."""
    fits = {
        getattr(where, axis): list(by_seed.values())
        for where, by_seed in found.items()
        if all(getattr(where, name) == value for name, value in fixed.items())
    }
    return dict(sorted(fits.items()))


def by_lambda1(found: Measured) -> dict[float, list[dict[str, Any]]]:
    """Return the numbers along lambda1, as in Fig. 4a."""
    fixed = {"defense": "anti-gan", "lambda2": LAMBDA2, "obfuscation": "max", "ratio": 0.0}
    return series(found, "lambda1", fixed)


def by_lambda2(found: Measured, obfuscation: str = "max") -> dict[float, list[dict[str, Any]]]:
    """Return the numbers along lambda2, as in Fig. 4b."""
    fixed = {"defense": "anti-gan", "lambda1": LAMBDA1, "obfuscation": obfuscation, "ratio": 0.0}
    return series(found, "lambda2", fixed)


def by_ratio(
    found: Measured, defense: str = "anti-gan", lambdas: tuple[float, float] = (LAMBDA1, LAMBDA2)
) -> dict[float, list[dict[str, Any]]]:
    """Return the numbers along the mixing ratio, as in Fig. 6 and 7; also of noise in place of look-alikes."""
    settings = dict(zip(("lambda1", "lambda2"), lambdas, strict=True)) | {"obfuscation": "max"}
    return series(found, "ratio", {"defense": defense} | (settings if defense == "anti-gan" else {}))

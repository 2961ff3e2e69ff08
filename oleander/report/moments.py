"""Numbers of a run's targets and of its global model, before and after the attack began."""

from collections.abc import Iterable, Mapping
from typing import Any

from oleander.judge import model_metrics
from oleander.judge.words import of_model
from oleander.report.gather import Gathered
from oleander.report.metrics import finite

AVERAGED = ("precision", "recall", "f1")


def minimum(numbers: Mapping[str, Any], name: str) -> Any:
    """Return a target's least value of a number over all rounds, as papers quote it; None where that is not known."""
    least = (numbers.get("paper_style_minimum") or {}).get(name)
    return least.get("value") if isinstance(least, Mapping) else least


def minimum_round(numbers: Mapping[str, Any], name: str) -> int | None:
    """Return the round of that least value, where it is known."""
    least = (numbers.get("paper_style_minimum") or {}).get(name)
    return least.get("round") if isinstance(least, Mapping) else None


def interval(numbers: Mapping[str, Any]) -> str:
    """Write the 95 % interval of the share that was recognised; empty where there is none."""
    low, high = finite(numbers.get("recognised_low")), finite(numbers.get("recognised_high"))
    return "" if low is None or high is None else f"{100 * low:.0f} to {100 * high:.0f} %"


def moments(found: Gathered) -> list[tuple[str, dict[str, float]]]:
    """Return (heading, the global model's numbers) before the theft, just before it, after that and at the end."""
    model, change = found.verdict.get("global_model") or {}, before_and_after(found)
    before = "mean before, under noise" if found.disturbed else "mean before"
    listed = [
        (before, change["before"]),
        (model_name(found, "start"), model.get("start") or {}),
        ("mean from then on", change["after"]),
        (model_name(found, "final"), model.get("final") or (found.rounds[-1] if found.rounds else {})),
    ]
    return [(heading, numbers) for heading, numbers in listed if numbers]


def model_name(found: Gathered, point: str) -> str:
    """Name one of the global models that the judge looked at: `first`, `start` or `final`."""
    one = (found.verdict.get("global_model") or {}).get(point) or {}
    name = of_model(point, one.get("round"))
    return name.replace("the theft", "the asking") if found.asks else name


def has_fakes(lines: Iterable[Mapping[str, Any]]) -> bool:
    """Say whether the model has outputs that are no classes: only then do the means over all outputs differ."""
    pairs = [(line.get(name), line.get(f"{name}_all")) for line in lines for name in AVERAGED]
    return any(finite(both) is not None and finite(both) != finite(own) for own, both in pairs)


def shown_names(points: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Return which of the global model's numbers a table of its moments shows."""
    everything = [f"{name}_all" for name in AVERAGED] if has_fakes(numbers for _, numbers in points) else []
    return ["accuracy", *AVERAGED, *everything]


def before_and_after(found: Gathered) -> dict[str, dict[str, float]]:
    """Return the means of the global model's numbers before and after the attack began.

    The judge's if there is a verdict, else computed from the rounds; the round in which it begins counts as after.
    """
    model = found.verdict.get("global_model") or {}
    judged = {name: model.get(f"{name}_attack") for name in ("before", "after")}
    if any(judged.values()):
        return {name: numbers or {} for name, numbers in judged.items()}
    before, after = model_metrics.before_and_after(found.rounds, found.start)
    return {"before": before, "after": after}

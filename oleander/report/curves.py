"""Which curves a page shows of one run: the federation, the share that is recognised, the distance to real images."""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from oleander.report.charts import Series, curve
from oleander.report.gather import Gathered
from oleander.report.metrics import finite, targets_of

Key = tuple[str, str]
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Curves with a title, a legend and a sentence that says how to read them."""

    title: str
    svg: Markup
    legend: list[Series]
    note: str


def charts(found: Gathered) -> list[Chart]:
    """Draw the curves of one run; those without numbers are left out."""
    model = _draw(found, "The federation", _model(found), "The global model on the server's test set.", share=True)
    lines: dict[Key, list[dict[str, Any]]] = {}
    for who, attacker in (found.verdict.get("attackers") or {}).items():
        for line in attacker.get("per_round") or []:
            lines.setdefault((who, str(line.get("target"))), []).append(line)
    control = {(who, target) for who, target, numbers in targets_of(found.verdict) if numbers.get("control")}
    names = {(who, target): str(numbers.get("name", target)) for who, target, numbers in targets_of(found.verdict)}
    several = len({who for who, _ in lines}) > 1
    shares, distances = [], []
    for tone, key in enumerate(sorted(lines, key=lambda key: (key in control, key))):
        name = f"class {names.get(key, key[1])}"
        name = f"{key[0]}, {name}" if several else name
        name += " (control)" if key in control else ""
        shares.append(Series(name=name, points=_points(lines[key], "recognised"), tone=tone, dashed=key in control))
        if key not in control:
            other = f"{name}, to other classes"
            distances.append(Series(name=name, points=_points(lines[key], "nn_rmse"), tone=tone))
            distances.append(Series(name=other, points=_points(lines[key], "nn_rmse_other"), tone=tone, dashed=True))
    said = "Share of the loot that the independent classifier takes for its target."
    recognised = _draw(found, "Recognised as the target", shares, said, share=True)
    said = "A theft lies clearly below the dashed line of its colour."
    distance = _draw(found, "Distance to the nearest real image", distances, said)
    return [chart for chart in (model, recognised, distance) if chart is not None]


def _draw(found: Gathered, title: str, series: list[Series], note: str, *, share: bool = False) -> Chart | None:
    """Draw one chart; None where there is nothing to draw."""
    svg = curve(series, title=f"{title} over the rounds", start=found.start, share=share)
    return None if svg is None else Chart(title=title, svg=svg, legend=[one for one in series if one.points], note=note)


def _model(found: Gathered) -> list[Series]:
    """Return the curves of the global model."""
    return [
        Series(name="accuracy", points=_points(found.rounds, "accuracy"), tone=5),
        Series(name="F1 (macro)", points=_points(found.rounds, "f1"), tone=2),
        Series(name="recall, “fake” included", points=_points(found.rounds, "recall_all"), tone=2, dashed=True),
    ]


def _points(lines: list[dict[str, Any]], name: str) -> Points:
    """Return (round, value) wherever there is a number."""
    return tuple((line["round"], value) for line in lines if (value := finite(line.get(name))) is not None)

"""Which curves a page shows of one run: the federation, the share that is recognised, the distance to real images."""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from oleander.report import moments
from oleander.report.charts import Series, curve
from oleander.report.gather import Gathered
from oleander.report.metrics import finite, properties_of, targets_of

Key = tuple[str, str]
CONTROLS = {
    "J_other": "samples of “not the victim”",
    "J_not_owned": "samples of classes that it does not hold",
    "noise_share": "not of this data",
    "category": "right class, with the property or without",
}
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
        if isinstance(attacker.get("property"), dict):  # its curves are J and the controls of J
            continue
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
    return [chart for chart in (model, *_of_properties(found), recognised, distance) if chart is not None]


def _of_properties(found: Gathered) -> list[Chart | None]:
    """Draw J over the rounds with its controls, and whose images are near."""
    drawn = []
    for who, said in properties_of(found.verdict):
        lines = said.get("per_round") or []
        names = {"J": "J: samples of the victim's classes", **CONTROLS}
        shares = [
            Series(name=label, points=_points(lines, name), tone=tone, dashed=tone > 0)
            for tone, (name, label) in enumerate(names.items())
        ]
        note = f"Share of the samples of {who} that show their class, {said.get('words')}. An attack that learned it "
        note += "from the victim lies clearly above the dashed lines."
        drawn.append(_draw(found, f"Does it show what only the victim holds? ({who})", shares, note, share=True))
        nearness = [
            Series(name="the victim's", points=_points(lines, "nn_rmse_victim")),
            Series(name="the other participants'", points=_points(lines, "nn_rmse_others"), tone=1, dashed=True),
        ]
        note = "To as many images of the same class on both sides."
        drawn.append(_draw(found, f"Distance to the nearest real image ({who})", nearness, note))
    return drawn


def _draw(found: Gathered, title: str, series: list[Series], note: str, *, share: bool = False) -> Chart | None:
    """Draw one chart; None where there is nothing to draw."""
    begins = "asking begins" if found.asks else "theft begins"
    svg = curve(series, title=f"{title} over the rounds", start=found.start, begins=begins, share=share)
    return None if svg is None else Chart(title=title, svg=svg, legend=[one for one in series if one.points], note=note)


def _model(found: Gathered) -> list[Series]:
    """Return the curves of the global model; that of all outputs only where one of them is no class."""
    series = [
        Series(name="accuracy", points=_points(found.rounds, "accuracy"), tone=5),
        Series(name="F1 (macro)", points=_points(found.rounds, "f1"), tone=2),
    ]
    if not moments.has_fakes(found.rounds):
        return series
    return [
        *series,
        Series(name="recall, “fake” included", points=_points(found.rounds, "recall_all"), tone=2, dashed=True),
    ]


def _points(lines: list[dict[str, Any]], name: str) -> Points:
    """Return (round, value) wherever there is a number."""
    return tuple((line["round"], value) for line in lines if (value := finite(line.get(name))) is not None)

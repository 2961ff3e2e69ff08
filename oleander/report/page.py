"""Writes the page: gathers what is known of each run and fills the templates, which escape all that they are given."""

import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from oleander.report import gather, loot, papers
from oleander.report.charts import Series, curve
from oleander.report.metrics import KeyNumber, finite, key_numbers, named, targets_of, written
from oleander.report.pictures import file_uri
from oleander.rundir import RunDirectory
from task.settings import expect


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Curves with a title, a legend and a sentence that says how to read them."""

    title: str
    svg: Markup
    legend: list[Series]
    note: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """Everything that the templates say about one run."""

    anchor: str
    found: gather.Gathered
    headline: str
    numbers: tuple[KeyNumber, KeyNumber, KeyNumber]
    targets: list[loot.Target]
    side: tuple[int, int] | None
    metrics: list[str]
    minima: list[str]
    people: list[gather.Participant]
    charts: list[Chart]
    figures: list[tuple[str, str]]


def write(runs: Sequence[RunDirectory], out: Path, paper: str | None = None) -> Path:
    """Write a report about one or several runs.

    Args:
        runs: opened run directories; one that died gives a section that says what is missing.
        out: the HTML file; its folder is made if need be.
        paper: short name of a paper whose results to put beside the runs'.

    Returns:
        The path of the file.

    Raises:
        SettingsError: without a run, for a paper whose attack is not here, or where `out` is a folder.

    """
    expect(bool(runs), "at least one run", "none", "`oleander run` makes one.")
    expect(not out.is_dir(), "a file for the report", str(out), "Name a file that ends in .html.")
    known = None if paper is None else papers.paper(paper)
    sections = [section(run, f"run-{index}") for index, run in enumerate(runs, start=1)]
    beside = [(one.found.scenario.name, one.found.scenario.federation.seed, one.found.verdict) for one in sections]
    page = environment().get_template("page.html.j2")
    text = page.render(
        sections=sections,
        paper=known,
        paper_rows=papers.rows(paper, beside) if paper is not None else [],
        repeat=shlex.join(
            ["oleander", "report", *(str(run.path) for run in runs), *(["--paper", paper] if paper else [])]
        ),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    return draft.replace(out)


def environment() -> Environment:
    """Return the templates, which escape what they are given and refuse a name that is not there."""
    templates = Environment(
        loader=PackageLoader("oleander.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["written"] = written
    templates.globals |= {"named": named, "gather": gather, "comparison": comparison, "beside_paper": beside_paper}
    return templates


def section(run: RunDirectory, anchor: str) -> Section:
    """Gather what the page says about one run."""
    found = gather.gather(run)
    victims = loot.truth(found)
    targets = loot.targets(found, victims)
    return Section(
        anchor=anchor,
        found=found,
        headline=str(found.verdict.get("headline") or "This run has not been judged."),
        numbers=key_numbers(found.verdict),
        targets=targets,
        side=next((target.side for target in targets if target.side), None),
        metrics=_metrics(target.numbers for target in targets),
        minima=_metrics(target.numbers.get("paper_style_minimum") or {} for target in targets),
        people=gather.participants(found, loot.held_classes(victims)),
        charts=_charts(found),
        figures=_figures(found),
    )


def _metrics(numbers: Iterable[dict[str, Any]]) -> list[str]:
    """Return the names of all plain numbers that any target has: in the judge's order, each once."""
    return list({name: None for one in numbers for name, value in one.items() if finite(value) is not None})


def _figures(found: gather.Gathered) -> list[tuple[str, str]]:
    """Return (name, data URI) of the judge's figures that the page does not draw itself."""
    paths = sorted(found.run.figures.glob("roc*.png"))
    read = [(path.stem.replace("-", " "), found.attempt(path.name, partial(file_uri, path), "")) for path in paths]
    return [(name, uri) for name, uri in read if uri]


def _charts(found: gather.Gathered) -> list[Chart]:
    """Draw the curves of one run; those without numbers are left out."""
    points = {
        name: tuple((line["round"], v) for line in found.rounds if (v := finite(line.get(name))) is not None)
        for name in ("accuracy", "f1", "recall_all")
    }
    model = [
        Series(name="accuracy", points=points["accuracy"], tone=5),
        Series(name="F1 (macro)", points=points["f1"], tone=2),
        Series(name="recall, “fake” included", points=points["recall_all"], tone=2, dashed=True),
    ]
    lines = [
        (who, line)
        for who, attacker in (found.verdict.get("attackers") or {}).items()
        for line in attacker.get("per_round") or []
    ]
    control = {(who, target) for who, target, numbers in targets_of(found.verdict) if numbers.get("control")}
    keys = sorted({(who, str(line.get("target"))) for who, line in lines}, key=lambda key: (key in control, key))

    def points_of(key: tuple[str, str], name: str) -> tuple[tuple[float, float], ...]:
        return tuple(
            (line["round"], value)
            for who, line in lines
            if (who, str(line.get("target"))) == key and (value := finite(line.get(name))) is not None
        )

    several = len({who for who, _ in keys}) > 1

    def title(key: tuple[str, str]) -> str:
        name = f"{key[0]}: {key[1]}" if several else f"class {key[1]}"
        return f"{name} (control)" if key in control else name

    shares = [
        Series(name=title(key), points=points_of(key, "recognised"), tone=index, dashed=key in control)
        for index, key in enumerate(keys)
    ]
    distances = [
        series
        for index, key in enumerate(keys)
        if key not in control
        for series in (
            Series(name=title(key), points=points_of(key, "nn_rmse"), tone=index),
            Series(
                name=f"{title(key)}, to other classes", points=points_of(key, "nn_rmse_other"), tone=index, dashed=True
            ),
        )
    ]
    wanted = [
        ("The federation", model, True, "The global model on the server's test set."),
        (
            "Recognised as the target",
            shares,
            True,
            "Share of the loot that the independent classifier takes for its target.",
        ),
        ("Distance to the nearest real image", distances, False, "A theft lies clearly below its dashed line."),
    ]
    charts = []
    for name, series, share, note in wanted:
        svg = curve(series, title=f"{name} over the rounds", start=found.start, share=share)
        if svg is not None:
            charts.append(Chart(title=name, svg=svg, legend=[one for one in series if one.points], note=note))
    return charts


def comparison(sections: Sequence[Section]) -> list[dict[str, Any]]:
    """Return a row of plain texts for every run, for the table that puts them side by side."""
    rows = []
    for one in sections:
        scenario, change = one.found.scenario, gather.before_and_after(one.found)
        final = finite(one.found.rounds[-1].get("accuracy")) if one.found.rounds else None
        rows.append(
            {
                "anchor": one.anchor,
                "name": scenario.name,
                "seed": scenario.federation.seed,
                "engine": one.found.engine,
                "rounds": f"{len(one.found.rounds)} of {scenario.federation.rounds}",
                "recognised": one.numbers[0].value,
                "control": one.numbers[1].value,
                "distance": one.numbers[2].value,
                "before": written(change["before"].get("accuracy"), "share"),
                "final": written(final, "share"),
                "failures": len(gather.failures(one.found)),
            }
        )
    return rows


def beside_paper(found: gather.Gathered) -> list[tuple[str, str, str, str]]:
    """Return (metric, the paper's number, ours, status) for every number that the scenario quotes from a paper."""
    judged = found.verdict.get("paper") or {
        name: {"paper": value} for name, value in found.scenario.paper_values.items()
    }
    rows = []
    for name, pair in judged.items():
        if not isinstance(pair, dict):
            continue
        theirs, ours = finite(pair.get("paper")), finite(pair.get("ours"))
        if theirs is None or ours is None:
            status = "not judged"
        else:
            status = "reproduced" if papers.reproduced(name, theirs, ours) else "not reproduced"
        style = named(name).style
        rows.append((named(name).label, written(pair.get("paper"), style), written(pair.get("ours"), style), status))
    return rows

"""One run's part of the page, as the templates want it, and the line that stands for it where runs are compared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from oleander.report import gather, loot, moments
from oleander.report.curves import Chart, charts
from oleander.report.key_numbers import KeyNumber, key_numbers
from oleander.report.membership import Inquiry, inquiries
from oleander.report.metrics import finite, in_order, unbroken, written
from oleander.report.pictures import file_uri
from oleander.report.private import Private, private
from oleander.report.published import Shown, shown
from oleander.rundir import RunDirectory

INTERVALS = ("recognised_low", "recognised_high")


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
    private: list[Private]
    inquiries: list[Inquiry]
    defended: list[Shown]
    protected: list[str]
    figures: list[tuple[str, str]]


def section(run: RunDirectory, anchor: str) -> Section:
    """Gather what the page says about one run."""
    found = gather.gather(run)
    victims = loot.truth(found)
    targets = loot.targets(found, victims)
    return Section(
        anchor=anchor,
        found=found,
        headline=unbroken(str(found.verdict.get("headline") or "This run has not been judged.")),
        numbers=key_numbers(found.verdict),
        targets=targets,
        side=next((target.side for target in targets if target.side), None),
        metrics=_names(target.numbers for target in targets),
        minima=in_order(name for target in targets for name in target.numbers.get("paper_style_minimum") or {}),
        people=gather.participants(found, loot.held_classes(victims)),
        charts=charts(found),
        private=private(found),
        inquiries=inquiries(found),
        defended=shown(found),
        protected=list((found.verdict.get("protected") or {}).get("words", [])),
        figures=_figures(found),
    )


def _names(numbers: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the names of all plain numbers that any target has, but the ends of intervals, which stand beside them."""
    found = (name for one in numbers for name, value in one.items() if finite(value) is not None)
    return [name for name in in_order(found) if name not in INTERVALS]


def _figures(found: gather.Gathered) -> list[tuple[str, str]]:
    """Return (what it shows, data URI) of the judge's figures that the page does not draw itself."""
    said = "ROC curves of the global model, class by class"
    paths = sorted(found.run.figures.glob("roc*.png"))
    read = [(said, found.attempt(path.name, partial(file_uri, path), "")) for path in paths]
    return [(name, uri) for name, uri in read if uri]


def comparison(sections: Sequence[Section]) -> list[dict[str, Any]]:
    """Return a row of plain texts for every run, for the table that puts them side by side."""
    rows = []
    for one in sections:
        scenario, change = one.found.scenario, moments.before_and_after(one.found)
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
                "before": written(change["before"].get("accuracy"), "share")
                + (" (under noise)" if one.found.disturbed else ""),
                "final": written(final, "share"),
                "failures": len(gather.failures(one.found)),
            }
        )
    return rows

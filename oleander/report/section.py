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
IMAGES = ("Recognised", "Control", "Distance")
ASKED = ("AUC", "Strongest baseline", unbroken("Found at 1 %"))
"""What the three key numbers are called side by side: of attacks that make images, and of membership attacks."""
COMPARED = (
    *("Defence", "Seed", "Engine", "Rounds", *IMAGES, "Accuracy before"),
    *(*ASKED, "Accuracy, end", "Failures"),
)
EMPTY = {"Defence": "none"}
NOTES = {
    "Recognised": "Recognised: share of the weakest target's loot that an independent classifier takes for its class. "
    "Control: the same for a class that nobody owns. Distance: to the nearest real image. Of a server's attack on a "
    "private property these are J, the strongest of its controls, and the distance to the victim's images.",
    "Accuracy before": "Accuracy before: mean over the rounds before the theft; “under noise” where the attacker sent "
    "noise from round 1, so that the honest accuracy is unknown.",
    "AUC": "AUC: area under the ROC curve of the membership attacker who can tell most, by the clean protocol where "
    "that was asked; 0.5 is guessing. Strongest baseline: the same of the best trivial method. Found at 1 %: share of "
    "the members, at 1 % false positives.",
}


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


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Runs side by side: headers, for each run a text under each of them, and what the headers mean."""

    headers: list[str]
    rows: list[tuple[Section, list[str]]]
    note: str


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
    said = "The shared model's own task: its ROC curves, class by class"
    paths = sorted(found.run.figures.glob("roc*.png"))
    read = [(said, found.attempt(path.name, partial(file_uri, path), "")) for path in paths]
    return [(name, uri) for name, uri in read if uri]


def comparison(sections: Sequence[Section]) -> Comparison:
    """Return the table that puts runs side by side."""
    compared = [(one, _compared(one)) for one in sections]
    headers = [name for name in COMPARED if any(name in texts for _, texts in compared)]
    return Comparison(
        headers=headers,
        rows=[(one, [texts.get(name, EMPTY.get(name, "")) for name in headers]) for one, texts in compared],
        note=" ".join(text for name, text in NOTES.items() if name in headers),
    )


def _compared(one: Section) -> dict[str, str]:
    """Return what stands under each header for one run, where it applies."""
    scenario = one.found.scenario
    before = moments.before_and_after(one.found)["before"].get("accuracy")
    final = finite(one.found.rounds[-1].get("accuracy")) if one.found.rounds else None
    told = {
        "Defence": gather.defenses(scenario),
        "Seed": str(scenario.federation.seed),
        "Engine": one.found.engine,
        "Rounds": f"{len(one.found.rounds)} of {scenario.federation.rounds}",
        "Accuracy, end": written(final, "share"),
        "Failures": str(len(gather.failures(one.found))),
    }
    told |= zip(ASKED if one.found.asks else IMAGES, (number.value for number in one.numbers), strict=True)
    if not one.found.asks:
        told["Accuracy before"] = written(before, "share") + (" (under noise)" if one.found.disturbed else "")
    return {name: text for name, text in told.items() if text}

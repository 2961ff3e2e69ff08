"""Wang's Fig. 4 to 6 as a table of pictures: a column a class, a row for the real images and for each kind of attack.

Every picture is the first that the judge drew; of several runs that are set alike (oleander.report.departures), a class
comes from the first one given that has it, so that runs which walk the victim through all classes fill all columns.
Runs that are set otherwise have rows of their own.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from oleander.judge.draws import drawn
from oleander.judge.server import SERVER
from oleander.report import departures, loot
from oleander.report.gather import Gathered
from oleander.report.pictures import image_uri
from oleander.report.ranking import named

MOST_COLUMNS, FOREIGN = 12, 3
ROWS = {
    "real": "real, the victim's",
    "passive": "passive",
    "not owned": "passive, classes that the victim does not hold",
    "other": "passive, “not the victim”",
    "active": "active",
    "inversion": "model inversion",
    "participant": "GAN-based attack",
    "upright passive": "passive, upright victim (control)",
    "upright active": "active, upright victim (control)",
}
NOTE = (
    "Of each class the first sample that the judge drew from the last round's loot, and the first of the victim's real "
    "images. Of several runs that are set alike the first that has the class."
)
TITLES = {"mnist": "After Fig. 4: whose digits?", "att-faces": "After Fig. 5 and 6: whose faces?"}


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A table of pictures: names of the classes, and rows of data URIs, empty where there is no picture."""

    title: str
    note: str
    columns: list[str]
    rows: list[tuple[str, list[str]]]


Row = tuple[str, tuple[str, ...]]
"""One of ROWS, and what the runs are set otherwise in."""


@dataclass(kw_only=True)
class _Pictures:
    """Pictures by row and class; names of the classes, and those by which a property is judged."""

    by_row: dict[Row, dict[int, str]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    judged: set[int] = field(default_factory=set)

    def add(self, row: Row, label: int, uri: str) -> None:
        """Keep a picture unless there is one already."""
        self.by_row.setdefault(row, {}).setdefault(label, uri)

    def columns(self) -> list[int]:
        """Return the classes to show: those that are judged, then a few of the others."""
        shown = {label for by_class in self.by_row.values() for label in by_class}
        return [*sorted(shown & self.judged), *sorted(shown - self.judged)[:FOREIGN]][:MOST_COLUMNS]


def panels(runs: Sequence[Gathered]) -> list[Panel]:
    """Return a panel for each data set of the paper's of which there are runs with loot of a victim's classes."""
    found = []
    for dataset, title in TITLES.items():
        pictures = _Pictures()
        for run in runs:
            if run.scenario.task.dataset == dataset and run.scenario.task.private is not None:
                _collect(run, pictures)
        if pictures.columns():
            found.append(_panel(title, pictures))
    return found


def _panel(title: str, pictures: _Pictures) -> Panel:
    """Lay the pictures out; rows of one kind that are set otherwise bear letters."""
    columns, settings = pictures.columns(), sorted({changed for row, changed in pictures.by_row if row != "real"})
    letters = {changed: f" {chr(65 + place)}" for place, changed in enumerate(settings)} if len(settings) > 1 else {}
    rows = [
        (f"{name}{letters.get(changed, '')}", by_class)
        for row, name in ROWS.items()
        for (kind, changed), by_class in sorted(pictures.by_row.items())
        if kind == row
    ]
    told = [f"{letters.get(changed, 'Settings').strip()}: {named(changed)}." for changed in settings]
    return Panel(
        title=title,
        note=" ".join([NOTE, *told]),
        columns=[pictures.names.get(label, str(label)) for label in columns],
        rows=[(name, [by_class.get(label, "") for label in columns]) for name, by_class in rows],
    )


def _collect(found: Gathered, pictures: _Pictures) -> None:
    """Add a run's pictures of its judged classes, and of some that its victim does not hold."""
    scenario = found.scenario
    changed = (*departures.departures(scenario), f"{departures.honest(scenario)} participants")
    for who, attacker in (found.verdict.get("attackers") or {}).items():
        said = attacker.get("property") or {}
        row = ("upright " if said.get("control") else "") + departures.kind(scenario)
        targets: Mapping[str, Mapping[str, object]] = attacker.get("targets") or {}
        labels = said.get("judged_classes") or [
            int(one) for one, target in targets.items() if not target.get("control")
        ]
        last = attacker.get("last_loot_round")
        if row not in ROWS or not isinstance(last, int):
            continue
        foreign = {int(label): str(name) for label, name in (said.get("not_owned_classes") or {}).items()}
        _add(found, pictures, who=who, last=last, row=(row, changed), labels=labels, foreign=foreign)
        pictures.judged.update(labels)
        for label in labels:
            pictures.names.setdefault(label, str(targets.get(str(label), {}).get("name", label)))
        pictures.names = foreign | pictures.names
    if any(row in ROWS for row, _ in pictures.by_row) and not _upright(found):
        for images, classes in loot.truth(found).values():
            for label in sorted(set(classes.tolist()) & pictures.judged):
                pictures.add(("real", ()), label, image_uri(images[classes == label][0]))


def _upright(found: Gathered) -> bool:
    """Say whether this is the control with an upright victim."""
    private = found.scenario.task.private
    return private is not None and private.kind == "rotated" and private.degrees == 0


def _add(  # a run's place, and what to take from it
    found: Gathered,
    pictures: _Pictures,
    *,
    who: str,
    last: int,
    row: Row,
    labels: Sequence[int],
    foreign: Collection[int],
) -> None:
    """Add the first drawn sample of each class and, of a passive server, of what its controls show."""
    run, (kind, changed) = found.run, row
    read = found.attempt(f"The loot of {who} in round {last}", lambda: run.samples(who, last), None)
    shown = [(row, read, labels)]
    if who == SERVER and kind == "passive":
        other = found.attempt(f"The control of {who}", lambda: run.other_samples(who, last), None)
        apart = found.attempt(f"The other classes of {who}", lambda: run.not_owned_samples(who, last), None)
        shown += [(("other", changed), other, labels), (("not owned", changed), apart or read, sorted(foreign))]
    for name, given, wanted in shown:
        if given is None:
            continue
        images, classes = given
        for label in wanted:
            mine = drawn(images[classes == label], found.scenario.federation.seed, who, last, label)
            if len(mine):
                pictures.add(name, label, image_uri(mine[0].numpy()))

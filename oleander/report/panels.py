"""Wang's Fig. 4 to 6 as a table of pictures: a column a class, a row for the real images and for each kind of attack.

Every picture is the first that the judge drew; of several runs of a kind, a class comes from the first one given that
has it, so that runs which walk the victim through all classes fill all columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from oleander.judge.draws import drawn
from oleander.judge.server import SERVER
from oleander.report import loot, wang
from oleander.report.gather import Gathered
from oleander.report.pictures import image_uri

MOST_COLUMNS = 12
ROWS = {
    "real": "real, the victim's",
    "passive": "passive",
    "other": "passive, “not the victim”",
    "active": "active",
    "inversion": "model inversion",
    "participant": "GAN-based attack",
    "upright": "upright victim (control)",
}
TITLES = {"mnist": "After Fig. 4: whose digits?", "att-faces": "After Fig. 5 and 6: whose faces?"}


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A table of pictures: names of the classes, and rows of data URIs, empty where there is no picture."""

    title: str
    note: str
    columns: list[str]
    rows: list[tuple[str, list[str]]]


@dataclass(kw_only=True)
class _Pictures:
    """Pictures by row and class; names of the classes."""

    by_row: dict[str, dict[int, str]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)

    def add(self, row: str, label: int, uri: str) -> None:
        """Keep a picture unless there is one already."""
        self.by_row.setdefault(row, {}).setdefault(label, uri)


def panels(runs: Sequence[Gathered]) -> list[Panel]:
    """Return a panel for each data set of the paper's of which there are runs with loot of a victim's classes."""
    found = []
    for dataset, title in TITLES.items():
        pictures = _Pictures()
        for run in runs:
            if run.scenario.task.dataset == dataset and run.scenario.task.private is not None:
                _collect(run, pictures)
        columns = sorted({label for by_class in pictures.by_row.values() for label in by_class})[:MOST_COLUMNS]
        if columns:
            found.append(_panel(title, pictures, columns))
    return found


def _panel(title: str, pictures: _Pictures, columns: Sequence[int]) -> Panel:
    """Lay the pictures out."""
    present = {row: name for row, name in ROWS.items() if row in pictures.by_row}
    return Panel(
        title=title,
        note="Of each class the first sample that the judge drew from the last round's loot, and the first of the "
        "victim's real images. Of several runs of a kind the first that has the class.",
        columns=[pictures.names.get(label, str(label)) for label in columns],
        rows=[(name, [pictures.by_row[row].get(label, "") for label in columns]) for row, name in present.items()],
    )


def _collect(found: Gathered, pictures: _Pictures) -> None:
    """Add a run's pictures of its judged classes."""
    for who, attacker in (found.verdict.get("attackers") or {}).items():
        said = attacker.get("property") or {}
        row = "upright" if said.get("control") else wang.kind(found.scenario)
        targets: Mapping[str, Mapping[str, object]] = attacker.get("targets") or {}
        labels = said.get("judged_classes") or [
            int(one) for one, target in targets.items() if not target.get("control")
        ]
        last = attacker.get("last_loot_round")
        if row not in ROWS or not isinstance(last, int):
            continue
        _add(found, pictures, who=who, last=last, row=row, labels=labels)
        for label in labels:
            pictures.names.setdefault(label, str(targets.get(str(label), {}).get("name", label)))
    if any(row in pictures.by_row for row in ROWS) and not _upright(found):
        for images, classes in loot.truth(found).values():
            for label in sorted(set(classes.tolist())):
                if label in pictures.names:
                    pictures.add("real", label, image_uri(images[classes == label][0]))


def _upright(found: Gathered) -> bool:
    """Say whether this is the control with an upright victim."""
    private = found.scenario.task.private
    return private is not None and private.kind == "rotated" and private.degrees == 0


def _add(found: Gathered, pictures: _Pictures, *, who: str, last: int, row: str, labels: Sequence[int]) -> None:
    """Add the first drawn sample of each class, and of "not the victim" where there are such."""
    read = found.attempt(f"The loot of {who} in round {last}", lambda: found.run.samples(who, last), None)
    other = found.attempt(f"The control of {who}", lambda: found.run.other_samples(who, last), None)
    seed = found.scenario.federation.seed
    for name, given in ((row, read), ("other", other if who == SERVER and row == "passive" else None)):
        if given is None:
            continue
        images, classes = given
        for label in labels:
            mine = drawn(images[classes == label], seed, who, last, label)
            if len(mine):
                pictures.add(name, label, image_uri(mine[0].numpy()))

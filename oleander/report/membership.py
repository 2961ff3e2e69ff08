"""What the page says of a membership attacker: the methods side by side, protocol by protocol, and the ROC curves."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from oleander.report.gather import Gathered
from oleander.report.metrics import finite, inquiries_of, written
from oleander.report.pictures import file_uri

COLUMNS = (
    "AUC",
    "TPR at 1 % FPR",
    "TPR at 0.1 % FPR",
    "Balanced accuracy",
    "Accuracy",
    "Precision",
    "Recall",
    "F1",
    "FPR",
    "FNR",
)
RATES = ("tpr_at_1pc", "tpr_at_01pc", "balanced_accuracy")
PLAIN = ("accuracy", "precision", "recall", "f1", "fp_rate", "fn_rate")
TITLES = {
    "clean": "Protocol “clean”: members against fresh images of the same labels",
    "paper": "Protocol “paper”: members against other participants' records",
    "all": "What the attacker tested by itself (Zhu's protocol): its own records and made images against fresh ones",
    "real": "… the same without made images",
}
Cell = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Table:
    """One protocol: its title, what is compared, and rows (method, whether a baseline, cells of value and interval)."""

    title: str
    counts: str
    rows: list[tuple[str, bool, list[Cell]]]
    drawing: str


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """One attacker: name of its folder in loot/, the verdict in words, and the tables."""

    who: str
    words: str
    tables: list[Table]


def inquiries(found: Gathered) -> list[Inquiry]:
    """Return a part for every attacker who was asked about records and left scores."""
    parts = []
    for who, attacker in inquiries_of(found.verdict):
        said, tables = attacker["membership"], []
        for protocol in ("clean", "paper"):
            rows = {name: one[protocol] for name, one in said["methods"].items() if protocol in one}
            path = found.run.figures / f"membership-{protocol}-{who}.png"
            drawing = found.attempt(path.name, partial(file_uri, path), "") if path.is_file() else ""
            tables += _tables(protocol, rows, attacker["attack"], drawing)
        own = said.get("rehearsal") or {}
        for kind in ("all", "real"):
            tables += _tables(kind, {attacker["attack"]: own[kind]} if own.get(kind) else {}, attacker["attack"], "")
        parts.append(Inquiry(who=who, words=str(attacker.get("verdict", "")), tables=tables))
    return parts


def _tables(protocol: str, rows: Mapping[str, Mapping[str, Any]], attack: str, drawing: str) -> list[Table]:
    """Return the table of a protocol, the attack first; none without rows."""
    if not rows:
        return []
    first = next(iter(rows.values()))
    return [
        Table(
            title=TITLES[protocol],
            counts=f"{first['members']} members, {first['others']} others",
            rows=[
                (name, name != attack, _cells(rows[name]))
                for name in sorted(rows, key=lambda one: (one != attack, one))
            ],
            drawing=drawing,
        )
    ]


def _cells(numbers: Mapping[str, Any]) -> list[Cell]:
    """Return (value, its interval) for each of COLUMNS."""
    low, high = finite(numbers.get("auc_low")), finite(numbers.get("auc_high"))
    area = finite(numbers.get("auc"))
    cells = [(f"{area:.3f}" if area is not None else written(None), "" if low is None else f"{low:.2f} to {high:.2f}")]
    for name in RATES:
        ends = [written(_whole(numbers.get(f"{name}_{end}")), "share") for end in ("low", "high")]
        known = finite(numbers.get(f"{name}_low")) is not None
        cells.append(
            (written(numbers.get(name), "share"), f"{ends[0].removesuffix(' %')} to {ends[1]}" if known else "")
        )
    return cells + [(written(numbers.get(name), "share"), "") for name in PLAIN]


def _whole(value: Any) -> float | None:
    """Return a share in whole per cent."""
    number = finite(value)
    return None if number is None else round(number, 2)

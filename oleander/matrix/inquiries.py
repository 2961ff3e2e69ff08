"""What a defence leaves to attackers who are asked about records, method by method; what it costs; whom it helps."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from oleander.matrix.settings import NONE
from oleander.report.metrics import ABSENT, finite, headline_of, inquiries_of
from oleander.rundir import RunDirectory

ADAPTS = "adaptive-learner"
COSTS = {"accuracy": "accuracy", "loss": "NLL", "loss_rise": "rise of loss", "labels_changed": "labels changed"}
NOTE = (
    "AUC by method: of participants who ask global models, and of the server, which asks each one's own update. NLL: "
    "of the final global model on the test images, in nats. Rise of loss, labels changed: on a defended participant's "
    "own records, by the change of its last layer, the most of all rounds and participants."
)


def numbers(run: RunDirectory, verdict: Mapping[str, Any]) -> dict[str, float]:
    """Return each method's AUC by "place method", and of COSTS what is on record; nothing where nobody is asked."""
    found: dict[str, float] = {}
    for _, attacker in inquiries_of(verdict):
        protocol, said = headline_of(attacker).get("protocol"), attacker["membership"]
        for name, method in said["methods"].items():
            area = finite(method.get(protocol, {}).get("auc"))
            if area is not None:
                found[f"{said['place']} {name}"] = area
    if not found:
        return {}
    last = run.rounds()[-1:]
    found |= {name: value for line in last for name in COSTS if (value := finite(line.get(name))) is not None}
    protected = ((verdict.get("protected") or {}).get("participants") or {}).values()
    for name in ("loss_rise", "labels_changed"):
        values = [value for said in protected if (value := finite(said.get(name))) is not None]
        found |= {name: max(values)} if values else {}
    return found


def means(each: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the means over several seeds, of what all of them have."""
    shared = [name for name in (each[0] if each else ()) if all(name in one for one in each)]
    return {name: mean(one[name] for one in each) for name in shared}


def lines(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return a matrix's rows as people read them, headers first, a line a row and place; nothing where nobody asks."""
    asked = [(row, row["asked"]) for row in rows if row.get("asked")]
    methods = list(dict.fromkeys(key.split(" ", 1)[1] for _, each in asked for key in each if " " in key))
    if not methods:
        return []
    made = [["attack", "defence", "place", *methods, *COSTS.values()]]
    for row, each in asked:
        costs = [_number(each.get(name)) for name in COSTS]
        for place in dict.fromkeys(key.split(" ", 1)[0] for key in each if " " in key):
            areas = [_number(each.get(f"{place} {name}")) for name in methods]
            made.append([row["attack"], row["defense"], place, *areas, *costs])
    return made


def warnings(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say which defences help the attacker who adapts to them: its AUC is above that without a defence."""
    told = []
    without = {row["attack"]: row["asked"] for row in rows if row["defense"] == NONE and row.get("asked")}
    for row in rows:
        for key, area in (row.get("asked") or {}).items():
            place, _, method = key.partition(" ")
            before = without.get(row["attack"], {}).get(key)
            if method == ADAPTS and before is not None and area > before:
                told.append(
                    f"{row['attack']}: {row['defense']} helps the attacker who adapts to it ({place}): AUC {area:.3f}, "
                    f"{before:.3f} without a defence. Only several seeds tell whether by chance."
                )
    return told


def _number(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.3f}"

"""What a defence leaves to attackers who are asked about records, method by method; what it costs; whom it helps."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from oleander.judge.statistics import mean_interval
from oleander.matrix.settings import NONE
from oleander.matrix.writing import plain, settings
from oleander.report.metrics import finite, inquiries_of
from oleander.rundir import RunDirectory

ADAPTS = "adaptive-learner"
AREA, FOUND, RIGHT = "auc", "tpr_at_1pc", "balanced_accuracy"
METRICS = {AREA: "AUC", FOUND: "found at 1 %", RIGHT: "right"}
LEAST = 0.01
"""A rise of the AUC below that is not warned of."""
COSTS = {"accuracy": "accuracy", "loss": "NLL", "loss_rise": "rise of loss", "labels_changed": "labels changed"}
NOTE = (
    "AUC by method, means over the seeds, ± half of the 95 % interval (Student's t) where there are several: of "
    "participants who ask global models, and of the server, which asks each one's own update. Protocol clean: members "
    "against images of the same labels that nobody holds; paper: against other participants' records. Found at 1 %: "
    "share of the members, at 1 % false positives. Right: balanced accuracy of what the attacker itself marks, with "
    "the cut that it has learned. NLL: of the final global model on the test images, in nats. Rise of loss, labels "
    "changed: on a defended participant's own records, by the change of its last layer, the most of all rounds and "
    "participants."
)


class Key(NamedTuple):
    """Which number of an inquiry it is: `place`, `protocol`, `method` and `metric` (of METRICS)."""

    place: str
    protocol: str
    method: str
    metric: str

    def __str__(self) -> str:
        """Return it as matrix.json has it, the four words after one another."""
        return " ".join(self)


def numbers(run: RunDirectory, verdict: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a run's inquiries by their Key, and of COSTS what is on record; nothing if nobody is asked.

    Each method's area, how many members it finds at 1 % false positives, and how often its own marks are right.
    """
    found: dict[str, float] = {}
    for _, attacker in inquiries_of(verdict):
        said = attacker["membership"]
        for method, protocols in said["methods"].items():
            for protocol, measured in protocols.items():
                if not isinstance(measured, Mapping):
                    continue
                named = {str(Key(said["place"], protocol, method, one)): finite(measured.get(one)) for one in METRICS}
                found |= {name: value for name, value in named.items() if value is not None}
    if not found:
        return {}
    last = run.rounds()[-1:]
    found |= {name: value for line in last for name in COSTS if (value := finite(line.get(name))) is not None}
    protected = ((verdict.get("protected") or {}).get("participants") or {}).values()
    for name in ("loss_rise", "labels_changed"):
        values = [value for said in protected if (value := finite(said.get(name))) is not None]
        found |= {name: max(values)} if values else {}
    return found


def keys(asked: Mapping[str, Any]) -> dict[Key, Mapping[str, Any]]:
    """Return the spreads of a row's inquiries, without the costs."""
    return {Key(*name.split(" ")): spread for name, spread in asked.items() if " " in name}


def protocol(line: Mapping[str, Any]) -> str:
    """Return by which protocol the area of a row or cell is its leakage: clean where it is; empty if nobody asks."""
    return min((key.protocol for key in keys(line.get("asked") or {})), default="")


def lines(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return what is known of members as people read it, headers first: a line for each row and method; or nothing."""
    asked = [(row, keys(row["asked"])) for row in rows if row.get("asked")]
    posed = sorted({(key.place, key.protocol) for _, each in asked for key in each})
    headline = min((protocol for _, protocol in posed), default="")
    columns = [(AREA, *one) for one in posed]
    columns += [(metric, *one) for metric in (FOUND, RIGHT) for one in posed if one[1] == headline]
    swept = any(row["settings"] for row, _ in asked)
    headers = [f"{METRICS[metric]}, {place}, {protocol}" for metric, place, protocol in columns]
    made = [["attack", "defence", *(["settings"] if swept else []), "method", *headers]]
    for row, each in asked:
        for method in dict.fromkeys(key.method for key in each):
            cells = [plain(each.get(Key(place, protocol, method, metric))) for metric, place, protocol in columns]
            made.append([row["attack"], row["defense"], *([settings(row)] if swept else []), method, *cells])
    return made if asked else []


def costs(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return what defences against membership attacks cost, headers first; nothing where nobody asks."""
    asked = [row for row in rows if row.get("asked")]
    known = [name for name in COSTS if any(name in row["asked"] for row in asked)]
    swept = any(row["settings"] for row in asked)
    made = [["attack", "defence", *(["settings"] if swept else []), *(COSTS[name] for name in known)]]
    for row in asked:
        cells = [plain(row["asked"].get(name)) for name in known]
        made.append([row["attack"], row["defense"], *([settings(row)] if swept else []), *cells])
    return made if asked else []


def warnings(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say which defences help an attacker: the one who adapts to them, or whoever does best.

    Seeds are paired: what counts is by how much the area is above that of the same seed without a defence.

    Args:
        cells: of a matrix, each with its numbers in `asked`.

    """
    bare = [one for one in cells if one["defense"] == NONE]
    rises: dict[tuple[str, str, str, Question], list[float]] = {}
    for one in cells:
        beside = next((other for other in bare if one["defense"] != NONE and _pairs(one, other)), {})
        before = _strongest(beside)
        for question, area in _strongest(one).items():
            if question in before:
                of = (one["attack"], one["defense"], settings(one), question)
                rises.setdefault(of, []).append(area - before[question])
    told = []
    for (attack, defense, swept, (place, protocol, who)), each in rises.items():
        rise, low, high = mean_interval(each)
        if rise < LEAST:
            continue
        sure = len(each) > 1 and low > 0
        row = ", ".join(filter(None, [f"{attack}: {defense}", swept]))
        interval = f" ({low:+.3f} to {high:+.3f}, {len(each)} seeds)" if len(each) > 1 else " (one seed)"
        told.append(
            f"{row} {'helps' if sure else 'may help'} {who} ({place}, protocol {protocol}): AUC {rise:+.3f}{interval} "
            f"against no defence{'' if sure else ', which may be chance'}."
        )
    return told


Question = tuple[str, str, str]


def _pairs(cell: Mapping[str, Any], bare: Mapping[str, Any]) -> bool:
    """Say whether two cells are of one attack and seed, and of one setting as far as both have it."""
    alike = all(cell[name] == bare[name] for name in ("attack", "seed"))
    return alike and bare["settings"].items() <= cell["settings"].items()


def _strongest(cell: Mapping[str, Any]) -> dict[Question, float]:
    """Return the area of who adapts, and of whoever does best, by place, protocol and in words which of the two."""
    found: dict[Question, float] = {}
    for name, value in (cell.get("asked") or {}).items():
        if not name.endswith(f" {AREA}"):
            continue
        key = Key(*name.split(" "))
        best = (key.place, key.protocol, "the strongest attacker")
        found[best] = max(value, found.get(best, 0.0))
        if key.method == ADAPTS:
            found[key.place, key.protocol, "the attacker who adapts to it"] = value
    return found

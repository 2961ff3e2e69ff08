"""The three numbers that matter of a run, each with what to hold it against. Imports neither torch nor Jinja."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oleander.report.metrics import (
    ABSENT,
    called,
    finite,
    headline_of,
    inquiries_of,
    properties_of,
    targets_of,
    written,
)


@dataclass(frozen=True, kw_only=True)
class KeyNumber:
    """One of the three numbers that matter: the number as written, what it is, and what to hold it against."""

    value: str
    label: str
    note: str


def key_numbers(verdict: Mapping[str, Any]) -> tuple[KeyNumber, KeyNumber, KeyNumber]:
    """Return the three numbers that matter. Of several targets the weakest theft counts, of controls the strongest.

    Targets behind a defence count only where there are no others. Of a server's attack on a private property the
    numbers are about that; of several membership attackers, about the one that can tell most.
    """
    said = next((prop for _, prop in properties_of(verdict)), None)
    if said is not None:
        return _of_property(said)
    rows = [numbers for _, _, numbers in targets_of(verdict)]
    asked = list(inquiries_of(verdict))
    if asked and not rows:
        return _of_inquiry(*max(asked, key=lambda one: headline_of(one[1]).get("auc", 0.0)))
    wanted = [row for row in rows if not row.get("control")]
    stolen = [row for row in wanted if not row.get("defenses")] or wanted
    control = [row for row in rows if row.get("control")]
    shares = [share for row in stolen if (share := finite(row.get("recognised"))) is not None]
    controls = [share for row in control if (share := finite(row.get("recognised"))) is not None]
    closest = [row for row in stolen if finite(row.get("nn_rmse")) is not None]
    farthest = max(closest, key=_closeness, default={})
    which = "the target" if len(stolen) == 1 else f"the weakest of {len(stolen)} targets"
    defended = [row for row in wanted if row not in stolen and finite(row.get("recognised")) is not None]
    if defended:
        shares_of = [f"{row.get('name')} {written(row['recognised'], 'share')}" for row in defended]
        which += f" that nobody defends. Of those behind a defence: {', '.join(shares_of)}"
    return (
        KeyNumber(
            value=written(min(shares, default=None), "share"),
            label="of the stolen images are recognised as their class",
            note=f"By a classifier that took no part; {which}." if shares else "Not judged.",
        ),
        KeyNumber(
            value=written(max(controls, default=None), "share"),
            label="for the control, a class that nobody owns",
            note="What the same attack invents where there is nothing to steal."
            if controls
            else ("No control class." if shares else "Not judged."),
        ),
        KeyNumber(
            value=_near(farthest.get("nn_rmse")),
            label="from a stolen image to the nearest real one",
            note=f"To other classes {_near(farthest.get('nn_rmse_other'))}; "
            f"of unseen real images {_near(farthest.get('nn_rmse_real'))}. White against black is 2."
            if farthest
            else "Not judged.",
        ),
    )


def _of_inquiry(who: str, attacker: Mapping[str, Any]) -> tuple[KeyNumber, KeyNumber, KeyNumber]:
    """Return the three numbers about membership: AUC, the strongest baseline's, and what few false positives allow."""
    said, mine = attacker["membership"], headline_of(attacker)
    protocol = mine.get("protocol", "clean")
    adds = (said.get("adds") or {}).get(protocol) or {}
    areas = {name: one[protocol]["auc"] for name, one in said["methods"].items() if protocol in one}
    areas.pop(attacker["attack"], None)
    best = adds.get("baseline") or max(areas, key=areas.__getitem__, default=None)  # the attack may never have begun
    area, theirs = finite(mine.get("auc")), said["methods"].get(best, {}).get(protocol, {})
    place = "each participant's own update" if said["place"] == "server" else "the global models"
    return (
        KeyNumber(
            value=_near(area),
            label="is the area under the ROC curve (AUC)",
            note=f"{attacker['attack']} of {called(who)}, by {place}, protocol {protocol}; 95 % interval "
            f"{_near(mine.get('auc_low'))} to {_near(mine.get('auc_high'))}; 0.5 is guessing."
            if area is not None
            else "Not judged.",
        ),
        KeyNumber(
            value=_near(theirs.get("auc")),
            label="is that of the strongest baseline",
            note=f"{best}, asked the same by {called(who)}; 95 % interval {_near(theirs.get('auc_low'))} to "
            f"{_near(theirs.get('auc_high'))}."
            if best
            else "There is none.",
        ),
        KeyNumber(
            value=written(mine.get("tpr_at_1pc"), "share"),
            label="of the members are found at 1 % false positives",
            note=f"By {called(who)}, of {mine.get('members')} members; "
            f"at 0.1 % {written(mine.get('tpr_at_01pc'), 'share')}."
            if area is not None
            else "Not judged.",
        ),
    )


def _of_property(said: Mapping[str, Any]) -> tuple[KeyNumber, KeyNumber, KeyNumber]:
    """Return the three numbers about a private property: J, its control within the run, and whose images are near."""
    rounds = ", ".join(str(number) for number in said.get("rounds") or [])
    low, high = written(_rounded(said.get("J_low")), "share"), written(_rounded(said.get("J_high")), "share")
    share, shown = finite(said.get("J")), said.get("shown_classes")
    of = f" of {shown} of {len(said.get('judged_classes') or [])} classes" if shown is not None else ""
    labels = {
        "J_other": "of its samples of “not the victim” do so",
        "J_auxiliary": "of the server's own images, turned by any angle, do so",
        "J_real_public": f"of real images {said.get('without')} seem to do so",
    }
    found = [(number, label) for name, label in labels.items() if (number := finite(said.get(name))) is not None]
    control, label = max(found, key=lambda one: one[0], default=(None, labels["J_other"]))
    return (
        KeyNumber(
            value=written(_rounded(share), "share"),
            label=f"of the samples show the victim's class, {said.get('words')}",
            note=f"J{of}, mean of the rounds {rounds}; {low} to {high} by the draw of the samples. Of the victim's own "
            f"images {written(_rounded(said.get('J_real')), 'share')}."
            if share is not None
            else "Not judged.",
        ),
        KeyNumber(
            value=written(_rounded(control), "share"),
            label=label,
            note="The strongest of this run's controls: what passes for the victim's without being it."
            if control is not None
            else "Not judged.",
        ),
        KeyNumber(
            value=_near(said.get("nn_rmse_victim")),
            label="from a sample to the victim's nearest image of the class",
            note=f"To as many of the other participants' {_near(said.get('nn_rmse_others'))}."
            if finite(said.get("nn_rmse_victim")) is not None
            else "Nobody else holds the victim's classes.",
        ),
    )


def _rounded(value: Any) -> float | None:
    """Return a share in whole per cent, as a headline writes it."""
    number = finite(value)
    return None if number is None else round(number, 2)


def _near(value: Any) -> str:
    """Write a distance with two digits, as the pairs of images do."""
    number = finite(value)
    return ABSENT if number is None else f"{number:.2f}"


def _closeness(row: Mapping[str, Any]) -> float:
    """Return the distance to the class over the distance to other classes (the distance itself where those lack)."""
    other = finite(row.get("nn_rmse_other"))
    own = float(row["nn_rmse"])
    return own / other if other else own

"""The verdict in words that claim no more than was shown.

"Stolen" needs two things: the independent judge takes the loot for the class (the lower end of the 95 % interval above
a half), and it is nearer to the owners' images than to as many of any other class. What was stolen then:

- `records`: the loot is nearer to the owner's own records than to others of the class, by more than chance allows
  (statistics.owner_test, p < 0.01), and nearer than held-out real images are. Both are needed: an average is near to
  everybody's images, and so is nothing new.
- `prototype`: the samples differ from one another far less than real images do (less than 0.7 of their distance).
- `likenesses`: neither: as varied as real images, but nothing shows single records.
"""

from collections.abc import Mapping, Sequence
from typing import Any

ENOUGH, ALIKE, CERTAIN, CONTROL, SURE = 0.5, 0.7, 0.01, 0.05, 0.8


def conclusion(numbers: Mapping[str, Any]) -> str:
    """Return `no loot`, `not stolen`, `prototype`, `likenesses` or `records`.

    Args:
        numbers: of a target, as verdict.json has them.

    """
    if not numbers.get("samples"):
        return "no loot"
    if numbers["control"] or numbers["recognised_low"] <= ENOUGH or not numbers["nn_rmse"] < numbers["nn_rmse_other"]:
        return "not stolen"
    p = numbers["owner_p"]
    if p is not None and p < CERTAIN and numbers["nn_rmse"] < numbers["nn_rmse_real"]:
        return "records"
    return "prototype" if numbers["diversity"] < ALIKE * numbers["diversity_real"] else "likenesses"


def of_target(name: str, numbers: Mapping[str, Any]) -> str:
    """Say what was shown for one target.

    Args:
        name: of the class.
        numbers: of the target, with `conclusion`.

    """
    if numbers["conclusion"] == "no loot":
        return f"There is no loot for class {name}: nothing can be said."
    counted = (
        f"{_percent(numbers['recognised'])} of {numbers['samples']} samples are taken for it by the independent judge "
        f"(95 % interval {_percent(numbers['recognised_low'])} to {_percent(numbers['recognised_high'])}"
    )
    if numbers["control"]:
        lead = f"Class {name} is the control, which nobody holds: {counted})."
        if numbers["recognised"] > CONTROL:
            return f"{lead} That is more than a control should show: shares of other classes prove less by as much."
        return f"{lead} The attack invents nothing that passes for it."
    weak = ", so it is no sure judge of this class" if numbers["recognised_real"] < SURE else ""
    counted += f"; of held-out real images it takes {_percent(numbers['recognised_real'])}{weak})"
    place = (
        f"their nearest images among the owners' are {numbers['nn_rmse']:.2f} away, the nearest of other classes "
        f"{numbers['nn_rmse_other']:.2f}"
    )
    if numbers["conclusion"] == "not stolen":
        return f"That class {name}, held by {_who(numbers['owner'])}, was stolen is not shown: {counted}, and {place}."
    return f"Class {name} was stolen from {_who(numbers['owner'])}: {counted}, and {place}. {_what(numbers)}"


def _what(numbers: Mapping[str, Any]) -> str:
    """Say whether single records, a prototype or something between was stolen."""
    spread = (
        f"two of the samples are {numbers['diversity']:.2f} apart, two real images {numbers['diversity_real']:.2f}; "
        f"held-out real images are {numbers['nn_rmse_real']:.2f} from the owners', the samples {numbers['nn_rmse']:.2f}"
    )
    p = numbers["owner_p"]
    if p is None:
        tested = "too few images of the class are free to test whether the samples know the owners' own"
    else:
        nearer = numbers["owner_advantage"]
        sense = "nearer to" if nearer > 0 else "farther from"
        tested = f"{abs(nearer):.3f} {sense} the owners' records than to as many others of the class (p = {p:.2g})"
    if numbers["conclusion"] == "records":
        return f"The samples know the owners' own records, not the class alone: they are {tested}; {spread}."
    if numbers["conclusion"] == "prototype":
        return f"What was stolen is a prototype of the class; no single record is shown: {spread}; {tested}."
    return f"The samples are about as varied as real images; no single record is shown: {spread}; {tested}."


def of_attacker(attack: str, start: int | None, last: int | None, targets: Sequence[Mapping[str, Any]]) -> str:
    """Say what one attacker did, without the numbers."""
    if start is None:
        return f"The attack ({attack}) never began."
    if last is None:
        return f"The attack ({attack}) began in round {start}, but left no loot."
    return f"The attack ({attack}) began in round {start}; judged is its loot of round {last}, the last. " + _tally(
        targets
    )


def _tally(targets: Sequence[Mapping[str, Any]]) -> str:
    """Count what was stolen."""
    wanted = [target for target in targets if not target["control"]]
    stolen = [target for target in wanted if target["conclusion"] in ("records", "prototype", "likenesses")]
    parts = []
    if stolen:
        names = ", ".join(f"{one['name']} (from {_who(one['owner'])})" for one in stolen)
        records = [one["name"] for one in stolen if one["conclusion"] == "records"]
        only = f", with traces of single records of {', '.join(records)}" if records else ", no single records"
        kind = "as prototypes" if all(one["conclusion"] == "prototype" for one in stolen) else "as likenesses"
        share = min(one["recognised"] for one in stolen)
        counted = "all samples" if share == 1 else f"at least {_percent(share)} of the samples"
        parts.append(f"Stolen, {kind}{only}: {names}; {counted} are recognised by an independent judge.")
    missed = [one["name"] for one in wanted if one not in stolen]
    if missed:
        parts.append(f"Not shown to be stolen: {', '.join(missed)}.")
    controls = [one for one in targets if one["control"] and one.get("samples")]
    parts += [
        f"Control {one['name']}, which nobody holds: {_percent(one['recognised'])} recognised." for one in controls
    ]
    return " ".join(parts)


def headline(attackers: Mapping[str, Mapping[str, Any]]) -> str:
    """Say in one or two sentences what a run showed."""
    if not attackers:
        return "No attacker took part; only the global model was judged."
    parts = []
    for who, one in attackers.items():
        targets = list(one["targets"].values())
        began = one["start_round"] is not None and any(target.get("samples") for target in targets)
        parts.append(f"{who}: {_tally(targets) if began else one['verdict']}")
    return " ".join(parts)


def _who(owners: Sequence[int]) -> str:
    """Name the owners; a class of several is stolen from all of them together."""
    if len(owners) == 1:
        return f"participant {owners[0]}"
    return f"participants {', '.join(map(str, owners[:-1]))} and {owners[-1]} (which of them, the loot cannot tell)"


def _percent(share: float) -> str:
    """Write a share: 98 %, but 99.6 % rather than 100 %."""
    percent = 100 * share
    return f"{percent:.0f} %" if percent in (0, 100) or 1 <= percent <= 99 else f"{percent:.1f} %"  # noqa: PLR2004

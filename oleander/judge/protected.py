"""What changing their trained models cost participants, as they measured it before each update (fit.jsonl)."""

from collections.abc import Mapping
from typing import Any

from oleander.judge.words import percent
from oleander.rundir import RunDirectory


def judged(run: RunDirectory) -> dict[str, Any]:
    """Return what the defences that change the model (defenses.registry.MODEL) have left on record.

    `participants`: by "client-N" `defense`, `updates` (how many), `loss_rise` (nats, on its own records) and
    `labels_changed` (share of them that is answered otherwise), each the most of all updates, and `loss_bound` (None
    where there is none); `words`: a sentence for each defence.
    """
    found = {}
    for client, defense in sorted(run.scenario.defended().items()):
        lines = [line for line in run.fits(client) if "loss_rise" in line]
        if lines:
            most = {name: max(float(line[name]) for line in lines) for name in ("loss_rise", "labels_changed")}
            bound = lines[-1].get("loss_bound")
            found[f"client-{client}"] = {"defense": defense, "updates": len(lines), "loss_bound": bound, **most}
    return {"participants": found, "words": words(found)}


def words(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Say what each defence cost those who have it, the most of all of them."""
    told = []
    for defense in dict.fromkeys(one["defense"] for one in found.values()):
        mine = {who: one for who, one in found.items() if one["defense"] == defense}
        rise, changed, updates = (
            max(one[name] for one in mine.values()) for name in ("loss_rise", "labels_changed", "updates")
        )
        bounds = {one["loss_bound"] for one in mine.values()} - {None}
        limit = f" (it may rise by {min(bounds):g})" if bounds else ""
        count = f"{len(mine)} participants" if len(mine) > 1 else next(iter(mine)).replace("client-", "Participant ")
        told.append(
            f"{count}, defended by {defense}, changed the last layer of {updates} update{'s' * (updates != 1)}"
            f"{' each' * (len(mine) > 1)}: the loss on one's own records rose by {rise:.3f} nats at most{limit}, "
            f"and {percent(changed)} of them at most were answered otherwise."
        )
    return told

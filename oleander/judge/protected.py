"""What changing their trained models cost participants, as they measured it before each update (fit.jsonl)."""

from collections.abc import Mapping
from typing import Any

from oleander.judge.words import percent
from oleander.rundir import RunDirectory


def judged(run: RunDirectory) -> dict[str, Any]:
    """Return what the defences that change the model (defenses.registry.MODEL) have left on record.

    `participants`: by "client-N" `defense`, `updates` (how many), `changed` (in how many anything was), `loss_rise`
    (nats, on its own records) and `labels_changed` (share of them that is answered otherwise), each the most of all
    updates, and `loss_bound` (None where there is none); `words`: a sentence for each defence.
    """
    found = {}
    for client, defense in sorted(run.scenario.defended().items()):
        lines = [line for line in run.fits(client) if "loss_rise" in line]
        if lines:
            most = {name: max(float(line[name]) for line in lines) for name in ("loss_rise", "labels_changed")}
            bound = lines[-1].get("loss_bound")
            changed = sum(line.get("left", 0) < 1 for line in lines)  # 1: nothing better than no change was found
            counts = {"updates": len(lines), "changed": changed}
            found[f"client-{client}"] = {"defense": defense, **counts, "loss_bound": bound, **most}
    return {"participants": found, "words": words(found)}


def words(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Say what each defence cost those who have it, the most of all of them."""
    told = []
    for defense in dict.fromkeys(one["defense"] for one in found.values()):
        mine = {who: one for who, one in found.items() if one["defense"] == defense}
        rise, answers = (max(one[name] for one in mine.values()) for name in ("loss_rise", "labels_changed"))
        updates, changed = (sum(one[name] for one in mine.values()) for name in ("updates", "changed"))
        bounds = {one["loss_bound"] for one in mine.values()} - {None}
        limit = f" (the loss may rise by {min(bounds):g})" if bounds else ""
        count = f"{len(mine)} participants" if len(mine) > 1 else next(iter(mine)).replace("client-", "Participant ")
        if not changed:
            told.append(
                f"{count}, defended by {defense}, sent all {updates} updates as they were: nothing better was found "
                f"within the bounds{limit}. NOTHING was protected."
            )
            continue
        told.append(
            f"{count}, defended by {defense}, changed the last layer of {changed} of {updates} updates: the loss on "
            f"one's own records rose by {rise:.3f} nats at most{limit}, and {percent(answers)} of them at most were "
            "answered otherwise."
        )
    return told

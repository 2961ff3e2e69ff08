"""A membership attack in words that claim no more than was shown.

That records can be told apart is shown where the 95 % interval of the AUC lies above a half. The attack adds something
where the interval of its AUC minus the strongest baseline's, over the same draws of records, lies above 0.
"""

from collections.abc import Mapping
from typing import Any

from oleander.judge.words import listed, percent, subject

CHANCE = 0.5
AGAINST = {
    "clean": "others of the same labels that nobody holds",
    "paper": "records of participants who were not asked about",
}


def headline(who: str, verdict: Mapping[str, Any]) -> str:
    """Say in a few sentences what an attacker can tell.

    Args:
        who: name of its folder in loot/.
        verdict: its part of verdict.json, with `membership`.

    """
    said = verdict["membership"]
    mine = said["methods"].get(verdict["attack"])
    if mine is None:
        return of_attacker(who, verdict)
    return " ".join(_of_protocol(who, verdict["attack"], protocol, said) for protocol in AGAINST if protocol in mine)


def _of_protocol(who: str, attack: str, protocol: str, said: Mapping[str, Any]) -> str:
    """Say what was shown by one protocol."""
    mine, adds = said["methods"][attack][protocol], said["adds"][protocol]
    what = f"{_whose(said['about'])} training records from {AGAINST[protocol]}"
    can = f"{subject(who)} can tell" if mine["auc_low"] > CHANCE else f"That {subject(who).lower()} can tell"
    lead = f"{can} {what}" + ("" if mine["auc_low"] > CHANCE else " is not shown")
    return f"{lead}: AUC {_interval(mine, 'auc')} by {attack}{_beside(adds, said['methods'], protocol)}."


def _beside(adds: Mapping[str, Any] | None, methods: Mapping[str, Any], protocol: str) -> str:
    """Say what the strongest baseline reaches, and whether the attack adds anything to it."""
    if adds is None:
        return ""
    text = f"; {adds['baseline']}, the strongest baseline, reaches {methods[adds['baseline']][protocol]['auc']:.2f}"
    if adds["auc_low"] > 0:
        return f"{text}, which the attack improves by {_interval(adds, 'auc')}"
    return f"{text}, and the attack " + ("does worse" if adds["auc_high"] < 0 else "is not shown to add anything to it")


def of_attacker(who: str, verdict: Mapping[str, Any]) -> str:
    """Say what else was found of an attacker."""
    said, attack = verdict["membership"], verdict["attack"]
    if said["round"] is None:
        return f"{subject(who)}'s attack ({attack}) left no scores."
    if attack not in said["methods"]:
        return f"{subject(who)}'s attack ({attack}) never began; only the baselines were asked."
    seen = "each participant's own update" if said["place"] == "server" else "the global models"
    parts = [f"Asked in round {said['round']}, by {seen}."]
    for protocol, other in (("clean", "of fresh images with the same labels"), ("paper", "of the others' records")):
        found = said["methods"][attack].get(protocol)
        if found is not None:
            parts.append(
                f"{attack} marks {percent(found['tp_rate'])} of the members and {percent(found['fp_rate'])} {other}; "
                f"at 1 % false positives it finds {percent(found['tpr_at_1pc'])} of {found['members']} members, at "
                f"0.1 % {percent(found['tpr_at_01pc'])}{_coarse(found)}."
            )
    if said.get("labels_without"):
        parts.append(f"At worst it had nothing to learn {said['labels_without']:.0f} of the labels from.")
    if said["rehearsal"] is not None and said["rehearsal"]["all"] is not None:
        own = said["rehearsal"]
        parts.append(
            f"On what it tested by itself, {percent(own['made_share'])} of it made by its generators, it is right on "
            f"{percent(own['all']['balanced_accuracy'])} (balanced)"
            + (f"; without made images on {percent(own['real']['balanced_accuracy'])}." if own["real"] else ".")
        )
    return " ".join(parts)


def _coarse(found: Mapping[str, Any]) -> str:
    """Say where there are too few others to show such low rates."""
    if found["least_fpr"] <= 0.001:  # noqa: PLR2004  # the lowest rate that is asked for
        return ""
    return f" (one false positive of {found['others']} is {percent(found['least_fpr'])} already)"


def _interval(numbers: Mapping[str, Any], name: str) -> str:
    return f"{numbers[name]:.2f} ({numbers[f'{name}_low']:.2f} to {numbers[f'{name}_high']:.2f})"


def _whose(about: list[int]) -> str:
    if len(about) > 3:  # noqa: PLR2004  # a headline is short
        return f"{len(about)} other participants'"
    return f"participant{'s' if len(about) > 1 else ''} {listed([str(one) for one in about])}'s"

"""A membership attack in words that claim no more than was shown.

That records can be told apart is shown where the 95 % interval of the AUC lies above a half. The attack adds something
where the interval of its AUC minus the strongest baseline's, over the same draws of records, lies above 0.
"""

from collections.abc import Mapping
from typing import Any

from oleander.judge.words import listed, percent, subject
from task.questions import BASELINES

CHANCE = 0.5
CLEAN = "others of the same labels that nobody holds"
PAPER = {
    True: "other participants' records, which have other labels (that says who owns a label, not whose record it is)",
    False: "other participants' records",
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
    return " ".join(
        _of_protocol(who, verdict["attack"], protocol, said) for protocol in ("clean", "paper") if protocol in mine
    )


def _of_protocol(who: str, attack: str, protocol: str, said: Mapping[str, Any]) -> str:
    """Say what was shown by one protocol: by the attack, or else by the strongest baseline."""
    methods = {name: one[protocol] for name, one in said["methods"].items() if protocol in one}
    adds = said["adds"][protocol]
    best = attack if adds is None else adds["baseline"]
    others = CLEAN if protocol == "clean" else PAPER[bool(said.get("other_labels"))]
    what = f"can tell {_whose(said['about'])} training records from {others}"
    shown = [name for name in (attack, best) if methods[name]["auc_low"] > CHANCE]
    lead = f"{subject(who)} {what}" if shown else f"That {subject(who).lower()} {what} is not shown"
    if shown[:1] == [best] != [attack]:
        worse = "does worse" if adds["auc_high"] < 0 else "is not shown to add anything to it"
        itself = f"the attack itself, {attack}, reaches {_interval(methods[attack], 'auc')} and {worse}"
        return f"{lead}: AUC {_interval(methods[best], 'auc')} by {best}, the strongest baseline; {itself}."
    return f"{lead}: AUC {_interval(methods[attack], 'auc')} by {attack}{_beside(attack, adds, methods)}."


def _beside(attack: str, adds: Mapping[str, Any] | None, methods: Mapping[str, Any]) -> str:
    """Say what the strongest baseline reaches, and whether the attack adds anything to it."""
    if adds is None:
        return ""
    best = adds["baseline"]
    reaches = f"reaches {_interval(methods[best], 'auc')}"
    if attack in BASELINES:
        return f", which is a baseline itself; {best} {reaches}"
    text = f"; {best}, the strongest baseline, {reaches}"
    if adds["auc_low"] > 0:
        return f"{text}, which the attack improves by {_interval(adds, 'auc')}"
    return f"{text}, and the attack " + ("does worse" if adds["auc_high"] < 0 else "is not shown to add anything to it")


def of_attacker(who: str, verdict: Mapping[str, Any]) -> str:
    """Say what else was found of an attacker."""
    said, attack = verdict["membership"], verdict["attack"]
    if said["round"] is None:
        return f"{subject(who)}'s attack ({attack}) left no scores."
    if attack not in said["methods"]:
        why = "the run ended before the start that its options set (start_accuracy, start_round)"
        return f"{subject(who)}'s attack ({attack}) never began: {why}; only the baselines were asked."
    seen = "each participant's own update" if said["place"] == "server" else "the global models"
    parts = [f"Asked in round {said['round']}, by {seen}."]
    if said.get("other_labels"):
        parts += [f"Participant {one} has declared {_labels(mine)}." for one, mine in said["declared"].items()]
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


def _labels(declared: list[int]) -> str:
    return f"the label{'s' * (len(declared) > 1)} {listed([str(label) for label in declared])}"


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

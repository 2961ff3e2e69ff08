"""A server's attack in words that claim no more than was shown.

That the server learned what only the victim holds is `shown` where, over the last evaluations together, at least half
of the samples for the victim's classes show the right class with the property (J), and that is at least a quarter more
than of the same generator's samples of "not the victim", of the server's own images turned by any angle, and of
public images without the property. `class only`: the samples show the class, but not so the property. `not shown`:
neither. Of a single class the same is said of its own samples. An attack whose victim has no turned images is the
control of the one whose victim has: there, nothing can be shown, and J says what the attack invents. Without that run,
an attack that turns images of its own shows something `beside its controls` only: among them is what the judge makes of
these images, but not what a generator makes of them.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from oleander.judge.words import ENOUGH, SURE, listed, percent

CLEAR = 0.25
BESIDE = "beside its controls"
INVENTED = ("J_other", "J_auxiliary", "J_real_public")
SHOWN, CLASS_ONLY, NOT_SHOWN, NO_LOOT, CONTROL = "shown", "class only", "not shown", "no loot", "control"


def conclusion(share: float, category: float, prop: Mapping[str, Any]) -> str:
    """Return what was shown.

    Args:
        share: J, of all of the victim's classes or of one; NaN without loot.
        category: share of the samples that show the right category, whatever the property.
        prop: the part "property" of verdict.json.

    """
    if not math.isfinite(share):
        return NO_LOOT
    if prop["control"]:
        return CONTROL
    if share >= ENOUGH and share - invented(prop) >= CLEAR:
        return BESIDE if prop.get("turned") else SHOWN
    return CLASS_ONLY if category >= ENOUGH else NOT_SHOWN


def of_class(label: int, target: Mapping[str, Any], prop: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of one of the victim's classes: its `J`, `conclusion` and `words`.

    Args:
        label: the class.
        target: its numbers, as of any attacker's target.
        prop: the part "property" of verdict.json.

    """
    name = target["name"]
    if not target["samples"]:
        return {"J": None, "conclusion": NO_LOOT, "words": f"There is no loot for class {name}: nothing can be said."}
    real = f"; of held-out real images it takes {percent(target['recognised_real'])}" * _finite(
        target["recognised_real"]
    )
    taken = f"{percent(target['recognised'])} of {target['samples']} samples are taken for it{real}"
    counted = f"In round {target['round']}, {taken}"
    place = (
        f"their nearest images among the victim's are {target['nn_rmse']:.2f} away, the nearest of other classes "
        f"{target['nn_rmse_other']:.2f}"
    )
    if label not in prop["judged_classes"]:
        only = f"Nobody holds class {name} {prop['without']}, so that it says nothing of the property."
        return {
            "J": None,
            "conclusion": CLASS_ONLY if target["recognised"] >= ENOUGH else NOT_SHOWN,
            "words": f"{only} {counted}; {place}.",
        }
    late = [
        line["by_class"][str(label)]
        for line in prop["per_round"]
        if line["round"] in prop["rounds"] and str(label) in line["by_class"]
    ]
    if not late:
        words = f"In the last evaluations there is no loot for class {name}, though there was some earlier. {counted}."
        return {"J": None, "conclusion": NO_LOOT, "words": words}
    share = sum(late) / len(late)
    found = conclusion(share, target["recognised"], prop)
    lead = {
        SHOWN: f"Samples of class {name} are {prop['words']}, as the victim's are",
        BESIDE: f"Beside the controls of this run, samples of class {name} are {prop['words']}, as the victim's are",
        CLASS_ONLY: f"Samples of class {name} show the class, but that they are {prop['words']} is not shown",
        NOT_SHOWN: f"That samples of class {name} show what the victim holds is not shown",
        CONTROL: f"Class {name} of the control, whose images are {prop['without']}",
    }[found]
    rounds = _rounds(prop["rounds"])
    return {
        "J": share,
        "conclusion": found,
        "words": f"{lead}: {percent(share)} show it {prop['words']} ({rounds}). {counted}; {place}.",
    }


def of_server(verdict: Mapping[str, Any]) -> str:
    """Say what a server's attack did, beside its headline.

    Args:
        verdict: its part of verdict.json, with `property` and `targets`.

    """
    if verdict["start_round"] is None:
        return f"The server's attack ({verdict['attack']}) never began."
    if verdict["last_loot_round"] is None:
        return f"The server's attack ({verdict['attack']}) began in round {verdict['start_round']}, but left no loot."
    prop = verdict["property"]
    parts = [f"The attack ({verdict['attack']}) began in round {verdict['start_round']}."]
    parts += [
        f"In round {number} it left no samples of the victim's {'class' if len(gone) == 1 else 'classes'} "
        f"{listed([str(label) for label in gone])}, which count as not shown."
        for number, gone in prop["absent"].items()
    ]
    if _finite(prop["J_not_owned"]):
        parts.append(
            f"Of samples of classes that participant {verdict['victim']} does not hold, {percent(prop['J_not_owned'])} "
            f"show their class {prop['words']}, too."
        )
    if _finite(prop.get("J_matched")):
        parts.append(
            f"The server's own images, turned by what the victim's update says, show it in "
            f"{percent(prop['J_matched'])}: so much is the angle alone, and needs no generator."
        )
    if _finite(prop["nn_rmse_victim"]):
        parts.append(
            f"The samples are {prop['nn_rmse_victim']:.2f} from the nearest of the victim's images, and "
            f"{prop['nn_rmse_others']:.2f} from that of as many of the other participants' of the same class."
        )
        if _finite(prop["nn_rmse_victim_real"]):
            parts.append(
                f"Of unseen real images {prop['words'] if not prop['control'] else prop['without']} these are "
                f"{prop['nn_rmse_victim_real']:.2f} and {prop['nn_rmse_others_real']:.2f}."
            )
    return " ".join(parts)


def headline(verdict: Mapping[str, Any]) -> str:
    """Say in a few sentences whether the server learned what only its victim holds."""
    if verdict["start_round"] is None or verdict["last_loot_round"] is None:
        return of_server(verdict)
    prop, victim = verdict["property"], f"participant {verdict['victim']}"
    found = conclusion(prop["J"], prop["category"], prop)
    if found == NO_LOOT:
        return f"The server left no samples of the classes by which the property of {victim} could be judged."
    rounds = f"mean of {_rounds(prop['rounds'])}"
    measured = f"{percent(prop['J'])} of its samples of {victim}'s classes show the class {prop['words']} ({rounds})"
    if found == CONTROL:
        return f"The control: {victim}'s images are {prop['without']}, and {measured}. So much the attack invents."
    lead = {
        SHOWN: f"The server learned what only {victim} holds: {measured}",
        BESIDE: f"Beside the controls of this run, the server's samples show what only {victim} holds: {measured}",
        CLASS_ONLY: f"The server's samples show the classes, but that they are {victim}'s is not shown: {measured}",
        NOT_SHOWN: f"That the server learned what {victim} holds is not shown: {measured}",
    }[found]
    return f"{lead}; {_controls(prop, victim)}"


def _controls(prop: Mapping[str, Any], victim: str) -> str:
    """Say what stands against J: the yardsticks within the run, and the one outside of it."""
    said = []
    if _finite(prop["J_other"]):
        said.append(f"of its samples of “not {victim}” {percent(prop['J_other'])}")
    if prop.get("turned") and _finite(prop["J_auxiliary"]):
        said.append(f"of the server's own images, turned by any angle, {percent(prop['J_auxiliary'])}")
    if _finite(prop["J_real_public"]):
        said.append(f"of public images {prop['without']} {percent(prop['J_real_public'])}")
    text = ", ".join(said) + (", and " if said else "") + f"of {victim}'s own images {percent(prop['J_real'])}."
    if prop["J_real"] < SURE:
        text += " So the judge is no sure judge of the property."
    if prop["kind"] != "rotated":
        return f"{text} No run of a victim {prop['without']} stands beside it: what the attack invents is not known."
    if prop.get("turned"):
        return f"{text} A run whose victim's images are upright is the last word."
    return f"{text} What the attack invents is known only beside a run whose victim's images are upright."


def invented(prop: Mapping[str, Any]) -> float:
    """Return the greatest of the controls within the run; 0 where there is none."""
    return max((prop[name] for name in INVENTED if _finite(prop.get(name))), default=0.0)


def _finite(value: float | None) -> bool:
    """Say whether there is a number."""
    return value is not None and math.isfinite(value)


def _rounds(rounds: Sequence[int]) -> str:
    """Name rounds."""
    names = [str(number) for number in rounds]
    return f"round{'s' if len(names) > 1 else ''} {listed(names)}"

"""The verdict in words that claim no more than was shown.

"Stolen" needs two things: the independent judge takes the loot for the class (the lower end of the 95 % interval above
a half), and it is nearer to the owners' images than to as many of any other class. What was stolen then:

- `records`: the loot is nearer to the owner's own records than to others of the class, by more than chance allows
  (statistics.owner_test, p < 0.01), and nearer than held-out real images are. Both are needed: an average is near to
  everybody's images, and so is nothing new.
- `prototype`: the samples differ from one another far less than real images do (less than 0.7 of their distance).
- `likenesses`: neither: as varied as real images, but nothing shows single records.

Where the participants hold all training images of the class there is no such test, and never `records`. Loot that the
judge recognises over the last rounds together, but not in the very last, is `unsteady`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oleander.judge.statistics import wilson

ENOUGH, ALIKE, CERTAIN, CONTROL, SURE, STEADY = 0.5, 0.7, 0.01, 0.05, 0.8, 0.05
STOLEN = ("records", "prototype", "likenesses")
MODELS = {"first": "untrained", "start": "before the theft", "final": "at the end"}
NUMBER_WORDS = {2: "two", 3: "three", 4: "four", 5: "five"}


def conclusion(numbers: Mapping[str, Any]) -> str:
    """Return `no loot`, `not stolen`, `unsteady`, `prototype`, `likenesses` or `records`.

    Args:
        numbers: of a target, as verdict.json has them.

    """
    if not numbers.get("samples"):
        return "no loot"
    if numbers["control"] or not numbers["nn_rmse"] < numbers["nn_rmse_other"]:
        return "not stolen"
    if numbers["recognised_low"] <= ENOUGH:
        count, late = numbers["samples"], numbers.get("recognised_final_rounds", 0.0)
        return "unsteady" if wilson(round(late * count), count)[0] > ENOUGH else "not stolen"
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
        f"{percent(numbers['recognised'])} of {numbers['samples']} samples are taken for it by the independent judge "
        f"(95 % interval {percent(numbers['recognised_low'])} to {percent(numbers['recognised_high'])}"
    )
    if numbers["control"]:
        lead = f"Class {name} is the control, which nobody holds: {counted})."
        if numbers["recognised"] > CONTROL:
            return f"{lead} That is more than a control should show: shares of other classes prove less by as much."
        return f"{lead} The attack invents nothing that passes for it."
    weak = ", so it is no sure judge of this class" if numbers["recognised_real"] < SURE else ""
    counted += f"; of held-out real images it takes {percent(numbers['recognised_real'])}{weak})"
    place = (
        f"their nearest images among the owners' are {numbers['nn_rmse']:.2f} away, the nearest of other classes "
        f"{numbers['nn_rmse_other']:.2f}"
    )
    if numbers["conclusion"] == "unsteady":
        rounds, late = numbers["final_rounds"], percent(numbers["recognised_final_rounds"])
        return (
            f"Whether class {name} was stolen from {_who(numbers['owner'])} depends on the round. In the last, "
            f"{counted}, and {place}; over the last {rounds} rounds together {late} are taken for it. {_what(numbers)}"
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
        free = numbers.get("owner_test_images")
        why = f"only {free} of its training images are free" if free else "participants hold all its training images"
        tested = f"whether the samples know the owners' own cannot be tested, since {why}"
    else:
        nearer = numbers["owner_advantage"]
        sense = "nearer to" if nearer > 0 else "farther from"
        tested = f"{abs(nearer):.3f} {sense} the owners' records than to as many others of the class (p = {p:.2g})"
    if numbers["conclusion"] == "unsteady":
        return f"No single record is shown: {spread}; {tested}."
    if numbers["conclusion"] == "records":
        return f"The samples know the owners' own records, not the class alone: they are {tested}; {spread}."
    if numbers["conclusion"] == "prototype":
        return f"What was stolen is a prototype of the class; no single record is shown: {spread}; {tested}."
    return f"The samples are about as varied as real images; no single record is shown: {spread}; {tested}."


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Rounds in which an attacker began to steal and left its last loot (None: never); whether noise came before.

    `elsewhere`: its loot is on its own host, and was not brought here. `failure`: when and why it failed, or empty.
    """

    start: int | None
    last: int | None
    early_noise: bool = False
    elsewhere: bool = False
    failure: str = ""


def of_attacker(who: str, attack: str, moments: Moments, targets: Sequence[Mapping[str, Any]]) -> str:
    """Say what one attacker did.

    Args:
        who: name of its folder in loot/.
        attack: module name.
        moments: of the attack.
        targets: numbers of its targets, with `conclusion`.

    """
    if moments.elsewhere:
        remedy = "bring it with `oleander judge RUN --loot DIR`"
        return (
            f"What {subject(who).lower()}'s attack ({attack}) took lies on its own host, and is not judged: {remedy}."
        )
    noise = ", though it sent noise from round 1 on" if moments.early_noise else ""
    if moments.failure and moments.last is None:
        return f"{subject(who)}'s attack ({attack}) left no loot{noise}: {moments.failure.rstrip('.')}."
    if moments.start is None:
        ended = "the run ended before the start that its options set"
        return f"{subject(who)}'s attack ({attack}) never began{noise}: {ended}."
    if moments.last is None:
        return f"{subject(who)}'s attack ({attack}) began in round {moments.start}, but left no loot."
    noise = ", and it sent noise from round 1 on: the honest accuracy is unknown from this run" if noise else ""
    return (
        f"The attack ({attack}) stole from round {moments.start} on{noise}. "
        f"Judged is the loot of round {moments.last}, the last. {_tally(who, targets)}"
    )


def of_the_rounds_before(*, noise: bool) -> str:
    """Say what the means over the rounds before the theft are, with or without an attacker's noise from round 1 on."""
    means = "means over the rounds before the theft, the first rounds of learning among them"
    if not noise:
        return means
    return f"{means}, and under the attacker's noise from round 1 on: the honest accuracy is unknown from this run"


def of_model(point: str, number: int | None) -> str:
    """Name one of the global models that were kept.

    Args:
        point: `first`, `start` (the last one kept before the theft began, so one of an earlier round) or `final`.
        number: the round after which it was kept, None where that is not known or says nothing.

    """
    return MODELS[point] + (f" (after round {number})" if number else "")


def headline(attackers: Mapping[str, Mapping[str, Any]]) -> str:
    """Say in one or a few sentences what a run showed."""
    if not attackers:
        return "No attacker took part; only the global model was judged."
    parts = []
    for who, one in attackers.items():
        if "headline" in one:  # a server's, see oleander.judge.server_words
            parts.append(one["headline"])
            continue
        targets = list(one["targets"].values())
        began = one["start_round"] is not None and any(target.get("samples") for target in targets)
        parts.append(_tally(who, targets) if began else one["verdict"])
    return " ".join(parts)


def _tally(who: str, targets: Sequence[Mapping[str, Any]]) -> str:
    """Say what was stolen, what was not, and what the controls show."""
    wanted = [target for target in targets if not target["control"] and target.get("samples")]
    stolen = [target for target in wanted if target["conclusion"] in STOLEN]
    unsteady = [target for target in wanted if target["conclusion"] == "unsteady"]
    missed = [target for target in wanted if target["conclusion"] == "not stolen"]
    parts = []
    if stolen:
        parts.append(f"{subject(who)} stole {_classes(stolen)}, {_as(stolen)}: {_recognition(stolen)}.")
    if unsteady:
        lead = f"Whether {subject(who).lower()} stole {_classes(unsteady)} depends on the round"
        parts.append(f"{lead}: {_recognition(unsteady)}.")
    if missed:
        names = listed([f"{one['name']}{_behind(one, ' (', ')')}" for one in missed])
        kind = "class" if len(missed) == 1 else "classes"
        parts.append(
            f"That {subject(who).lower()} stole the {kind} {names} is not shown: {_recognition(missed, most=True)}."
        )
    without = [str(one["name"]) for one in targets if not one.get("samples")]
    if without:
        parts.append(f"There is no loot for {listed(without)}.")
    parts += [_control(one) for one in targets if one["control"] and one.get("samples")]
    return " ".join(parts)


def _as(stolen: Sequence[Mapping[str, Any]]) -> str:
    """Say what the loot is: prototypes, likenesses, or with traces of single records."""
    alone, alike = len(stolen) == 1, all(one["conclusion"] == "prototype" for one in stolen)
    kind = ("a prototype" if alike else "a likeness") if alone else ("prototypes" if alike else "likenesses")
    records = [str(one["name"]) for one in stolen if one["conclusion"] == "records"]
    if records:
        return f"as {kind}, with traces of single records of {listed(records)}"
    if any(one["owner_p"] is None for one in stolen):
        return f"as {kind} (whether single records, cannot be tested for all of it)"
    return f"as {kind} and no single record{'' if alone else 's'}"


def _recognition(targets: Sequence[Mapping[str, Any]], *, most: bool = False) -> str:
    """Say how much the judge recognises in the last round and, where that differs, in the last rounds together.

    Of several targets the weakest counts; with `most` the strongest.
    """
    one = (max if most else min)(targets, key=lambda target: target["recognised"])
    share, late = one["recognised"], one.get("recognised_final_rounds", one["recognised"])
    several = len({target["recognised"] for target in targets}) > 1
    bound = ("at most " if most else "at least ") if several else ""
    text = f"an independent judge recognises {bound}{percent(share)} of the samples"
    if abs(late - share) > STEADY:
        count = NUMBER_WORDS.get(one["final_rounds"], str(one["final_rounds"]))
        text += f" of the last round, but {percent(late)} on average over the last {count} rounds"
    if most and one["recognised_low"] > ENOUGH:
        text += ", but they are no nearer to the owners' images than to those of other classes"
    return text


def _control(one: Mapping[str, Any]) -> str:
    """Say what the attack made of a class that nobody holds."""
    share = percent(one["recognised"])
    if one["recognised"] > CONTROL:
        return f"Of {one['name']}, which nobody holds, the judge recognises {share}, too: the other shares prove less."
    return f"Of {one['name']}, which nobody holds, it made nothing recognisable ({share})."


def _classes(targets: Sequence[Mapping[str, Any]]) -> str:
    """Name classes and their owners."""
    names = [f"{one['name']} (from {_who(one['owner'])}{_behind(one)})" for one in targets]
    return f"the {'class' if len(names) == 1 else 'classes'} {listed(names)}"


def _behind(target: Mapping[str, Any], before: str = ", ", after: str = "") -> str:
    """Name the defences of a target's owners; nothing where they have none."""
    names = target.get("defenses")
    return f"{before}behind {listed(names)}{after}" if names else ""


def listed(names: Sequence[str]) -> str:
    """Write a list in words: a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def subject(who: str) -> str:
    """Name an attacker at the beginning of a sentence."""
    number = who.removeprefix("client-")
    return f"Participant {number}" if number.isdigit() else f"The {who}"


def _who(owners: Sequence[int]) -> str:
    """Name the owners; a class of several is stolen from all of them together."""
    if len(owners) == 1:
        return f"participant {owners[0]}"
    return f"participants {', '.join(map(str, owners[:-1]))} and {owners[-1]} (which of them, the loot cannot tell)"


def percent(share: float) -> str:
    """Write a share: 98 %, but 99.6 % rather than 100 %."""
    percent = round(100 * share, 6)
    return f"{percent:.0f} %" if percent in (0, 100) or 1 <= percent <= 99 else f"{percent:.1f} %"  # noqa: PLR2004

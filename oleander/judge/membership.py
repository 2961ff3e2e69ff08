"""What a membership attacker's scores are worth: held against the truth, protocol by protocol, beside the baselines.

The truth is drawn here, as the attacker's question was (task.membership), and left in truth/membership.npz.
"""

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oleander.judge import membership_words, rates
from oleander.judge.rates import Bools, Curve, Floats
from oleander.rundir import RunDirectory
from task.datasets import Dataset
from task.membership import Asked, ask
from task.questions import MembershipSettings
from task.runs import keep_arrays, read_arrays

UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """One method's answers: scores float64 [N], higher = more likely a member, and marked bool [N]."""

    scores: Floats
    marked: Bools


@dataclass(kw_only=True)
class Judged:
    """What was found of one attacker: its part of verdict.json, ROC curves by protocol and method, what is missing."""

    verdict: dict[str, Any]
    curves: dict[str, dict[str, Curve]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def truth(
    run: RunDirectory,
    dataset: Dataset,
    settings: MembershipSettings,
    holding: Mapping[int, Tensor],
    seed: int,
    *,
    apart: Mapping[int, Tensor] | None = None,
) -> Asked:
    """Return the truth about a run's records, and write truth/membership.npz where it is missing.

    Arrays: record int64 [N] in 0..N-1, and those of task.membership.Asked but the references
    and what was told.
    """
    asked = ask(dataset, settings, holding, seed, apart)
    path = run.path / "truth" / "membership.npz"
    if not path.exists():
        record = asked.image.new_tensor(range(len(asked.image)))
        columns = {"member": asked.member, "fresh": asked.fresh, "client": asked.client, "image": asked.image}
        keep_arrays(path, record=record, **columns)
    return asked


def judge(
    run: RunDirectory,
    who: str,
    attack: str,
    settings: MembershipSettings,
    asked: Asked,
    *,
    labels: Tensor,
    declared: Mapping[int, tuple[int, ...]],
    seed: int,
    progress: Callable[[str], None],
) -> Judged:
    """Judge all scores of one attacker; the last round's are the headline.

    Args:
        run: the run directory.
        who: name of the attacker's folder in loot/.
        attack: module name.
        settings: what was asked.
        asked: the truth.
        labels: of the records, int64 [N].
        declared: labels that participants have declared to hold; empty where they hide them.
        seed: of the bootstrap.
        progress: told in words what is being done.

    """
    rounds, log = run.scores().get(who, {}), run.attack_log(who)
    folder, found = run.path / "loot" / who, Judged(verdict={})
    read = {
        number: {name: one for name, path in by.items() if (one := _read(path, len(asked.image), found.missing))}
        for number, by in rounds.items()
    }
    last = max((number for number, by in read.items() if by), default=None)
    start = next((line["round"] for line in log if line.get("started")), None)
    methods: dict[str, Any] = {}
    adds: dict[str, Any] = {}
    if last is None:
        found.missing.append(f"There are no scores of {who}.")
    for protocol in settings.protocols if last is not None else ():
        progress(f"Judging what {who} says of the records, protocol {protocol}")
        compared = kinds(asked, protocol)
        spreads = {}
        for name, one in read[last or 0].items():
            scores, marked, member = one.scores[compared], one.marked[compared], asked.member.numpy()[compared]
            spreads[name] = rates.bootstrap(scores, marked, member, rates.generator(seed, "membership", protocol))
            methods.setdefault(name, {"baseline": name != attack})
            methods[name][protocol] = rates.numbers(scores, marked, member, spreads[name])
            if protocol == "paper":
                methods[name][protocol]["paper_ratio"] = float(marked.sum() / member.sum())
            found.curves.setdefault(protocol, {})[name] = rates.curve(scores, member)
        adds[protocol] = _adds(attack, protocol, methods, spreads)
    said = {
        "place": "server" if who == "server" else "participant",
        "round": last,
        "about": list(settings.about or ()),
        "methods": methods,
        "adds": adds,
        "declared": {str(one): list(declared[one]) for one in settings.about or () if one in declared},
        "other_labels": _other_labels(asked, labels),
        "over_rounds": _over_rounds(read, asked, settings.protocols),
        "labels_without": max((line["labels_without"] for line in log if line.get("labels_without")), default=0),
        "rehearsal": _rehearsal(folder / f"rehearsal-{attack}-round-{last or 0:04d}.npz", seed, found.missing),
    }
    found.verdict = {
        "attack": attack,
        "start_round": start,
        "noise_from_round": None,
        "last_loot_round": last,
        "targets": {},
        "per_round": [],
        "membership": said,
    }
    found.verdict |= {
        "verdict": membership_words.of_attacker(who, found.verdict),
        "headline": membership_words.headline(who, found.verdict),
    }
    return found


def kinds(asked: Asked, protocol: str) -> Bools:
    """Return which records a protocol compares, bool [N]: members with fresh ones, or with other participants'."""
    outside = asked.fresh if protocol == "clean" else ~asked.fresh & ~asked.member
    compared: Bools = (asked.member | outside).numpy()
    return compared


def _other_labels(asked: Asked, labels: Tensor) -> bool:
    """Return whether the other participants' records, of the protocol `paper`, have none of the members' labels."""
    theirs = labels[~asked.fresh & ~asked.member]
    return len(theirs) > 0 and not bool(torch.isin(theirs, labels[asked.member]).any())


def _read(path: Path, count: int, missing: list[str]) -> Answers | None:
    """Read one method's answers, in the order of the records; None where they are none."""
    try:
        arrays = read_arrays(path)
        order = arrays["record"].argsort()
        complete = arrays["record"][order].tolist() == list(range(count))
        scores, marked = arrays["scores"][order].double().numpy(), arrays["marked"][order].bool().numpy()
    except UNREADABLE as error:
        missing.append(f"{path.parent.name}/{path.name} cannot be read: {error}.")
        return None
    if not complete or not np.isfinite(scores).all():
        missing.append(
            f"{path.parent.name}/{path.name} has no finite score for each of {count} records, and is left out."
        )
        return None
    return Answers(scores=scores, marked=marked)


def _adds(
    attack: str, protocol: str, methods: Mapping[str, Any], spreads: Mapping[str, Mapping[str, Floats]]
) -> dict[str, Any] | None:
    """Return the attack's AUC minus the strongest baseline's: `baseline`, `auc`, `auc_low`, `auc_high`."""
    others = [name for name in spreads if name != attack]
    if attack not in spreads or not others:
        return None
    best = max(others, key=lambda name: methods[name][protocol]["auc"])
    low, high = rates.ends(spreads[attack]["auc"] - spreads[best]["auc"])
    difference = methods[attack][protocol]["auc"] - methods[best][protocol]["auc"]
    return {"baseline": best, "auc": difference, "auc_low": low, "auc_high": high}


def _over_rounds(
    read: Mapping[int, Mapping[str, Answers]], asked: Asked, protocols: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Return the AUC of every method in every round with scores: `round`, `method`, `protocol`, `auc`."""
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415  # takes two seconds

    lines = []
    for number, by in sorted(read.items()):
        for name, one in by.items():
            for protocol in protocols:
                compared = kinds(asked, protocol)
                area = float(roc_auc_score(asked.member.numpy()[compared], one.scores[compared]))
                lines.append({"round": number, "method": name, "protocol": protocol, "auc": area})
    return lines


def _rehearsal(path: Path, seed: int, missing: list[str]) -> dict[str, Any] | None:
    """Return the numbers of what an attacker tested by itself, as Zhu et al. do: `all`, and `real` without made images.

    Each with `majority`, the accuracy of one answer to everything. None where it has tested nothing; `real` is None
    where that leaves one kind only.
    """
    if not path.is_file():
        return None
    try:
        arrays = read_arrays(path)
        scores, member, made = (arrays[name].numpy() for name in ("scores", "member", "made"))
    except UNREADABLE as error:
        missing.append(f"{path.parent.name}/{path.name} cannot be read: {error}.")
        return None
    result: dict[str, Any] = {"made_share": float(made.mean())}
    for name, chosen in (("all", np.ones_like(made)), ("real", ~made)):
        some, marked, kept = scores[chosen], scores[chosen] > 0.5, member[chosen]  # noqa: PLR2004  # a probability
        mixed = kept.any() and not kept.all()
        spread = rates.bootstrap(some, marked, kept, rates.generator(seed, "rehearsal")) if mixed else {}
        most = {"majority": float(max(kept.mean(), 1 - kept.mean()))}
        result[name] = rates.numbers(some, marked, kept, spread) | most if mixed else None
    return result

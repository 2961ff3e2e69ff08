"""How well scores tell members from others: ROC, AUC, true positives at few false ones, and how sure that is.

Higher scores mean "more likely a member". Nothing is interpolated: a true-positive rate at a false-positive rate is
that of the lowest threshold that lets no more false positives pass. Intervals: percentiles of BOOTSTRAPS draws of as
many records with replacement, members and others apart (Efron 1979); they cover the draw of the records, no other luck.
None is given of a rate at so few false positives that fewer than LEAST others decide it: there the draws fail, since
none goes beyond the largest scores that were seen.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from task import seeding

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
BOOTSTRAPS, PART = 1000, 100
LOW_FPRS = {"tpr_at_1pc": 0.01, "tpr_at_01pc": 0.001}
ENDS = (2.5, 97.5)
LEAST = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """A ROC curve: rates float64 [P], both ascending from 0 to 1."""

    false_positives: Floats
    true_positives: Floats


def curve(scores: Floats, member: Bools) -> Curve:
    """Return the ROC curve of scores float64 [N] (scikit-learn's), of which some are members' and some are not."""
    from sklearn.metrics import roc_curve  # noqa: PLC0415  # takes two seconds

    false, true, _ = roc_curve(member, scores, drop_intermediate=False)
    return Curve(false_positives=false, true_positives=true)


def at(found: Curve, rate: float) -> float:
    """Return the true-positive rate where no more than a share `rate` of the others are taken for members."""
    return float(found.true_positives[found.false_positives <= rate].max())


def numbers(scores: Floats, marked: Bools, member: Bools, spread: Mapping[str, Floats]) -> dict[str, Any]:
    """Return everything about one method.

    Args:
        scores: float64 [N], higher = more likely a member.
        marked: bool [N], what the method itself calls members.
        member: bool [N], the truth; both kinds occur.
        spread: what `bootstrap` returned of the same.

    Returns:
        `auc`, `tpr_at_1pc`, `tpr_at_01pc`, `balanced_accuracy`, each with `_low` and `_high`, the ends of the 95 %
        interval (NaN where there is none); `accuracy`, `precision` (NaN where nothing is marked), `recall`, `f1`;
        `tp_rate`, `fn_rate`, `fp_rate`, `tn_rate`; the counts `members` and `others`; `least_fpr`, the smallest
        false-positive rate but 0
        that so many others can show.

    """
    from sklearn.metrics import auc  # noqa: PLC0415

    found = curve(scores, member)
    values = {"auc": float(auc(found.false_positives, found.true_positives))}
    values |= {name: at(found, rate) for name, rate in LOW_FPRS.items()}
    said = decisions(marked, member)
    values["balanced_accuracy"] = said.pop("balanced_accuracy")
    result: dict[str, Any] = {}
    others = int((~member).sum())
    for name, value in values.items():
        known = name not in LOW_FPRS or others * LOW_FPRS[name] >= LEAST
        low, high = ends(spread[name]) if known else (math.nan, math.nan)
        if name == "auc":
            low, high = _unseen(value, low, high, min(others, int(member.sum())))
        result |= {name: value, f"{name}_low": low, f"{name}_high": high}
    return result | said | {"members": int(member.sum()), "others": others, "least_fpr": 1 / others}


def _unseen(area: float, low: float, high: float, count: int) -> tuple[float, float]:
    """Return an interval of an AUC of 0 or 1, where a bootstrap has none: no draw of it has a pair in the other order.

    It reaches as far as the share of records that `count` of them, the fewer of members and others, would not show one
    of in one case of forty.
    """
    reach = (ENDS[0] / 100) ** (1 / count)
    return (min(low, reach) if area == 1 else low), (max(high, 1 - reach) if area == 0 else high)


def ends(values: Floats) -> tuple[float, float]:
    """Return the ends of the 95 % interval of a bootstrap's values."""
    low, high = np.percentile(values, ENDS)
    return float(low), float(high)


def decisions(marked: Bools, member: Bools) -> dict[str, float]:
    """Return the rates of what is marked bool [N] against the truth bool [N]."""
    true, false = float(marked[member].mean()), float(marked[~member].mean())
    hits = int((marked & member).sum())
    precision = hits / int(marked.sum()) if marked.any() else math.nan
    return {
        "balanced_accuracy": (true + 1 - false) / 2,
        "accuracy": float((marked == member).mean()),
        "precision": precision,
        "recall": true,
        "f1": 2 * hits / (int(marked.sum()) + int(member.sum())),
        "tp_rate": true,
        "fn_rate": 1 - true,
        "fp_rate": false,
        "tn_rate": 1 - false,
    }


def bootstrap(scores: Floats, marked: Bools, member: Bools, draws: np.random.Generator) -> dict[str, Floats]:
    """Return AUC, true-positive rates and balanced accuracy of BOOTSTRAPS draws of records, float64 [BOOTSTRAPS] each.

    All draws of a part at once: a draw is how often each record is in it, and ROC curves are running sums of that. With
    the same `draws` two methods get the same draws of the records, so that their difference has an interval, too.
    """
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)  # the last of each run of equal scores
    kinds = [np.flatnonzero(member), np.flatnonzero(~member)]
    found: dict[str, list[Floats]] = {}
    for first in range(0, BOOTSTRAPS, PART):
        count = min(PART, BOOTSTRAPS - first)
        shares = []
        for places in kinds:
            size = len(places)
            weights = np.zeros((count, len(scores)))
            weights[:, places] = draws.multinomial(size, np.full(size, 1 / size), count) / size
            shares.append(weights[:, order])
        true, false = (np.pad(weights.cumsum(1)[:, ends], ((0, 0), (1, 0))) for weights in shares)
        part = {"auc": (np.diff(false) * (true[:, 1:] + true[:, :-1]) / 2).sum(1)}
        for name, rate in LOW_FPRS.items():
            part[name] = np.where(false <= rate + 1e-12, true, 0).max(1)
        chosen = marked[order]
        part["balanced_accuracy"] = (shares[0][:, chosen].sum(1) + 1 - shares[1][:, chosen].sum(1)) / 2
        for name, values in part.items():
            found.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in found.items()}


def generator(seed: int, *purpose: int | str) -> np.random.Generator:
    """Return NumPy's generator that depends on `seed` and `purpose` alone."""
    return np.random.default_rng(int(torch.randint(2**62, (), generator=seeding.generator(seed, *purpose))))

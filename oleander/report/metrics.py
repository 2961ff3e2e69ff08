"""What the judge's numbers are called, which of them matter most, and how a number is written for people.

Imports neither torch nor Jinja, so that the terminal can use it too. Numbers may be absent (a run that died) or NaN.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ABSENT = "—"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """How one of the judge's numbers is shown.

    Attributes:
        label: a few words.
        meaning: a sentence for readers who did not write the judge.
        style: `share` (0 to 1, shown as per cent) or `number`.
        better: which way a theft succeeds, `lower` or `higher`; empty where neither (a yardstick, a count).

    """

    label: str
    meaning: str
    style: str = "number"
    better: str = ""


METRICS = {
    "recognised": Metric(
        label="Recognised as the target",
        meaning="Share of the loot that a classifier which took no part in the federation takes for the target class.",
        style="share",
        better="higher",
    ),
    "recognised_real": Metric(
        label="… of held-out real images (yardstick)",
        meaning="What the same classifier makes of real images of the class.",
        style="share",
    ),
    "recognised_final_rounds": Metric(
        label="Recognised, last rounds together",
        meaning="The mean over the last rounds, so that one lucky round does not decide.",
        style="share",
        better="higher",
    ),
    "global_model_agrees": Metric(
        label="The federation's own model agrees",
        meaning="Share that the attacked model takes for the target. Noise that shows nothing gets there too.",
        style="share",
        better="higher",
    ),
    "noise_share": Metric(
        label="Not an image of this data",
        meaning="Share of the loot that the judge takes for noise rather than for any class.",
        style="share",
        better="lower",
    ),
    "nn_rmse": Metric(
        label="Distance to the nearest real image",
        meaning="Root mean squared difference per pixel, mean over the loot; white against black is 2.",
        better="lower",
    ),
    "nn_rmse_other": Metric(
        label="… to the nearest image of another class",
        meaning="The same to as many images of each other class: a theft must lie clearly below it.",
    ),
    "nn_rmse_real": Metric(
        label="… of held-out real images (yardstick)",
        meaning="How near real images that nobody trained on come to the owners'.",
    ),
    "owner_advantage": Metric(
        label="Nearer to the owners' records by",
        meaning="Than to others of the class; near 0 the loot knows the class, not the records.",
        better="higher",
    ),
    "owner_p": Metric(
        label="… by chance (p)",
        meaning="Share of random lots of images that would seem as near: below 0.01 single records may have leaked.",
    ),
    "ssim_nearest": Metric(
        label="Similarity to the nearest real image",
        meaning="Structural similarity (SSIM); 1 is the same picture.",
        better="higher",
    ),
    "ssim_nearest_real": Metric(
        label="… of held-out real images (yardstick)", meaning="The same for real images that nobody trained on."
    ),
    "diversity": Metric(
        label="Diversity of the loot",
        meaning="Mean distance between two stolen images. Far below that of real images, it is one prototype.",
        better="higher",
    ),
    "diversity_real": Metric(
        label="… of real images (yardstick)", meaning="Mean distance between two real images of the class."
    ),
    "mse_of_means": Metric(
        label="Squared distance of the means",
        meaning="Of the mean stolen image of a batch and the mean real one: a reading of Sun's equation 6.",
        better="lower",
    ),
    "eq6_pairs": Metric(
        label="Mean distance over all pairs",
        meaning="Sun's equation 6 as printed: every stolen with every real image.",
        better="lower",
    ),
    "J": Metric(
        label="Right class, and the victim's property (J)",
        meaning="Mean share of the last three evaluations, out of class x property and “not of this data”.",
        style="share",
        better="higher",
    ),
    "inception_score": Metric(
        label="Inception score",
        meaning="With the judge's own classifier; not comparable with scores from ImageNet's.",
        better="higher",
    ),
    "inception_score_real": Metric(
        label="… of real images (yardstick)", meaning="With images of this one class it is near 1."
    ),
    "fid": Metric(
        label="Fréchet distance (FID)",
        meaning="Of the judge's features to those of real images; not comparable with ImageNet's.",
        better="lower",
    ),
    "fid_real": Metric(label="… of held-out real images (yardstick)", meaning="The same for real images."),
    "score_samples": Metric(
        label="Images in each of these scores",
        meaning="Of the loot and of real images alike: few of them make a Fréchet distance large.",
    ),
    "samples": Metric(label="Stolen images judged", meaning="How many images these numbers are means of."),
    "references": Metric(label="Real images compared with", meaning="How many of the class the owners hold."),
    "nearest_images_used": Metric(
        label="Different nearest images", meaning="How many real images are nearest to any of the loot."
    ),
    "owner_test_images": Metric(
        label="Images in the test for records", meaning="Owned, and as many that nobody holds."
    ),
    "final_rounds": Metric(label="Last rounds taken together", meaning=""),
    "accuracy": Metric(label="Accuracy", meaning="", style="share", better="higher"),
    "precision": Metric(label="Precision", meaning="", style="share", better="higher"),
    "recall": Metric(label="Recall", meaning="", style="share", better="higher"),
    "f1": Metric(label="F1", meaning="", style="share", better="higher"),
    "precision_all": Metric(label="Precision, all outputs", meaning="", style="share"),
    "recall_all": Metric(label="Recall, all outputs", meaning="", style="share"),
    "f1_all": Metric(label="F1, all outputs", meaning="", style="share"),
    "loss": Metric(label="Loss", meaning="", better="lower"),
    "start_round": Metric(label="Round in which the attack began", meaning=""),
    "distance_first": Metric(
        label="Distance in the first round of the attack", meaning="Read as the squared distance of the means."
    ),
    "distance_minimum": Metric(
        label="Distance, least of all rounds",
        meaning="Paper style: chosen by looking at the truth. Read as the squared distance of the means.",
        better="lower",
    ),
}


def named(name: str) -> Metric:
    """Return how the number `name` is shown; an unknown one goes by its own name."""
    return METRICS.get(name) or Metric(label=name.replace("_", " ").capitalize(), meaning="")


def in_order(names: Iterable[str]) -> list[str]:
    """Return names, each once, in the order of METRICS; unknown ones last, as they came."""
    known = list(METRICS)
    return sorted(dict.fromkeys(names), key=lambda name: known.index(name) if name in METRICS else len(known))


def called(who: str) -> str:
    """Name an attacker as people do: “the server” or “participant 2”."""
    return who.replace("client-", "participant ") if who.startswith("client-") else f"the {who}"


def unbroken(text: str) -> str:
    """Return a text in which a number and its per cent sign stay on one line."""
    return text.replace(" %", "\u00a0%")


def finite(value: Any) -> float | None:
    """Return a number as float; None for what is absent, no number, NaN or infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def written(value: Any, style: str = "number") -> str:
    """Write a number for people: `share` as per cent, else with three significant digits; a dash for none."""
    number = finite(value)
    if number is None:
        return ABSENT
    if style == "share":
        return f"{round(100 * number, 1):g} %"
    return f"{number:.0f}" if number.is_integer() else f"{number:.3g}"


def targets_of(verdict: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (attacker, target class, numbers) for every target in a verdict."""
    for who, attacker in (verdict.get("attackers") or {}).items():
        for target, numbers in (attacker.get("targets") or {}).items():
            yield who, str(target), numbers


def properties_of(verdict: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (attacker, what is said of the private property) for every attacker of whose loot it is judged."""
    for who, attacker in (verdict.get("attackers") or {}).items():
        if isinstance(attacker.get("property"), dict):
            yield who, attacker["property"]


def inquiries_of(verdict: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (attacker, its part of the verdict) for every membership attacker who left scores."""
    for who, attacker in (verdict.get("attackers") or {}).items():
        if (attacker.get("membership") or {}).get("methods"):
            yield who, attacker


def headline_of(attacker: Mapping[str, Any]) -> dict[str, Any]:
    """Return a membership attack's numbers by its headline's `protocol`, clean where there is that; empty without."""
    mine = attacker["membership"]["methods"].get(attacker["attack"]) or {}
    return next(({"protocol": one, **mine[one]} for one in ("clean", "paper") if one in mine), {})

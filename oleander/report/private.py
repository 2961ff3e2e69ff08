"""What the page says of a server's attack on a private property: J and its controls, and what else was given away."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from oleander.report.gather import Gathered
from oleander.report.metrics import finite, written
from oleander.report.pictures import file_uri

Line = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class Private:
    """One attacker's part.

    Attributes:
        who: name of its folder in loot/.
        verdict: in words.
        sheet: the judge's sheet of pictures as a data URI; empty where there is none.
        numbers: (label, meaning, value) of J and what stands against it; empty where no property was judged.
        scores: (label, meaning, value) of the inception scores.
        representatives: a row for each participant: id, and values as texts.
        representatives_round: of those; None without.
        judge: about the judge of the property; empty where there is none.

    """

    who: str
    verdict: str
    sheet: str
    numbers: list[Line]
    scores: list[Line]
    representatives: list[tuple[str, ...]]
    representatives_round: int | None
    judge: dict[str, Any]


REPRESENTATIVES = ("rmse_to_mean", "rmse_to_other_means", "nearest_mean", "label_agreement", "labels_held")


def private(found: Gathered) -> list[Private]:
    """Return a part for every attacker of whom there is a sheet, a property or an inception score."""
    parts = []
    for who, verdict in (found.verdict.get("attackers") or {}).items():
        path = found.run.figures / f"sheet-{who}.png"
        sheet = found.attempt(path.name, partial(file_uri, path), "") if path.is_file() else ""
        said, scores = verdict.get("property") or {}, verdict.get("inception") or {}
        if not (said or scores or sheet):
            continue
        rows = sorted((verdict.get("representatives") or {}).items(), key=lambda item: int(item[0]))
        parts.append(
            Private(
                who=who,
                verdict=str(verdict.get("verdict", "")),
                sheet=sheet,
                numbers=_numbers(said, finite(verdict.get("attack_share"))),
                scores=_scores(scores),
                representatives=[(client, *_row(one)) for client, one in rows],
                representatives_round=verdict.get("representatives_round"),
                judge=said.get("judge") or {},
            )
        )
    return parts


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    """Write what is said of one participant's representatives."""
    styles = {"label_agreement": "share", "labels_held": "share"}
    return tuple(written(one.get(name), styles.get(name, "number")) for name in REPRESENTATIVES)


def _numbers(said: dict[str, Any], share: float | None) -> list[Line]:
    """Return J and what stands against it."""
    if not said:
        return []
    shown, without = said.get("words"), said.get("without")
    rounds = ", ".join(str(number) for number in said.get("rounds") or [])
    interval = f"{written(said.get('J_low'), 'share')} to {written(said.get('J_high'), 'share')}"
    lines = [
        ("J", f"Samples of the victim's classes that show the class, {shown}: mean of rounds {rounds}.", "J"),
        ("… of samples of “not the victim”", "The same generator, asked for anybody else.", "J_other"),
        ("… of classes that it does not hold", "Where there is nothing of the victim's to learn.", "J_not_owned"),
        ("… of the victim's own images (yardstick)", "What the judge makes of the real thing.", "J_real"),
        ("… of the server's own images, turned by any angle", "What copies of these would show.", "J_auxiliary"),
        ("… of these, turned by what the victim's update says", "The angle alone, without a generator.", "J_matched"),
        (f"… of public images {without}", "What the judge takes for it by mistake.", "J_real_public"),
        ("Right class", "With the property or without.", "category"),
        ("Not an image of this data", "By the judge of the property.", "noise_share"),
    ]
    told = [(label, meaning, written(said.get(name), "share")) for label, meaning, name in lines]
    told.insert(1, ("… interval, 95 %", "For the draw of one evaluation's samples; not for other seeds.", interval))
    real = ""
    if finite(said.get("nn_rmse_victim_real")) is not None:
        unseen = written(said.get("nn_rmse_victim_real")), written(said.get("nn_rmse_others_real"))
        real = f"; unseen real images: {unseen[0]} and {unseen[1]}"
    told += [
        (
            "Distance to the victim's nearest image",
            "Of the same class; white against black is 2.",
            written(said.get("nn_rmse_victim")),
        ),
        ("… to the other participants' nearest", f"Of as many images{real}.", written(said.get("nn_rmse_others"))),
        (
            "The attack's share of the rounds' time",
            "Which participants wait, and could notice.",
            written(share, "share"),
        ),
    ]
    return told


def _scores(scores: dict[str, Any]) -> list[Line]:
    """Return the inception scores with real images' beside them."""
    if not scores:
        return []
    count, real, few = (written(scores.get(name)) for name in ("samples", "samples_real", "samples_alike"))
    alike, real_distance = (written(scores.get(name)) for name in ("samples_fid", "fid_real"))
    classes = f"Of {written(scores.get('classes'))} of {written(scores.get('classes_asked'))} classes"
    own, imagenet = "by the judge's own classifier; no scale to compare with a paper's.", "By ImageNet's Inception v3."
    return [
        (f"Inception score of {count} samples", f"{classes}, {own}", _spread(scores, "is_task")),
        (f"… of {few} of them", "Mean of many draws of as many as there are.", written(scores.get("is_task_alike"))),
        (f"… of {real} real images", "Of the same classes.", _spread(scores, "is_task_real")),
        ("Left out: not of this data", "Samples that the judge refuses.", written(scores.get("junk_share"), "share")),
        (f"Inception score of {count} samples", imagenet, _spread(scores, "is_imagenet")),
        (f"… of {real} real images", imagenet, _spread(scores, "is_imagenet_real")),
        (
            "Fréchet distance (FID)",
            f"Of the judge's features to the victim's images, {alike} each; of real ones {real_distance}.",
            written(scores.get("fid")),
        ),
    ]


def _spread(scores: dict[str, Any], name: str) -> str:
    """Write a score with its standard deviation; what stands there where it was not computed."""
    value = scores.get(name, scores.get("is_imagenet"))
    if isinstance(value, str):
        return value
    number, deviation = finite(scores.get(name)), finite(scores.get(f"{name}_std"))
    return written(None) if number is None or deviation is None else f"{number:.2f} ± {deviation:.2f}"

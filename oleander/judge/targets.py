"""The numbers of one target: what an attacker's loot for one class is, in one round and at the end."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from oleander.judge import distances, quality
from oleander.judge.classifier import Judge, verdicts
from oleander.judge.statistics import owner_test, wilson
from oleander.judge.truth import ENOUGH_OTHERS, Truth
from task.training import logits

EQ6_REALS = 1000
LAST_ROUNDS = 5
OWNER_TRIES, OWNER_IMAGES = 999, 500
LOWERED = ("eq6_pairs", "mse_of_means", "nn_rmse")


def in_one_round(model: Judge, truth: Truth, fakes: Tensor) -> dict[str, Any]:
    """Return the numbers of one round's loot.

    Args:
        model: the judge.
        truth: about the target.
        fakes: float32 [N, C, H, W] in [-1, 1], N > 0.

    Returns:
        `recognised` and `noise_share` (shares that the judge takes for the target and for nothing), `answers` (shares
        by class, the last for nothing), the distances of oleander.judge.distances, `nn_rmse_by_class`, `diversity`.

    """
    answers = torch.bincount(verdicts(model, fakes), minlength=model.classes + 1).double() / len(fakes)
    nearest = [distances.nearest(fakes, images)[0] if len(images) else None for images in truth.by_class]
    foreign = [found for label, found in enumerate(nearest) if label != truth.label and found is not None]
    return {
        "recognised": answers[truth.label].item(),
        "noise_share": answers[-1].item(),
        "answers": answers.tolist(),
        "eq6_pairs": distances.eq6_pairs(fakes, truth.images[:EQ6_REALS]),
        "mse_of_means": distances.mse_of_means(fakes, truth.images),
        "nn_rmse": distances.nearest(fakes, truth.images)[0].mean().item(),
        "nn_rmse_other": torch.stack(foreign).min(0).values.mean().item() if foreign else float("nan"),
        "nn_rmse_by_class": [float("nan") if found is None else found.mean().item() for found in nearest],
        "diversity": distances.diversity(fakes),
    }


def over_rounds(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what the rounds together say of one target, from its lines in the order of the rounds, at least one.

    `paper_style_minimum` is the least value over the rounds, as Sun's paper quotes it: it is chosen by looking at the
    truth, which no attacker can, so it is no result of the attack.
    """
    late = [line["recognised"] for line in lines[-LAST_ROUNDS:]]
    least = {name: min(lines, key=lambda line, name=name: line[name]) for name in LOWERED}  # type: ignore[misc]
    return {
        "recognised_final_rounds": sum(late) / len(late),
        "final_rounds": len(late),
        "first_round": {"round": lines[0]["round"]} | {name: lines[0][name] for name in ("recognised", *LOWERED)},
        "paper_style_minimum": {
            name: {"value": line[name], "round": line["round"], "loot_rounds_seen": len(lines)}
            for name, line in least.items()
        },
    }


def at_the_end(
    model: Judge, truth: Truth, fakes: Tensor, global_model: nn.Module | None, draw: torch.Generator
) -> dict[str, Any]:
    """Return the numbers of the last round's loot that a curve does not need; arguments as `in_one_round`.

    Args:
        model: the judge.
        truth: about the target.
        fakes: the loot.
        global_model: the final one; None where the run did not get so far.
        draw: for the permutations of the owner test.

    """
    seen = verdicts(model, fakes)
    low, high = wilson(int((seen == truth.label).sum()), len(fakes))
    nearest = distances.nearest(fakes, truth.images)[1]
    count = min(len(fakes), len(truth.images))
    held_out = truth.held_out
    result: dict[str, Any] = {
        "samples": len(fakes),
        "recognised_low": low,
        "recognised_high": high,
        "recognised_real": _share(verdicts(model, held_out) == truth.label),
        "global_model_agrees": None,
        "references": len(truth.images),
        "ssim_nearest": distances.ssim(fakes, truth.images[nearest]),
        "nearest_images_used": len(set(nearest.tolist())),
        "diversity_real": distances.diversity(truth.images[:count]),
        "nn_rmse_real": float("nan"),
        "ssim_nearest_real": float("nan"),
    }
    if global_model is not None:
        result["global_model_agrees"] = _share(logits(global_model, fakes).argmax(1) == truth.label)
    if len(held_out):
        reached, real = distances.nearest(held_out, truth.images)
        result["nn_rmse_real"] = reached.mean().item()
        result["ssim_nearest_real"] = distances.ssim(held_out, truth.images[real])
        result |= quality.scores(model, fakes, truth.images, held_out)
    return result | _knows_records(truth, fakes, draw)


def _knows_records(truth: Truth, fakes: Tensor, draw: torch.Generator) -> dict[str, float | int | None]:
    """Run the owner test where there are enough training images of the class that nobody holds."""
    count = min(len(truth.images), len(truth.others), OWNER_IMAGES)
    if count < ENOUGH_OTHERS:
        return {"owner_advantage": None, "owner_p": None, "owner_test_images": count}
    pool = torch.cat([truth.images[:count], truth.others[:count]])
    owned = torch.arange(2 * count) < count
    advantage, p = owner_test(distances.rmse_matrix(fakes, pool), owned, OWNER_TRIES, draw)
    return {"owner_advantage": advantage, "owner_p": p, "owner_test_images": count}


def _share(right: Tensor) -> float:
    """Return the share of True; NaN of nothing."""
    return right.double().mean().item() if len(right) else math.nan

"""What representatives give away of each client's images: distance to its mean image, agreement of the labels.

A representative (Wang, section V-E) is an image with which a client's update could have been made. Of clients that take
several steps it is a blurred mean of a class at best, so that its yardstick is the client's mean image, with the same
distance to the other clients' beside it.
"""

from typing import Any

import torch
from torch import Tensor

from oleander.judge.victims import Belongings


def of_clients(representatives: Belongings, truth: Belongings, classes: int) -> dict[str, Any]:
    """Hold one round's representatives against what their clients hold.

    Args:
        representatives: with labels as read from the updates.
        truth: what the clients hold.
        classes: of the data set.

    Returns:
        By client, as a text: `images`; `rmse_to_mean`, of the mean representative and the client's mean image (pixels
        in [-1, 1]), and `rmse_to_other_means`, the mean of the same to other clients'; `nearest_mean`, the client
        whose mean image is nearest; `rmse_to_class_means`, of each representative and the client's mean image of its
        label; `label_agreement`, from 0 to 1, how far the shares of the labels agree (1 less their total variation);
        `labels_held`, the share of labels that the client holds.

    """
    images, labels, client = representatives.images, representatives.labels, representatives.client
    holders = sorted(set(truth.client.tolist()))
    means = torch.stack([truth.images[truth.client == one].mean(0) for one in holders])
    found = {}
    for one in sorted(set(client.tolist())):
        if one not in holders:
            continue
        mine, said = images[client == one], labels[client == one]
        own, held = truth.images[truth.client == one], truth.labels[truth.client == one]
        away = (means - mine.mean(0)).square().flatten(1).mean(1).sqrt()
        place = holders.index(one)
        others = torch.cat([away[:place], away[place + 1 :]])
        known = torch.isin(said, held)
        shares = [torch.bincount(values, minlength=classes).double() / len(values) for values in (said, held)]
        found[str(one)] = {
            "images": len(mine),
            "rmse_to_mean": away[place].item(),
            "rmse_to_other_means": others.mean().item(),
            "nearest_mean": holders[int(away.argmin())],
            "rmse_to_class_means": _to_class_means(mine[known], said[known], own, held),
            "label_agreement": 1 - (shares[0] - shares[1]).abs().sum().item() / 2,
            "labels_held": known.double().mean().item(),
        }
    return found


def _to_class_means(images: Tensor, labels: Tensor, own: Tensor, held: Tensor) -> float:
    """Return the mean distance of images to the mean of their class; NaN of no images."""
    means = {label: own[held == label].mean(0) for label in sorted(set(labels.tolist()))}
    away = [(image - means[label]).square().mean().sqrt() for image, label in zip(images, labels.tolist(), strict=True)]
    return torch.stack(away).mean().item() if away else float("nan")

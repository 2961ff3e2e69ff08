"""The inception score of Wang's Table III, in two ways.

Zhibo Wang et al.: Beyond Inferring Class Representatives (INFOCOM 2019), section VI-C, Table III: 400 samples of each
attack. The paper names no classifier; real faces score no more than 1.55, which speaks for ImageNet's. So:

- `is_task`, with the judge's own classifier of the data set: all samples at once, its standard deviation by bootstrap.
  Not comparable with the paper's numbers; with real images' beside it, the order of attacks is, as far as it is of the
  same classes and of as many images: `is_task_alike` is of as many samples as there are real images.
- `is_imagenet`, with torchvision's Inception v3, in splits of 40, mean and standard deviation: only where its weights
  lie in torch's folder of downloads already, for nothing is downloaded here; else the words "not computed".

The judge's answer "not of this data" is no class: its probability is dropped and the others' sum is 1 again, for else
noise would raise the score as one class more; the share of such samples stands beside. Neither score ranks how true the
samples are: the paper's active attack scores above real images.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from oleander.judge import quality
from oleander.judge.classifier import Judge
from task.training import logits

SAMPLES, SPLIT, TRIES = 400, 40, 200
SIDE, BATCH = 299, 25
NOT_COMPUTED = "not computed"


def scores(model: Judge, samples: Tensor, reals: Tensor, own: Tensor, draw: torch.Generator) -> dict[str, Any]:
    """Return the scores of loot and of real images.

    Args:
        model: the judge.
        samples: the loot, float32 [N, C, H, W] in [-1, 1], N > 0; of more than SAMPLES so many are drawn.
        reals: real images of the same classes, likewise.
        own: those of the victim's that the Fréchet distance is to.
        draw: of all draws.

    Returns:
        `is_task`, `is_task_std`, `is_task_real`, `is_task_real_std`; `is_task_alike`, the mean of many draws of as many
        samples as there are real images; `is_imagenet` with `is_imagenet_std`, `is_imagenet_real` and
        `is_imagenet_real_std` where there are weights, else "not computed"; `samples` and `samples_real`, the numbers
        of images, `samples_alike` the smaller; `junk_share` and `junk_share_real`; `fid` and `fid_real`, the Fréchet
        distances of the judge's features from the victim's images, of as many images each, `samples_fid`.

    """
    shown, real = (images[torch.randperm(len(images), generator=draw)[:SAMPLES]] for images in (samples, reals))
    few = min(len(shown), len(real))
    found: dict[str, Any] = {"samples": len(shown), "samples_real": len(real), "samples_alike": few}
    network = imagenet()
    for name, images in (("", shown), ("_real", real)):
        answers = logits(model, images)
        known = answers[:, :-1]
        found[f"junk_share{name}"] = (answers.argmax(1) == known.shape[1]).double().mean().item()
        found[f"is_task{name}"] = quality.score_of(known) if len(known) else math.nan
        found[f"is_task{name}_std"] = quality.bootstrap(known, TRIES, draw) if len(known) else math.nan
        if not name:
            found["is_task_alike"] = _of_few(known, few, draw)
        if network is not None and len(images):
            mean, deviation = in_splits(asked(network, images), max(1, len(images) // SPLIT))
            found |= {f"is_imagenet{name}": mean, f"is_imagenet{name}_std": deviation}
    found.setdefault("is_imagenet", NOT_COMPUTED)
    count = min(few, len(own))
    for name, images in (("fid", shown), ("fid_real", real)):
        found[name] = quality.frechet_distance(images[:count], own[:count], model.features, model.num_features)
    return found | {"samples_fid": count}


def _of_few(answers: Tensor, count: int, draw: torch.Generator) -> float:
    """Return the mean score of `count` of the logits [N, K], drawn many times without replacement; NaN of none."""
    if not count:
        return math.nan
    tries = 1 if count == len(answers) else TRIES
    orders = (torch.randperm(len(answers), generator=draw)[:count] for _ in range(tries))
    return sum(quality.score_of(answers[order]) for order in orders) / tries


def in_splits(answers: Tensor, splits: int) -> tuple[float, float]:
    """Return the mean of the inception scores of `splits` parts of logits [N, K], and their standard deviation."""
    parts = torch.tensor([quality.score_of(part) for part in answers.tensor_split(splits) if len(part)])
    return float(parts.mean()), float(parts.std()) if len(parts) > 1 else 0.0


def weights_file() -> Path | None:
    """Return the file of torchvision's weights of Inception v3, if it was downloaded before; None where not."""
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    return next(iter(sorted(folder.glob("inception_v3_google-*.pth"))), None)


def imagenet() -> nn.Module | None:
    """Return ImageNet's Inception v3 where its weights are on this machine; None where not."""
    path = weights_file()
    if path is None:
        return None
    from torchvision.models import inception_v3  # noqa: PLC0415  # takes two seconds

    network: nn.Module = inception_v3(weights=None, init_weights=False, transform_input=False)
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval()


@torch.no_grad()
def asked(network: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Return the logits [N, 1000] of ImageNet's network for images float32 [N, C, H, W] in [-1, 1], C being 1 or 3.

    These weights were trained on pixels from -1 to 1, so that nothing but the size is changed.
    """
    found = []
    for first in range(0, len(images), BATCH):
        colour = images[first : first + BATCH].expand(-1, 3, -1, -1)
        found.append(
            network(functional.interpolate(colour, (SIDE, SIDE), mode="bilinear", align_corners=False, antialias=True))
        )
    return torch.cat(found)

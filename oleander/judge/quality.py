"""Inception score and Fréchet distance with the judge's own classifier; the latter by torchmetrics.

Salimans et al. 2016 (arXiv:1606.03498, section 4); Heusel et al. 2017 (arXiv:1706.08500, section 3). Neither can be
compared with values from ImageNet's Inception network, nor across data sets; only with the yardsticks beside them,
which come from as many real images. Both depend on the number of samples: the Fréchet distance of few is too large.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from oleander.judge.classifier import Judge


class Extractor(nn.Module):
    """What torchmetrics asks for: images in, float64 [N, num_features] out.

    Double precision, because the logarithm of a probability that float32 rounds to 0 is not a number.
    """

    def __init__(self, call: Callable[[Tensor], Tensor], num_features: int) -> None:
        super().__init__()
        self.call, self.num_features = call, num_features

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Return the features of the images."""
        return self.call(images).double()


def inception_score(images: Tensor, call: Callable[[Tensor], Tensor]) -> float:
    """Return exp of the mean divergence of an image's class probabilities from their average, in one split.

    Args:
        images: float32 [N, C, H, W].
        call: returns logits [N, K].

    Returns:
        From 1 (all images get the same answer: also a perfect theft of one class) to K.

    """
    with torch.no_grad():
        return score_of(call(images))


def score_of(answers: Tensor) -> float:
    """Return the inception score of logits [N, K], N > 0, in double precision."""
    logs = answers.double().log_softmax(1)
    probabilities = logs.exp()
    mean = probabilities.mean(0).clamp(min=1e-300).log()
    # A class that an image cannot be costs nothing, however far below 0 its logarithm lies.
    return float(torch.where(probabilities > 0, probabilities * (logs - mean), 0.0).sum(1).mean().exp())


def bootstrap(answers: Tensor, tries: int, draw: torch.Generator) -> float:
    """Return the standard deviation of the inception score over samples drawn anew from logits [N, K] with replacement.

    All N at once: splits of N images cap the score of many classes.
    """
    count = len(answers)
    scores = [score_of(answers[torch.randint(count, (count,), generator=draw)]) for _ in range(tries)]
    return float(torch.tensor(scores, dtype=torch.float64).std())


def frechet_distance(images: Tensor, reals: Tensor, call: Callable[[Tensor], Tensor], num_features: int) -> float:
    """Return |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of the features' means and covariances.

    Fewer samples than features leave the covariances singular; the square root is taken of the eigenvalues of their
    product, which exists for singular ones, too. NaN for fewer than two images on either side.
    """
    from torchmetrics.image.fid import FrechetInceptionDistance  # noqa: PLC0415  # takes a second

    if min(len(images), len(reals)) < 2:  # noqa: PLR2004  # a covariance needs two
        return float("nan")
    metric = FrechetInceptionDistance(Extractor(call, num_features))
    metric.update(images, real=False)
    metric.update(reals, real=True)
    return max(0.0, float(metric.compute()))


def scores(model: Judge, fakes: Tensor, reals: Tensor, held_out: Tensor) -> dict[str, float | int]:
    """Return both for the loot, with the same for held-out real images as yardsticks.

    Args:
        model: the judge.
        fakes: the loot, float32 [N, C, H, W], as are the others.
        reals: the owners' images.
        held_out: real images that nobody trained on.

    Returns:
        `inception_score`, `inception_score_real`, `fid`, `fid_real`, and `score_samples`, the number of images
        that each of them is computed from (of the Fréchet distances: on each side): the least of the three sets'.

    """
    count = min(len(fakes), len(reals), len(held_out))
    model.eval()
    return {
        "inception_score": inception_score(fakes[:count], model),
        "inception_score_real": inception_score(reals[:count], model),
        "fid": frechet_distance(fakes[:count], reals[:count], model.features, model.num_features),
        "fid_real": frechet_distance(held_out[:count], reals[:count], model.features, model.num_features),
        "score_samples": count,
    }

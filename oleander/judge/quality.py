"""Inception score and Fréchet distance with the judge's own classifier, through torchmetrics' hook for an extractor.

Salimans et al. 2016 (arXiv:1606.03498, section 4); Heusel et al. 2017 (arXiv:1706.08500, section 3). Neither can be
compared with values from ImageNet's Inception network, nor across data sets; only with the yardsticks beside them,
which come from as many real images. Both depend on the number of samples: the Fréchet distance of few is too large.
"""

import warnings
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
    from torchmetrics.image.inception import InceptionScore  # noqa: PLC0415  # takes a second

    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):  # it shuffles the images by the global generator
        warnings.filterwarnings("ignore", "Metric `InceptionScore` will save all extracted features")
        warnings.filterwarnings("ignore", r"std\(\): degrees of freedom is <= 0")  # of one split
        metric = InceptionScore(Extractor(lambda shown: _bounded(call(shown)), 0), splits=1)
        metric.update(images)
        return float(metric.compute()[0])


def _bounded(logits: Tensor) -> Tensor:
    """Keep every class's probability above 0, where its logarithm is a number: e^-700 of the likeliest at the least."""
    logits = logits.double()
    return (logits - logits.max(1, keepdim=True).values).clamp(min=-700)


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

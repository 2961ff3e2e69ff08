"""Inception score and Fréchet distance against closed forms and scipy."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from oleander.judge import quality
from oleander.judge.classifier import Judge

FEATURES = 4


def flat(images: Tensor) -> Tensor:
    """Take an image's pixels for its features, or for its logits."""
    return images.flatten(1)


def as_images(features: Tensor) -> Tensor:
    """Lay features [N, K] out as images [N, 1, 1, K]."""
    return features.view(len(features), 1, 1, -1)


def test_certain_answers_spread_over_all_classes_score_their_number() -> None:
    """The best there is: K; and the global random numbers stay where they were."""
    state = torch.random.get_rng_state()
    assert quality.inception_score(as_images(1000 * torch.eye(5)), flat) == pytest.approx(5)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_equal_answers_score_1() -> None:
    """Certain or not; this is also what a perfect theft of one class gets."""
    assert quality.inception_score(as_images(torch.tensor([[900.0, 0, 0]] * 6)), flat) == pytest.approx(1)
    assert quality.inception_score(as_images(torch.zeros(6, 3)), flat) == pytest.approx(1)


def test_the_inception_score_is_its_formula() -> None:
    """exp(mean of KL(p(y|x) || p(y))), worked out in numpy."""
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.25, 0.5, 0.25]])
    expected = math.exp((p * np.log(p / p.mean(0))).sum(1).mean())
    assert quality.inception_score(as_images(torch.from_numpy(np.log(p))), flat) == pytest.approx(expected)


def test_the_frechet_distance_is_its_formula() -> None:
    """Means, covariances and scipy's matrix square root."""
    rng = np.random.default_rng(0)
    left = rng.normal(size=(200, FEATURES)) @ rng.normal(size=(FEATURES, FEATURES))
    right = rng.normal(size=(150, FEATURES)) + 1
    c1, c2 = np.cov(left.T), np.cov(right.T)
    root = scipy.linalg.sqrtm(c1 @ c2).real
    expected = ((left.mean(0) - right.mean(0)) ** 2).sum() + np.trace(c1 + c2 - 2 * root)
    images = [as_images(torch.from_numpy(one)) for one in (left, right)]
    assert quality.frechet_distance(*images, flat, FEATURES) == pytest.approx(expected)


def test_a_shift_alone_costs_its_square() -> None:
    """Equal covariances cancel: 4 features moved by 3 each make 36; not moved, nothing."""
    features = torch.randn(50, FEATURES, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    images = as_images(features)
    assert quality.frechet_distance(images, images + 3, flat, FEATURES) == pytest.approx(36)
    assert quality.frechet_distance(images, images, flat, FEATURES) == pytest.approx(0, abs=1e-6)


def test_few_samples_do_not_break_the_frechet_distance() -> None:
    """Three samples of 4 features have singular covariances; one sample has none at all."""
    images = as_images(torch.randn(3, FEATURES, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    assert quality.frechet_distance(images, images + 1, flat, FEATURES) == pytest.approx(4, abs=1e-5)
    assert math.isnan(quality.frechet_distance(images[:1], images, flat, FEATURES))


def test_real_images_are_nearer_to_real_ones_than_noise_is(judge_model: Judge) -> None:
    """With the judge's features, from as many images on both sides; the number is stated."""
    draw = torch.Generator().manual_seed(0)
    noise = torch.rand(30, 1, 8, 8, generator=draw) * 2 - 1
    real, other = torch.rand(2, 40, 1, 8, 8, generator=draw) * 0.1 - 1
    found = quality.scores(judge_model, noise, real, other)
    assert found["score_samples"] == 30
    assert found["inception_score_real"] == pytest.approx(quality.inception_score(real[:30], judge_model))
    assert found["fid"] > 10 * found["fid_real"]

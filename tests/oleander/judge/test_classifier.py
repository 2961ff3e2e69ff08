"""The judge, really trained on digits: right on real ones it never saw, and not to be fooled by noise."""

import pytest
import torch

from oleander.judge import classifier, noise
from oleander.judge.classifier import Judge, Settings
from task.datasets import Dataset, to_float


def test_the_judge_knows_digits_and_refuses_noise(judge_model: Judge, digits: Dataset) -> None:
    """95 % of held-out digits are right, 99 % of the noise refused, 97 % of the kinds that it never saw."""
    images = to_float(digits.test.images)
    trust = classifier.examine(judge_model, images, digits.test.labels, torch.Generator().manual_seed(0))
    assert trust.test_images == len(images)
    assert trust.test_accuracy >= 0.95
    assert trust.noise_accuracy >= 0.97
    assert trust.noise_accuracy_trained >= 0.99
    assert min(trust.noise_by_kind[kind] for kind in ("uniform", "saturated", "sparse", "flat", "shuffled")) >= 0.99
    assert trust.noise_accuracy == pytest.approx(sum(trust.noise_by_kind[kind] for kind in noise.UNSEEN) / 4)
    right = classifier.verdicts(judge_model, images) == digits.test.labels
    assert trust.by_class[3] == pytest.approx(right[digits.test.labels == 3].double().mean().item())


def test_the_average_of_a_class_passes_for_it(judge_model: Judge, digits: Dataset) -> None:
    """A prototype is a fair likeness: the mean image of each digit is taken for that digit."""
    images = to_float(digits.test.images)
    means = torch.stack([images[digits.test.labels == label].mean(0) for label in range(10)])
    assert classifier.verdicts(judge_model, means).tolist() == list(range(10))


def test_training_follows_the_seed_alone(digits: Dataset) -> None:
    """Twice the same judge; another seed, another one; the global random numbers are left alone."""
    images, labels = to_float(digits.train.images[:60]), digits.train.labels[:60]
    state = torch.random.get_rng_state()
    first, again, other = (classifier.train(images, labels, 10, Settings(steps=3, seed=seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(first.head.weight, again.head.weight)
    assert not torch.equal(first.head.weight, other.head.weight)


def test_training_takes_one_thread_and_gives_the_others_back(digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights must not depend on the machine's cores."""
    before, seen = torch.get_num_threads(), []
    light = classifier.augment.lightly
    monkeypatch.setattr(
        classifier.augment, "lightly", lambda *given: (seen.append(torch.get_num_threads()), light(*given))[1]
    )
    torch.set_num_threads(2)
    try:
        classifier.train(to_float(digits.train.images[:20]), digits.train.labels[:20], 10, Settings(steps=2))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [1, 1]


def test_a_rare_class_is_shown_as_often_as_a_common_one(digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine hundred ones and nine zeros: the zeros, all white here, are about half of what is shown."""
    images = torch.full((909, *digits.shape), -1.0)
    images[900:] = 1
    labels = torch.cat([torch.ones(900, dtype=torch.int64), torch.zeros(9, dtype=torch.int64)])
    shown: list[float] = []

    def note(batch: torch.Tensor, _: torch.Generator) -> torch.Tensor:
        shown.append((batch.mean((1, 2, 3)) > 0).double().mean().item())
        return batch

    monkeypatch.setattr(classifier.augment, "lightly", note)
    classifier.train(images, labels, 2, Settings(steps=10))
    assert sum(shown) / len(shown) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (1, 112, 92), (3, 64, 64)])
def test_the_network_fits_every_image(shape: tuple[int, int, int]) -> None:
    """One output more than classes; fewer than a million weights, so that training is quick."""
    model = classifier.build(shape, 12, 0)
    images = torch.zeros(2, *shape)
    assert model.eval()(images).shape == (2, 13)
    assert model.features(images).shape == (2, model.num_features)
    assert sum(one.numel() for one in model.parameters()) < 1_000_000

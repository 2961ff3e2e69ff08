"""Fixed noise as a control."""

import torch

from defenses import fixed_noise
from task.facts import Images, TaskFacts
from task.seeding import generator

FACTS = TaskFacts(shape=(1, 8, 8), classes=10, outputs=10, model="digits-cnn", clients=2)


def noise(patterns: int | None) -> Images:
    """Return what is published for thirty black images of class 4."""
    defense = fixed_noise.build(fixed_noise.Options(patterns=patterns), FACTS, generator(0))
    own = Images(torch.full((30, *FACTS.shape), -1.0), torch.full((30,), 4))
    defense.fit(own, generator(1), lambda _: None)
    return defense.published


def test_noise_is_uniform() -> None:
    """1,920 pixels from U(-1, 1): mean 0 and variance 1/3 within five standard errors."""
    pixels = noise(None).images
    assert abs(pixels.mean().item()) < 5 * (1 / 3 / pixels.numel()) ** 0.5
    assert abs(pixels.var().item() - 1 / 3) < 5 * (4 / 45 / pixels.numel()) ** 0.5


def test_patterns_repeat() -> None:
    """Three different ones, ten times each; without the option all thirty differ."""
    assert torch.unique(noise(3).images, dim=0, return_counts=True)[1].tolist() == [10, 10, 10]
    assert len(torch.unique(noise(None).images, dim=0)) == 30

"""Anti-GAN: both terms by hand, what they do to the look-alikes, the choice of codes, and what is refused."""

import functools
import math
from typing import Any

import pytest
import torch

from defenses import anti_gan
from defenses.mixing import MixingDefense
from task.datasets import load, to_float
from task.facts import Images, TaskFacts
from task.obfuscation import log_variance, squared_distance
from task.seeding import generator
from task.settings import SettingsError

FACTS = TaskFacts(shape=(1, 8, 8), classes=10, outputs=10, model="digits-cnn", clients=2)


def own_images(classes: tuple[int, ...] = (6,), each: int = 70) -> Images:
    """Return digits of these classes."""
    digits = load("digits", None)
    labels = digits.train.labels
    chosen = torch.cat([(labels == one).nonzero()[:each, 0] for one in classes])
    return Images(to_float(digits.train.images[chosen]), labels[chosen])


def options(**values: Any) -> anti_gan.Options:
    """Return settings for digits."""
    return anti_gan.Options(**{"network": "small", "steps": 60, "lr": 0.001, "latent_steps": 3, **values})


@functools.cache
def fitted(lambda1: float, lambda2: float, obfuscation: str = "max") -> MixingDefense:
    """Return the defence of seventy sixes."""
    settings = options(lambda1=lambda1, lambda2=lambda2, obfuscation=obfuscation)
    defense = anti_gan.build(settings, FACTS, generator(0))
    defense.fit(own_images(), generator(1), lambda _: None)
    return defense


def test_the_obfuscation_is_the_log_variance_of_pixels_in_0_1() -> None:
    """Half black, half white has the variance 1/4 there; a grey image leaves the 1e-6 alone."""
    image = torch.tensor([[[-1.0, -1.0], [1.0, 1.0]]])
    found = log_variance(torch.stack([image, torch.zeros(1, 2, 2)]))
    torch.testing.assert_close(found, torch.tensor([math.log(0.25 + 1e-6), math.log(1e-6)]))


@pytest.mark.parametrize(("similarity", "expected"), [("mean", 64 * 0.25), ("max-pool", 16 * 0.25)])
def test_the_similarity_is_the_squared_distance_to_the_class_s_mean(similarity: str, expected: float) -> None:
    """The mean of black and white images is grey, 0.5; white is 0.5 away from it in each of 64 pixels, or 16 pools."""
    maker = anti_gan.LookAlikes(options(similarity=similarity, steps=1, batch_size=2), FACTS, generator(0))
    images = torch.stack([torch.full(FACTS.shape, value) for value in (-1.0, 1.0)])
    labels = torch.tensor([6, 6])
    maker.learn(Images(images, labels), generator(1), lambda _: None)
    found = squared_distance(images, maker._means[labels], similarity)  # noqa: SLF001
    torch.testing.assert_close(found, torch.full((2,), expected))


def test_the_sign_of_the_obfuscation_is_that_of_the_paper() -> None:
    """`max` drives the variance up to nearly 1/4, the most there is; `min` drives it below the plain GAN's."""
    plain, most, least = (fitted(*one).metrics()["variance"] for one in ((0, 0), (0, 40), (0, 40, "min")))
    assert 0.24 < most <= 0.25
    assert least < plain / 5


def test_the_similarity_draws_look_alikes_to_the_mean() -> None:
    """With a large weight they are nearer to it than those of the plain GAN, and there is less variety among them."""
    plain, near = fitted(0, 0).metrics(), fitted(10, 0).metrics()
    assert near["distance"] < plain["distance"] / 2
    assert near["diversity"] < plain["diversity"]


def test_a_plain_gan_makes_sixes() -> None:
    """Both weights 0: most of what it makes is nearer to the six's mean image than to any other digit's."""
    digits = load("digits", None)
    images, labels = to_float(digits.train.images), digits.train.labels
    means = torch.stack([images[labels == one].mean(0) for one in range(10)])
    made = fitted(0, 0).published.images
    nearest = (made[:, None] - means).square().flatten(2).sum(2).argmin(1)
    assert (nearest == 6).double().mean() > 0.8


def test_the_best_of_several_codes_is_taken() -> None:
    """Each look-alike has the least objective of its three codes, found anew here one by one."""
    maker = anti_gan.LookAlikes(options(candidates=3, latent_steps=0, steps=1), FACTS, generator(0))
    maker.learn(own_images(), generator(1), lambda _: None)
    labels = torch.tensor([6] * 5)
    made = maker.make(labels, generator(2))
    with torch.no_grad():
        several = maker.gan.images(maker.gan.latents(15, generator(2)), torch.tensor([6] * 15)).view(3, 5, 1, 8, 8)
        scores = torch.stack([maker._objective(one, labels) for one in several])  # noqa: SLF001
    expected = torch.stack([several[scores[:, place].argmin(), place] for place in range(5)])
    torch.testing.assert_close(made, expected)


def test_steps_on_the_codes_lower_the_objective() -> None:
    """From the same codes, twenty steps lead to less than none do, on average and for nearly all."""
    found = []
    for steps in (0, 20):
        maker = anti_gan.LookAlikes(options(candidates=1, latent_steps=steps, steps=5), FACTS, generator(0))
        maker.learn(own_images(), generator(1), lambda _: None)
        labels = torch.tensor([6] * 40)
        made = maker.make(labels, generator(2))
        found.append(maker._objective(made, labels).detach())  # noqa: SLF001
    assert (found[1] < found[0]).double().mean() > 0.9


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32)])
def test_larger_and_coloured_images_work(shape: tuple[int, int, int]) -> None:
    """Two classes of random images, one step of either network."""
    facts = TaskFacts(shape=shape, classes=4, outputs=4, model="sun-cnn", clients=2)
    own = Images(torch.rand(12, *shape, generator=generator(3)) * 2 - 1, torch.tensor([1] * 6 + [3] * 6))
    for network in ("dense", "conv"):
        settings = options(network=network, steps=1, batch_size=6)
        defense = anti_gan.build(settings, facts, generator(0))
        defense.fit(own, generator(1), lambda _: None)
        assert defense.published.images.shape == (12, *shape)
        assert sorted(defense.published.labels.tolist()) == [1] * 6 + [3] * 6


def test_a_class_with_fewer_images_than_a_batch_is_refused() -> None:
    """Before anything is fitted."""
    defense = anti_gan.build(options(), FACTS, generator(0))
    with pytest.raises(SettingsError, match="at least 64 images of class 7, as many as a batch, got 20"):
        defense.check(torch.tensor([6] * 64 + [7] * 20))
    with pytest.raises(SettingsError, match=r"Lower options\.batch_size"):
        defense.fit(own_images(each=20), generator(1), lambda _: None)


def test_nothing_is_published_when_the_fit_fails() -> None:
    """An image that is not finite gives a loss that is not; what could be sent stays empty."""
    own = own_images()
    own.images[:, 0, 0, 0] = math.nan
    defense = anti_gan.build(options(), FACTS, generator(0))
    with pytest.raises(FloatingPointError, match="finite"):
        defense.fit(own, generator(1), lambda _: None)
    assert len(defense.published.labels) == 0


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"lambda1": -1.0}, "lambda1 >= 0"),
        ({"lambda2": -48.0}, r"lambda2 >= 0, got -48.0. options\.obfuscation says"),
        ({"lambda2": math.inf}, "lambda2 >= 0"),
        ({"obfuscation": "mx"}, "Did you mean 'max'"),
        ({"similarity": "pool"}, "a similarity"),
        ({"candidates": 0}, "candidates > 0"),
        ({"latent_steps": -1}, "latent_steps >= 0"),
        ({"latent_lr": 0.0}, "latent_lr > 0"),
        ({"mixing_ratio": 2.0}, "mixing_ratio from 0 to 1"),
        ({"steps": 0}, "steps > 0"),
    ],
)
def test_impossible_settings_are_refused(values: dict[str, Any], text: str) -> None:
    """Also those of the GAN and of the mix."""
    with pytest.raises(SettingsError, match=text):
        anti_gan.Options(**values)

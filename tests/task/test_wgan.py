"""The Wasserstein GAN: its losses by hand, its networks, and that it learns."""

import math

import pytest
import torch
from torch import Tensor, nn

from task.datasets import load, to_float
from task.facts import Images
from task.seeding import generator
from task.settings import SettingsError
from task.wgan import Settings, Wgan
from task.wgan_networks import NETWORKS


def nothing_beside(images: Tensor, labels: Tensor) -> Tensor:
    """Return no objective but the GAN's own."""
    del labels
    return images.new_zeros(len(images))


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        ("small", (1, 8, 8)),
        ("dense", (1, 28, 28)),
        ("dense", (3, 32, 32)),
        ("conv", (1, 8, 8)),
        ("conv", (1, 28, 28)),
        ("conv", (3, 32, 32)),
    ],
)
def test_networks_make_and_value_images(network: str, shape: tuple[int, int, int]) -> None:
    """For grey digits of both sizes and for colour; the class that is told makes a difference to both."""
    gan = Wgan(Settings(network=network), shape, 3, generator(0))
    codes, labels = gan.latents(4, generator(1)), torch.tensor([0, 1, 2, 2])
    images = gan.images(codes, labels)
    assert codes.shape == (4, NETWORKS[network].latent)
    assert images.shape == (4, *shape)
    assert images.abs().max() <= 1
    assert gan.values(images, labels).shape == (4,)
    assert not torch.equal(images, gan.images(codes, labels.flip(0)))
    assert not torch.equal(gan.values(images, labels), gan.values(images, labels.flip(0)))


def test_a_convolution_refuses_sides_that_four_does_not_divide() -> None:
    """And says what to do."""
    with pytest.raises(SettingsError, match="sides 4 divides"):
        Wgan(Settings(network="conv"), (1, 10, 8), 1, generator(0))


def test_the_critic_s_loss_is_that_of_the_paper() -> None:
    """A critic of slope 3 in one pixel: the penalty is 10 (3 - 1)^2 = 40 whatever lies between.

    Real pixels of 1 have the value 3, made ones (a generator that gives 0) the value 0: the difference is -3.
    """
    gan = Wgan(Settings(network="small", batch_size=4), (1, 1, 2), 2, generator(0))
    gan.critic = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
    gan.critic[1].weight.data = torch.tensor([[9.0, 9.0], [3.0, 0.0]])
    gan.generator = nn.Sequential(nn.Linear(18, 2), nn.Unflatten(1, (1, 1, 2)))
    for parameter in gan.generator.parameters():
        nn.init.zeros_(parameter)
    own = Images(torch.ones(4, 1, 1, 2), torch.ones(4, dtype=torch.int64))
    assert gan._critic_loss(own, generator(1)).item() == pytest.approx(-3 + 40)  # noqa: SLF001 - one step by hand


@pytest.mark.parametrize(("steps", "points"), [(7, 7), (250, 83)])
def test_the_generator_s_loss_is_kept(steps: int, points: int) -> None:
    """Of every step, or of every third of 250; the last of seven is the one that is returned; each fit begins anew."""
    gan = Wgan(Settings(network="small", steps=steps, critic_steps=1, batch_size=2), (1, 8, 8), 2, generator(0))
    own = Images(torch.rand(4, 1, 8, 8, generator=generator(1)) * 2 - 1, torch.tensor([0, 0, 1, 1]))
    for _ in range(2):
        found = gan.fit(own, lambda images, _: images.new_zeros(len(images)), generator(2), lambda _: None)
        assert len(gan.history) == points
        assert steps > 100 or gan.history[-1] == found["generator_loss"]


def test_a_short_fit_is_the_beginning_of_a_longer_one() -> None:
    """From the same seeds: the first three losses of six steps are those of three."""
    own = Images(torch.rand(4, 1, 8, 8, generator=generator(1)) * 2 - 1, torch.tensor([0, 0, 1, 1]))
    histories = []
    for steps in (3, 6):
        gan = Wgan(Settings(network="small", steps=steps, batch_size=2), (1, 8, 8), 2, generator(0))
        gan.fit(own, lambda images, _: images.new_zeros(len(images)), generator(2), lambda _: None)
        histories.append(gan.history)
    assert histories[0] == histories[1][:3]


def test_it_learns_two_digits() -> None:
    """After 60 steps what it makes of each is nearer to that digit's mean image than to the other's."""
    digits = load("digits", None)
    labels = digits.train.labels
    chosen = ((labels == 0) | (labels == 1)).nonzero().flatten()
    own = Images(to_float(digits.train.images[chosen]), labels[chosen])
    gan, lines = Wgan(Settings(network="small", steps=60, lr=0.001), digits.shape, 10, generator(0)), []
    losses = gan.fit(own, nothing_beside, generator(1), lines.append)
    assert set(losses) == {"critic_loss", "generator_loss"}
    assert len(lines) == 10
    assert lines[-1].startswith("step 60 of 60: critic_loss")
    means = torch.stack([own.images[own.labels == one].mean(0) for one in (0, 1)])
    asked = torch.arange(2).repeat_interleave(50)
    made = gan.images(gan.latents(100, generator(2)), asked).detach()
    nearest = (made[:, None] - means).square().flatten(2).sum(2).argmin(1)
    assert (nearest == asked).double().mean() > 0.9


@pytest.mark.parametrize("broken", ["critic", "generator"])
def test_a_loss_that_is_not_finite_is_an_error(broken: str) -> None:
    """In the step in which it happens."""
    gan = Wgan(Settings(network="small", steps=2), (1, 8, 8), 1, generator(0))
    nn.init.constant_(next(getattr(gan, broken).parameters()), math.nan)
    own = Images(torch.zeros(4, 1, 8, 8), torch.zeros(4, dtype=torch.int64))
    with pytest.raises(FloatingPointError, match="finite loss of the GAN, got nan in step 1"):
        gan.fit(own, nothing_beside, generator(1), lambda _: None)


@pytest.mark.parametrize(
    "values",
    [{"network": "cnv"}, {"steps": 0}, {"lr": 0.0}, {"lr": math.nan}, {"penalty": -1.0}, {"betas": (1.0, 0.5)}],
)
def test_impossible_settings_are_refused(values: dict[str, object]) -> None:
    """Each with what was expected."""
    with pytest.raises(SettingsError, match="Expected"):
        Settings(**values)  # type: ignore[arg-type]

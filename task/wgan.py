"""A Wasserstein GAN with gradient penalty (Gulrajani et al. 2017, arXiv:1704.00028, Algorithm 1), told the class.

The critic has an output for each class and is asked for that of the image's own; with one class it is the plain one.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from task.facts import Images
from task.models import Shape, initialised
from task.settings import choose, expect
from task.wgan_networks import NETWORKS

Objective = Callable[[Tensor, Tensor], Tensor]
"""Of images float32 [N, C, H, W] and their labels int64 [N]: what each should have little of beside, float32 [N]."""


MOST = 100


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the GAN is trained.

    Attributes:
        network: of generator and critic (task.wgan_networks).
        steps: of the generator.
        critic_steps: before each of them.
        batch_size: real images, and as many made ones, a step.
        penalty: weight of the gradient penalty.
        lr, betas: of Adam, for both.

    """

    network: str = "dense"
    steps: int = 300
    critic_steps: int = 5
    batch_size: int = 64
    penalty: float = 10.0
    lr: float = 0.0005
    betas: tuple[float, float] = (0.5, 0.9)

    def __post_init__(self) -> None:
        choose(self.network, NETWORKS, "a network")
        expect(all(0 <= beta < 1 for beta in self.betas), "betas in [0, 1)", list(self.betas))
        for name in ("steps", "critic_steps", "batch_size", "lr"):
            expect(0 < getattr(self, name) < math.inf, f"{name} > 0", getattr(self, name))
        expect(0 <= self.penalty < math.inf, "penalty >= 0", self.penalty)


class Wgan:
    """Generator, critic and their optimizers.

    Args:
        settings: see their class.
        shape: (C, H, W) of an image.
        classes: that a label may name.
        generator: the first weights are drawn from it.

    Attributes:
        history: the generator's loss in the last fit, with the objective: of each step, or of MOST evenly spread ones.

    Raises:
        SettingsError: for a shape of image that the network cannot make.

    """

    def __init__(self, settings: Settings, shape: Shape, classes: int, generator: torch.Generator) -> None:
        self.settings, self.classes = settings, classes
        kind = NETWORKS[settings.network]
        self.latent = kind.latent
        self.history: list[float] = []
        self.generator = initialised(lambda: kind.generator(kind.latent + classes, shape), generator)
        self.critic = initialised(lambda: kind.critic(shape, classes), generator)

    def latents(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw latent codes float32 [count, latent] from N(0, 1), on the CPU."""
        return torch.randn(count, self.latent, generator=generator)

    def images(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return images float32 [N, C, H, W] in [-1, 1] of latent codes [N, latent] and labels int64 [N]."""
        told = functional.one_hot(labels, self.classes).to(latents.dtype)
        made: Tensor = self.generator(torch.cat([latents, told], 1))
        return made

    def values(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return the critic's values float32 [N]: higher for what looks more real."""
        answers: Tensor = self.critic(images)
        return answers.gather(1, labels[:, None])[:, 0]

    def fit(
        self, own: Images, objective: Objective, generator: torch.Generator, progress: Callable[[str], None]
    ) -> dict[str, float]:
        """Train on images, on their device.

        Args:
            own: what to imitate.
            objective: added to the generator's loss, averaged over the batch.
            generator: all randomness.
            progress: told a line ten times.

        Returns:
            `critic_loss` (with the penalty) and `generator_loss` (with the objective) of the last step.

        Raises:
            FloatingPointError: for a loss that is not finite.

        """
        settings = self.settings
        for network in (self.generator, self.critic):
            # Colours last, a convolution and what is derived from it take three quarters of the time on a CPU.
            network.to(own.images.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        critic = torch.optim.Adam(self.critic.parameters(), lr=settings.lr, betas=settings.betas)
        maker = torch.optim.Adam(self.generator.parameters(), lr=settings.lr, betas=settings.betas)
        found: dict[str, float] = {}
        self.history, every = [], math.ceil(settings.steps / MOST)
        for step in range(1, settings.steps + 1):
            for _ in range(settings.critic_steps):
                loss = self._critic_loss(own, generator)
                found["critic_loss"] = _finite(loss, step)
                critic.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
                critic.step()
            labels = own.labels[self._batch(own, generator)]
            images = self.images(self.latents(len(labels), generator).to(own.images.device), labels)
            loss = (objective(images, labels) - self.values(images, labels)).mean()
            found["generator_loss"] = _finite(loss, step)
            maker.zero_grad(set_to_none=True)
            loss.backward(inputs=list(self.generator.parameters()))  # type: ignore[no-untyped-call]  # likewise
            maker.step()
            if step % every == 0:
                self.history.append(found["generator_loss"])
            if step % max(1, settings.steps // 10) == 0:
                progress(f"step {step} of {settings.steps}: " + ", ".join(f"{k} {v:.3g}" for k, v in found.items()))
        return found

    def _critic_loss(self, own: Images, generator: torch.Generator) -> Tensor:
        """Return how much more the critic likes what is made than what is real, and the penalty between them."""
        batch, device = self._batch(own, generator), own.images.device
        real, labels = own.images[batch], own.labels[batch]
        with torch.no_grad():
            fake = self.images(self.latents(len(labels), generator).to(device), labels)
        share = torch.rand(len(labels), 1, 1, 1, generator=generator).to(device)
        between = real.lerp(fake, share).requires_grad_()
        # The penalty's images go by themselves: together with the others, theirs would be derived twice as well.
        (slope,) = torch.autograd.grad(self.values(between, labels).sum(), between, create_graph=True)
        steepness = slope.flatten(1).norm(dim=1)
        penalty: Tensor = self.settings.penalty * (steepness - 1).square().mean()
        liked, made = self.values(torch.cat([real, fake]), labels.repeat(2)).chunk(2)
        return made.mean() - liked.mean() + penalty

    def _batch(self, own: Images, generator: torch.Generator) -> Tensor:
        """Draw different indices int64 [batch_size] of images; fewer where there are fewer."""
        batch = torch.randperm(len(own.labels), generator=generator)[: self.settings.batch_size]
        return batch.to(own.images.device)


def _finite(loss: Tensor, step: int) -> float:
    """Return a loss as a number, if it is one."""
    value = loss.item()
    if not math.isfinite(value):
        raise FloatingPointError(f"Expected a finite loss of the GAN, got {value} in step {step}. Lower options.lr.")
    return value

"""The generator of mGAN-AI: it is told what to draw, and whose (Wang et al. 2019, Fig. 3b, Tables I and II)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from attacks.generators import GENERATORS
from task.models import Shape, initialised
from task.settings import choose


class ConditionalGenerator(nn.Module):
    """An embedding of noise, category and identity before one of the networks of attacks.generators.

    Args:
        network: its name; the embedding has the size of its latent code.
        shape: (C, H, W) of an image.
        classes: categories.
        scale: factor on both conditions.

    """

    def __init__(self, network: str, shape: Shape, classes: int, scale: float) -> None:
        super().__init__()
        self.latent, self.classes, self.scale = GENERATORS[network].latent, classes, scale
        self.embedding = nn.Linear(self.latent + classes + 1, self.latent)
        self.body = GENERATORS[network].make(shape)

    def forward(self, noise: Tensor, categories: Tensor, identities: Tensor) -> Tensor:
        """Return images float32 [N, C, H, W] in [-1, 1].

        Args:
            noise: float32 [N, latent].
            categories: int64 [N].
            identities: float32 [N], 1 for the victim and 0 for anybody else.

        """
        one_hot = functional.one_hot(categories, self.classes).float()
        told = torch.cat([noise, self.scale * one_hot, self.scale * identities[:, None]], 1)
        images: Tensor = self.body(self.embedding(told))
        return images


def build(network: str, shape: Shape, classes: int, scale: float, generator: torch.Generator) -> ConditionalGenerator:
    """Build one, its weights drawn from `generator` alone.

    Raises:
        SettingsError: for an unknown network, or a shape of image that it cannot make.

    """
    choose(network, GENERATORS, "a generator network")
    return initialised(lambda: ConditionalGenerator(network, shape, classes, scale), generator)


def noise(network: str, count: int, generator: torch.Generator) -> Tensor:
    """Draw latent codes float32 [count, latent] from N(0, 1)."""
    return torch.randn(count, GENERATORS[network].latent, generator=generator)

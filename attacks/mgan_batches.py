"""What mGAN-AI's networks are shown: auxiliary images, representatives, conditions, and what is done to them first."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from attacks import conditional
from attacks.mgan_options import Options
from attacks.update_match import Sent
from task.facts import Images
from task.private import turned
from task.settings import expect

EPSILON = 1e-3
TURNS, WEIGHED = 13, 64  # turns that are weighed, and auxiliary images that weigh them
TURN = "turn_"


class Batches:
    """Draws batches for one round.

    Args:
        options: of the attack.
        categories: that the generator learns.
        auxiliary: the server's own images.
        pools: the victim's representatives and the others', or None.
        generator: all randomness.
        device: that the batches are put on.

    """

    def __init__(
        self,
        options: Options,
        categories: Sequence[int],
        auxiliary: Images,
        pools: tuple[Images, Images] | None,
        *,
        generator: torch.Generator,
        device: torch.device,
    ) -> None:
        self.options, self.pools, self.generator, self.device = options, pools, generator, device
        self.categories, self.turns = torch.tensor(categories), torch.full((TURNS,), 1 / TURNS)
        known = torch.isin(auxiliary.labels, self.categories)
        self.known = Images(auxiliary.images[known], auxiliary.labels[known])
        what = "auxiliary images of a category that the victim holds"
        expect(bool(known.any()), what, f"none of {list(categories)}", "Add some to the test set.")

    def auxiliary(self, count: int) -> Images:
        """Draw auxiliary images, turned where that is asked for."""
        chosen = torch.randint(len(self.known.images), (count,), generator=self.generator)
        images = self.known.images[chosen]
        if self.options.turned:
            images = turned(images, self.angles(count))
        return Images(images.to(self.device), self.known.labels[chosen].to(self.device))

    def angles(self, count: int) -> Tensor:
        """Draw turns in degrees, float32 [count]: even within each of TURNS steps, which `weigh` may have weighted."""
        steps = torch.multinomial(self.turns, count, replacement=True, generator=self.generator)
        return (2 * (steps + torch.rand(count, generator=self.generator)) / TURNS - 1) * self.options.turned

    def weigh(self, sent: Sent) -> dict[str, float]:
        """Weight the turns by how well auxiliary images turned so explain the victim's update.

        Returns:
            The shares of the turns before somebody else's are mixed in, by `turn_` and the middle in degrees.

        """
        chosen = torch.randint(len(self.known.images), (WEIGHED,), generator=self.generator)
        images, labels = self.known.images[chosen], self.known.labels[chosen].to(self.device)
        middles = ((2 * torch.arange(TURNS) + 1) / TURNS - 1) * self.options.turned
        distances = [sent.distance(turned(images, one.expand(WEIGHED)).to(self.device), labels) for one in middles]
        explained = (-torch.stack(distances).detach().cpu() / self.options.turn_match).softmax(0)
        # Two identities: somebody else's images may be turned otherwise.
        self.turns = (explained + self.turns) / 2 if self.pools else explained
        return {f"{TURN}{one:.1f}": share for one, share in zip(middles.tolist(), explained.tolist(), strict=True)}

    def representatives(self, count: int) -> Images:
        """Draw `count` of the victim's representatives and then of the others', of the same categories if matched."""
        if self.pools is None:
            raise ValueError("Expected representatives, got none. Ask for them where there are pools only.")
        victim, other = self.pools
        mine = torch.randint(len(victim.images), (count,), generator=self.generator)
        suits = torch.ones(count, len(other.images), dtype=torch.float64)
        if self.options.match:
            same = (victim.labels[mine][:, None] == other.labels[None]).double()
            suits = torch.where(same.any(1, keepdim=True), same, suits)
        theirs = torch.multinomial(suits, 1, generator=self.generator).flatten()
        images = torch.cat([victim.images[mine], other.images[theirs]])
        labels = torch.cat([victim.labels[mine], other.labels[theirs]])
        return Images(images.to(self.device), labels.to(self.device))

    def conditions(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw noise, categories int64 [count] and identities float32 [count]."""
        noise = conditional.noise(self.options.network, count, self.generator)
        chosen = self.categories[torch.randint(len(self.categories), (count,), generator=self.generator)]
        identities = torch.randint(2, (count,), generator=self.generator).float()
        if self.options.identity_condition == "victim" or self.pools is None:
            identities = torch.ones(count)
        return noise.to(self.device), chosen.to(self.device), identities.to(self.device)

    def pairs(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw the same, each condition for two different codes in turn; `count` rounded down to an even number."""
        noise, categories, identities = self.conditions(count // 2 * 2)
        half = count // 2
        return noise, categories[:half].repeat_interleave(2), identities[:half].repeat_interleave(2)

    def noisy(self, images: Tensor) -> Tensor:
        """Add the judges' input noise."""
        if not self.options.input_noise:
            return images
        noise = torch.randn(images.shape, generator=self.generator).to(images.device)
        return images + self.options.input_noise * noise

    def seen(self, images: Tensor, *, noise: bool) -> Tensor:
        """Return what the identity head sees: moved (a batch at once, around the edge), blurred, with noise."""
        options = self.options
        if noise and options.shift:
            far = options.shift
            down, right = (torch.randint(2 * far + 1, (2,), generator=self.generator) - far).tolist()
            images = images.roll((down, right), (2, 3))
        if options.blurred:
            images = blurred(images)
        if noise and options.representative_noise:
            size = torch.rand(len(images), 1, 1, 1, generator=self.generator) * options.representative_noise
            images = images + (size * torch.randn(images.shape, generator=self.generator)).to(images.device)
        return images


def blurred(images: Tensor) -> Tensor:
    """Return images [N, C, H, W] blurred, then each standardised to mean 0 and deviation 1.

    They are averaged over 5 by 5 and then 3 by 3 pixels of 28 by 28 ones, in proportion for others: images of 8 by 8
    are standardised only.
    """
    for size in (5, 3):
        reach = round((size * images.shape[2] / 28 - 1) / 2)
        images = functional.avg_pool2d(images, 2 * reach + 1, 1, reach, count_include_pad=False)
    centred = images - images.mean((1, 2, 3), keepdim=True)
    return centred / (centred.square().mean((1, 2, 3), keepdim=True).sqrt() + EPSILON)

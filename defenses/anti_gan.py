"""Anti-GAN: a participant trains the shared model on look-alikes from a GAN of its own, in place of its images.

Xinjian Luo, Xiangqi Zhu: Exploiting Defenses against GAN-Based Feature Inference Attacks in Federated Learning (2020),
section 3.2. Before its first round the participant fits a Wasserstein GAN with gradient penalty to its images. The
generator's loss has two terms more (eq. 9): lambda1 times the distance to the class's mean image (eq. 6), so that the
look-alikes serve the shared model as the originals do, and minus lambda2 times the log variance of the pixels (eq. 7),
so that nobody recognises them. Then the best of several latent codes, after some gradient steps on each, gives a
look-alike, and a mix of look-alikes and real images (eq. 10; defenses.mixing) is published.

Differences from the paper, and what it leaves open:
1. One GAN for a participant of several classes, which is told the class; the paper's has one class.
2. In eq. 6 x is the mean image of the class, as in its section 4.1; `similarity: max-pool` is its Mean(MaxPool(x)),
   which it leaves for later, with 2x2 pools on both sides. Both terms are of pixels in [0, 1]; the variance (of all
   pixels and channels of one image) has 1e-6 added under the logarithm, and both are averaged over the batch.
3. Networks, optimizer, steps, R and the steps on z are not printed. The defaults of the latter two are small (2 codes,
   20 steps; Defense-GAN, which it follows there, has 10 and 200): with those a look-alike costs fifty times as much.
   Codes are judged by the generator's whole objective, and moved by Adam.
4. The default networks are fully connected: digits of 28x28 are readable after 100 steps, of a tenth of a second on one
   core; `conv`, nearer to what Gulrajani et al. use, takes four times as long a step, and more of them. The default
   learning rate is five times theirs, since few steps are taken.

Both lambdas 0 give a plain Wasserstein GAN, the control. No guarantee of any kind is given.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from defenses import mixing
from defenses.protocols import Metrics
from task import wgan
from task.facts import Images, TaskFacts
from task.obfuscation import SIGNS, SIMILARITIES, compared, objective, squared_distance, unit
from task.settings import choose, expect

ACTS_ON = "data"
AT_ONCE = 512


@dataclass(frozen=True, kw_only=True)
class Options(mixing.Settings, wgan.Settings):
    """Settings of the defence, beside those of the GAN and of how much is published.

    Attributes:
        lambda1: weight of the similarity to the class's mean image.
        lambda2: weight of the obfuscation.
        obfuscation: `max` for sharp images, eq. 7, or `min` for grey ones, eq. 8.
        similarity: `mean` or `max-pool`.
        candidates: latent codes of which the best becomes a look-alike (R).
        latent_steps: gradient steps on each.
        latent_lr: of the Adam that takes them.

    """

    lambda1: float = 0.005
    lambda2: float = 48.0
    obfuscation: str = "max"
    similarity: str = "mean"
    candidates: int = 2
    latent_steps: int = 20
    latent_lr: float = 0.02

    def __post_init__(self) -> None:
        mixing.Settings.__post_init__(self)
        wgan.Settings.__post_init__(self)
        choose(self.obfuscation, SIGNS, "an obfuscation")
        choose(self.similarity, SIMILARITIES, "a similarity")
        for name in ("lambda1", "lambda2"):
            remedy = "options.obfuscation says whether the variance is to grow or to shrink." * (name == "lambda2")
            expect(0 <= getattr(self, name) < math.inf, f"{name} >= 0", getattr(self, name), remedy)
        expect(self.candidates > 0, "candidates > 0", self.candidates)
        expect(self.latent_steps >= 0, "latent_steps >= 0", self.latent_steps)
        expect(0 < self.latent_lr < math.inf, "latent_lr > 0", self.latent_lr)


def build(options: Options, facts: TaskFacts, generator: torch.Generator) -> mixing.MixingDefense:
    """Return the defence before its fit; the first weights are drawn from `generator`."""
    return mixing.MixingDefense(LookAlikes(options, facts, generator), options, facts)


class LookAlikes:
    """See defenses.mixing.Maker."""

    def __init__(self, options: Options, facts: TaskFacts, generator: torch.Generator) -> None:
        self.options = options
        self.gan = wgan.Wgan(options, facts.shape, facts.classes, generator)
        self._means = torch.zeros(facts.classes, *compared(torch.zeros(1, *facts.shape), options.similarity).shape[1:])
        self._metrics: dict[str, float] = {}

    def check(self, labels: Tensor) -> None:
        """Refuse a class with fewer images than a batch: the GAN would learn them by heart."""
        for label, held in sorted(Counter(labels.tolist()).items()):
            least = self.options.batch_size
            remedy = "Lower options.batch_size, or give the participant more images."
            expect(held >= least, f"at least {least} images of class {label}, as many as a batch", held, remedy)

    def learn(self, own: Images, generator: torch.Generator, progress: Callable[[str], None]) -> None:
        """Take the means of the classes and fit the GAN."""
        self._means = self._means.to(own.images.device)
        for label in set(own.labels.tolist()):
            of_class = own.images[own.labels == label]
            self._means[label] = compared(of_class, self.options.similarity).mean(0)
        self._metrics = self.gan.fit(own, self._beside, generator, progress)

    def make(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return look-alikes float32 [N, C, H, W] in [-1, 1] for labels int64 [N]: of each the best candidate."""
        count = max(1, AT_ONCE // self.options.candidates)
        made = torch.cat([self._best(part, generator) for part in torch.split(labels, count)])
        distance = squared_distance(made, self._means[labels], self.options.similarity)
        terms = {"distance": distance, "variance": unit(made).flatten(1).var(1, correction=0)}
        self._metrics |= {name: values.mean().item() for name, values in terms.items()}
        return made

    def metrics(self) -> Metrics:
        """Return the last losses, and the mean of both terms' distance and variance over what was made.

        And `generator_losses`, task.wgan.Wgan's history.
        """
        return self._metrics | {"generator_losses": self.gan.history}

    def _best(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return a look-alike for each label, all at once."""
        options, several = self.options, labels.repeat(self.options.candidates)
        codes = self.gan.latents(len(several), generator).to(labels.device).requires_grad_()
        optimizer = torch.optim.Adam([codes], lr=options.latent_lr)
        for _ in range(options.latent_steps):
            (codes.grad,) = torch.autograd.grad(self._objective(self.gan.images(codes, several), several).sum(), codes)
            optimizer.step()
        with torch.no_grad():
            images = self.gan.images(codes, several)
            found = self._objective(images, several).view(options.candidates, -1).argmin(0)
        return images[found * len(labels) + torch.arange(len(labels), device=labels.device)]

    def _objective(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return the generator's whole objective (eq. 9) for each image, float32 [N]."""
        return self._beside(images, labels) - self.gan.values(images, labels)

    def _beside(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return what eq. 9 has beside the GAN's own loss, for each image, float32 [N]."""
        options = self.options
        return objective(
            images,
            self._means[labels],
            lambda1=options.lambda1,
            lambda2=options.lambda2,
            obfuscation=options.obfuscation,
            similarity=options.similarity,
        )

"""The networks of mGAN-AI, and a round of their training (Wang et al. 2019, eq. 4, Algorithm 1; attacks.mgan_ai)."""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from attacks import conditional
from attacks.mgan_batches import Batches
from attacks.mgan_options import Options
from attacks.regularisers import sameness_of_pairs
from attacks.update_match import Sent
from task import models
from task.facts import TaskFacts
from task.models import initialised, weights
from task.training import optimizer_arrays, restore_optimizer

GROWS_EVERY, MOST_STEPS = 10, 5
MATCHED = 16  # of a batch, whose gradients of gradients are dear


def discriminator_steps(number: int) -> int:
    """Return the steps of D before each of G in a round of the federation, from 1: they grow (section V-C)."""
    return min(1 + number // GROWS_EVERY, MOST_STEPS)


class Judge(nn.Module):
    """A trunk and a head of one output; told the category, too, it judges the pair (Miyato and Koyama 2018, eq. 3).

    Args:
        model: whose trunk it takes.
        categories: that it is told; 0 for none.
        generator: the weights of the new layers are drawn from it.

    """

    def __init__(self, model: nn.Sequential, categories: int, generator: torch.Generator) -> None:
        super().__init__()
        size = cast("nn.Linear", model[-1]).in_features
        self.trunk, self.categories = model[:-1], categories
        self.head = initialised(lambda: nn.Linear(size, 1), generator)
        self.projection = (
            initialised(lambda: nn.Linear(categories, size, bias=False), generator) if categories else None
        )

    def forward(self, images: Tensor, categories: Tensor) -> Tensor:
        """Return logits float32 [N] for images float32 [N, C, H, W] of categories int64 [N]."""
        features = self.trunk(images)
        answers: Tensor = self.head(features).flatten()
        if self.projection is not None:
            told = self.projection(functional.one_hot(categories, self.categories).float())
            answers = answers + (told * features).sum(1)
        return answers


class Networks:
    """Discriminators, generator and their optimizers.

    Args:
        options, facts: see their classes.
        generator: the first weights are drawn from it.

    """

    def __init__(self, options: Options, facts: TaskFacts, generator: torch.Generator) -> None:
        self.options, self.facts = options, facts
        self.shared = _shared(facts, generator)
        trunks = [self.shared, self.shared]
        if options.judges == "own":
            name = options.judge_model or facts.model
            trunks = [models.build(name, facts.shape, facts.outputs, generator) for _ in trunks]
        told = facts.classes if options.critic == "projection" else 0
        self.real = Judge(trunks[0], told, generator)
        self.identity = Judge(trunks[1], 0, generator)
        self.generator, self.averaged = (
            conditional.build(options.network, facts.shape, facts.classes, options.condition_scale, generator)
            for _ in range(2)
        )
        self.averaged.load_state_dict(self.generator.state_dict())
        judges = nn.ModuleList([self.real, self.identity]).parameters()  # a shared body is counted once
        self.judges_optimizer = torch.optim.Adam(judges, lr=options.discriminator_lr, betas=options.betas)
        self.optimizer = torch.optim.Adam(self.generator.parameters(), lr=options.lr, betas=options.betas)

    def train(self, leaning: Mapping[str, Tensor], sent: Sent, batches: Batches, number: int) -> dict[str, float]:
        """Take one round's steps of D and G.

        Args:
            leaning: the victim's own model, which takes the discriminator's place.
            sent: what the victim was sent, and its update.
            batches: what they are shown, on the device to train on.
            number: of the federation's round, from 1.

        Returns:
            The last losses in nats.

        """
        options = self.options
        self.shared.load_state_dict(leaning)
        for parameter in self.shared.parameters():
            self.judges_optimizer.state.pop(parameter, None)  # what Adam knew of layers that are overwritten
        self.to(batches.device)
        category: nn.Module = self.shared
        if options.judges == "own":
            category = self.frozen(leaning).to(batches.device)
        steps = options.discriminator_steps or discriminator_steps(number)
        self.generator.train()
        losses: dict[str, float] = {}
        for _ in range(options.steps):
            for _ in range(steps):
                losses |= self._judges_step(batches)
            losses |= self._generator_step(batches, category, sent)
        self.to(torch.device("cpu"))
        return losses

    def frozen(self, state: Mapping[str, Tensor]) -> nn.Module:
        """Return the shared model with these weights, frozen."""
        model = _shared(self.facts, torch.Generator())
        model.load_state_dict(state)
        return model.eval().requires_grad_(requires_grad=False)

    def _judges_step(self, batches: Batches) -> dict[str, float]:
        """Real against fake, and the victim against the others."""
        half = self.options.batch_size // 2
        with torch.no_grad():
            noise, categories, identities = batches.conditions(half)
            fakes = self.generator(noise, categories, identities)
        known = batches.auxiliary(half)
        shown, told = torch.cat([known.images, fakes]), torch.cat([known.labels, categories])
        loss = _judged(self.real(batches.noisy(shown), told), half)
        losses = {"real_loss": loss.item()}
        if batches.pools:
            found = batches.representatives(half)
            identity = _judged(self.identity(batches.seen(found.images, noise=True), found.labels), half)
            losses["identity_loss"] = identity.item()
            loss = loss + identity
        self.judges_optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.judges_optimizer.step()
        return losses

    def _generator_step(self, batches: Batches, category: nn.Module, sent: Sent) -> dict[str, float]:
        """Category, real, identity."""
        options = self.options
        draw = batches.pairs if options.diversity else batches.conditions
        noise, categories, identities = draw(options.batch_size)
        images = self.generator(noise, categories, identities)
        wanted = functional.cross_entropy(category(images), categories)
        real = functional.softplus(-self.real(batches.noisy(images), categories)).mean()
        losses = {"generator_category_loss": wanted.item(), "generator_real_loss": real.item()}
        loss = wanted + real
        if batches.pools:
            answers = self.identity(batches.seen(images, noise=False), categories)
            identity = functional.binary_cross_entropy_with_logits(answers, identities)
            losses["generator_identity_loss"] = identity.item()
            loss = loss + identity
        mine = identities == 1
        if options.update_match and mine.any():
            some = torch.nonzero(mine).flatten()[:MATCHED]
            distance = sent.distance(images[some], categories[some])
            losses["generator_update_loss"] = distance.item()
            loss = loss + options.update_match * distance
        if options.diversity:
            loss = loss + options.diversity * sameness_of_pairs(noise, images)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward(inputs=list(self.generator.parameters()))  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.optimizer.step()
        for mean, now in zip(self.averaged.state_dict().values(), self.generator.state_dict().values(), strict=True):
            mean.copy_(mean.lerp(now, 1 - options.average) if mean.is_floating_point() else now)
        return losses

    def to(self, device: torch.device) -> None:
        """Move all networks, and what the optimizers know of them."""
        for network in self._networks().values():
            network.to(device)
        for optimizer in (self.optimizer, self.judges_optimizer):
            restore_optimizer(optimizer, optimizer_arrays(optimizer))

    def state_dict(self) -> dict[str, Tensor]:
        """Return networks and optimizers by name."""
        state: dict[str, Tensor] = {}
        for name, network in self._networks().items():
            state |= {f"{name}.{key}": tensor for key, tensor in weights(network).items()}
        for name, optimizer in self._optimizers().items():
            state |= {f"{name}.{key}": tensor for key, tensor in optimizer_arrays(optimizer).items()}
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned."""

        def under(prefix: str) -> dict[str, Tensor]:
            return {key.removeprefix(prefix): state[key] for key in state if key.startswith(prefix)}

        for name, network in self._networks().items():
            network.load_state_dict(under(f"{name}."))
        for name, optimizer in self._optimizers().items():
            restore_optimizer(optimizer, under(f"{name}."))

    def _networks(self) -> dict[str, nn.Module]:
        return {
            "shared": self.shared,
            "real": self.real,
            "identity": self.identity,
            "generator": self.generator,
            "averaged": self.averaged,
        }

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"optimizer": self.optimizer, "judges_optimizer": self.judges_optimizer}


def _shared(facts: TaskFacts, generator: torch.Generator) -> nn.Sequential:
    """Return a network like the shared model, which ends in a linear layer (task.models)."""
    return models.build(facts.model, facts.shape, facts.outputs, generator)


def _judged(answers: Tensor, half: int) -> Tensor:
    """Return the mean cross-entropy of logits [N] whose first `half` should say yes and the rest no."""
    return torch.cat([functional.softplus(-answers[:half]), functional.softplus(answers[half:])]).mean()

"""The client-side GAN attack: a malicious participant reconstructs the class of another.

Yuwei Sun, Ng S. T. Chong: Information Stealing in Federated Learning Systems Based on Generative Adversarial Networks
(2021), section III; after Hitaj, Ateniese, Perez-Cruz: Deep Models under the GAN (2017).

Each round the global model becomes the frozen discriminator; a generator learns to make images that it takes for the
target class (eq. 2); some of them, labelled with the fake class, go into the attacker's own local training, so that the
victim has to work harder to tell them apart.

Differences from the paper:
1. `fake_label` is the extra output of Sun or, as in Luo's account of Hitaj, a class that the attacker owns.
2. The paper draws 50 images out of 5,000 fresh fakes; here the 50 are made fresh, which has the same distribution.
3. Several targets at once, each with a generator of its own.
4. `ensemble`, `smoothing`, `tv`, `dark`, `diversity`, `replay_rounds` and `noise_images` are ours, off by default:
   without them the generator mostly finds adversarial noise.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from attacks import generators
from attacks.regularisers import darkness, nothings, sameness, total_variation
from attacks.views import ParticipantView
from task.facts import Images, TaskFacts
from task.models import weights
from task.settings import choose, expect
from task.training import optimizer_arrays, restore_optimizer

VIEW = ParticipantView


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of the attack; the defaults are Sun's.

    Attributes:
        target: the class, or classes, to steal.
        fake_label: `extra` for an output beside the real classes, or the class that fakes are labelled with.
        poison: whether fakes go into the local training; without, the attack only watches.
        start_accuracy: the attack begins in the first round whose global model has reached it ...
        start_round: ... or in this round, whichever comes first; one of the two must be given.
        network: of the generator (attacks.generators).
        steps: generator steps a round.
        batch_size: fakes a step and target.
        lr, betas, eps: of the generator's Adam, whose state is kept.
        poison_images: fakes a round and target in the local training.
        replay_rounds: half of those are drawn from the fakes of so many past rounds; 0 for none.
        noise_images: images of nothing, labelled fake, a round ...
        noise_early: ... from the first round on, or with the attack only, since they slow the federation's learning.
        ensemble: the generator must convince so many of the latest global models, in turn.
        smoothing: decay a round of a running mean of the global models' weights, which then takes their place: steadier
            than any of them (the idea of Izmailov et al. 2018, Averaging Weights Leads to Wider Optima); 0 for none.
        tv, dark, diversity: weights of the regularisers.

    """

    target: int | tuple[int, ...]
    fake_label: int | str = "extra"
    poison: bool = True
    start_accuracy: float | None = 0.9
    start_round: int | None = None
    network: str = "sun"
    steps: int = 500
    batch_size: int = 16
    lr: float = 0.001
    betas: tuple[float, float] = (0.5, 0.999)
    eps: float = 1e-7
    poison_images: int = 50
    replay_rounds: int = 0
    noise_images: int = 0
    noise_early: bool = True
    ensemble: int = 1
    smoothing: float = 0.0
    tv: float = 0.0
    dark: float = 0.0
    diversity: float = 0.0

    def __post_init__(self) -> None:
        expect(bool(self.targets), "at least one target", self.target)
        expect(len(set(self.targets)) == len(self.targets), "each target once", list(self.targets))
        if isinstance(self.fake_label, str):
            choose(self.fake_label, ("extra",), "fake_label to be a class or a known word")
        starts = self.start_accuracy is not None or self.start_round is not None
        expect(starts, "start_accuracy or start_round", "neither", "Give one of them.")
        share = self.start_accuracy
        expect(share is None or 0 <= share <= 1, "start_accuracy from 0 to 1", share)
        expect(self.start_round is None or self.start_round > 0, "start_round > 0", self.start_round)
        choose(self.network, generators.GENERATORS, "a generator network")
        expect(0 <= self.smoothing < 1, "0 <= smoothing < 1", self.smoothing)
        expect(all(0 <= beta < 1 for beta in self.betas), "betas in [0, 1)", list(self.betas))
        for name in ("steps", "batch_size", "ensemble", "lr", "eps"):
            expect(0 < getattr(self, name) < math.inf, f"{name} > 0", getattr(self, name))
        for name in ("poison_images", "replay_rounds", "noise_images", "tv", "dark", "diversity"):
            expect(getattr(self, name) >= 0, f"{name} >= 0", getattr(self, name))

    @property
    def targets(self) -> tuple[int, ...]:
        """The targets, also where there is one."""
        return self.target if isinstance(self.target, tuple) else (self.target,)


def build(options: Options, facts: TaskFacts, generator: torch.Generator) -> "GanAttack":
    """Return the attack before its first round.

    Raises:
        SettingsError: for a target or fake label that the shared model has no output for.

    """
    for target in options.targets:
        expect(target in range(facts.classes), f"a target from 0 to {facts.classes - 1}", target)
    if options.fake_label == "extra":
        remedy = "Set task.outputs, or fake_label to a class."
        expect(facts.outputs > facts.classes, "an extra output in the shared model", facts.outputs, remedy)
    else:
        expect(options.fake_label in range(facts.classes), f"fake_label below {facts.classes}", options.fake_label)
        expect(options.fake_label not in options.targets, "fake_label to be no target", options.fake_label)
    return GanAttack(options, facts, generator)


class GanAttack:
    """One attacker's generators and what it remembers; see attacks.views.ParticipantAttack."""

    def __init__(self, options: Options, facts: TaskFacts, generator: torch.Generator) -> None:
        """Draw the generators' first weights from `generator`; nothing else happens."""
        self.options, self.facts = options, facts
        made = [generators.build(options.network, facts.shape, generator) for _ in options.targets]
        self.networks = nn.ModuleList(made)
        parameters = self.networks.parameters()
        self.optimizer = torch.optim.Adam(parameters, lr=options.lr, betas=options.betas, eps=options.eps)
        self.models: list[dict[str, Tensor]] = []
        self.bank = torch.empty(0, len(options.targets), self._fresh, *facts.shape)
        self._started = False
        self._loss = float("nan")

    @property
    def started(self) -> bool:
        """Whether the attack has begun."""
        return self._started

    @property
    def _fresh(self) -> int:
        """Fresh fakes a round and target in the local training."""
        count = self.options.poison_images
        return count - count // 2 if self.options.replay_rounds else count

    @property
    def _fake_label(self) -> int:
        label = self.options.fake_label
        return label if isinstance(label, int) else self.facts.classes

    def observe(self, view: ParticipantView, generator: torch.Generator) -> Images:
        """Train the generators against the global model, and return fakes for the local training beside one's own data.

        Args:
            view: the round.
            generator: all randomness of the round.

        """
        options = self.options
        latest = weights(view.global_model)
        if options.smoothing and self.models:
            latest = {name: then.lerp(latest[name], 1 - options.smoothing) for name, then in self.models[-1].items()}
        self.models = [*self.models, latest][-options.ensemble :]
        by_accuracy = options.start_accuracy is not None and view.accuracy >= options.start_accuracy
        by_round = options.start_round is not None and view.round >= options.start_round
        self._started = self._started or by_accuracy or by_round
        parts = [view.own_data.images]
        if self._started:
            self._loss = self._train(view.global_model, generator)
            if options.poison:
                parts += self._fakes(generator)
        if options.poison and options.noise_images and (self._started or options.noise_early):
            parts.append(nothings(options.noise_images, self.facts.shape, generator))
        fakes = sum(len(part) for part in parts[1:])
        labels = torch.full((fakes,), self._fake_label, dtype=torch.int64)
        return Images(torch.cat(parts), torch.cat([view.own_data.labels, labels]))

    def _train(self, global_model: nn.Module, generator: torch.Generator) -> float:
        """Take one round's generator steps (eq. 2, non-saturating); return the last step's cross-entropy per target."""
        options, device = self.options, next(global_model.parameters()).device
        name, count = options.network, options.batch_size
        self.networks.to(device).train()
        restore_optimizer(self.optimizer, optimizer_arrays(self.optimizer))  # follow the weights to the device
        targets = torch.tensor(options.targets, device=device).repeat_interleave(options.batch_size)
        models = [{name: tensor.to(device) for name, tensor in model.items()} for model in self.models]
        wanted = 0.0
        for step in range(options.steps):
            frozen = models[-1 - step % len(models)]
            latents = [generators.codes(name, count, generator).to(device) for _ in self.networks]
            fakes = [network(codes) for network, codes in zip(self.networks, latents, strict=True)]
            answers = torch.func.functional_call(global_model, frozen, (torch.cat(fakes),))
            # Sums over the targets: each generator gets the gradient that it would get alone.
            loss = functional.cross_entropy(answers, targets, reduction="sum") / options.batch_size
            wanted = loss.item() / len(fakes)
            for codes, images in zip(latents, fakes, strict=True):
                loss = loss + options.tv * total_variation(images) + options.dark * darkness(images)
                if options.diversity:
                    loss = loss + options.diversity * sameness(codes, images)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            self.optimizer.step()
        self.networks.cpu()
        return wanted

    def _fakes(self, generator: torch.Generator) -> list[Tensor]:
        """Return this round's fakes for the local training, and remember them for replay."""
        options = self.options
        fresh = self.loot(self._fresh, generator).images.view(len(self.networks), self._fresh, *self.facts.shape)
        parts = [fresh.flatten(0, 1)]
        past = self.bank.transpose(0, 1).flatten(1, 2)
        for images in past if options.replay_rounds else ():
            drawn = torch.randperm(len(images), generator=generator)[: options.poison_images // 2]
            parts.append(images[drawn])
        if options.replay_rounds:
            self.bank = torch.cat([self.bank, fresh[None]])[-options.replay_rounds :]
        return parts

    @torch.no_grad()
    def loot(self, count: int, generator: torch.Generator) -> Images:
        """Return `count` fakes for each target, labelled with the target; none before the start."""
        if not self._started:
            return Images(torch.empty(0, *self.facts.shape), torch.empty(0, dtype=torch.int64))
        name = self.options.network
        images = [network(generators.codes(name, count, generator)) for network in self.networks.eval()]
        return Images(torch.cat(images), torch.tensor(self.options.targets).repeat_interleave(count))

    def metrics(self) -> dict[str, float]:
        """Return the generators' last cross-entropy against the global model, in nats; empty before the start."""
        return {"generator_loss": self._loss} if self._started else {}

    def state_dict(self) -> dict[str, Tensor]:
        """Return generators, optimizer, remembered global models and fakes by name."""
        state = {"started": torch.tensor([self._started]), "bank": self.bank}
        state |= {f"network.{name}": tensor for name, tensor in weights(self.networks).items()}
        state |= {f"optimizer.{name}": tensor for name, tensor in optimizer_arrays(self.optimizer).items()}
        for age, model in enumerate(self.models):
            state |= {f"model.{age}.{name}": tensor for name, tensor in model.items()}
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned."""
        self._started, self.bank = bool(state["started"].item()), state["bank"]
        self.networks.load_state_dict(_under("network.", state))
        restore_optimizer(self.optimizer, _under("optimizer.", state))
        ages = sorted({name.split(".")[1] for name in state if name.startswith("model.")}, key=int)
        self.models = [_under(f"model.{age}.", state) for age in ages]


def _under(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the part of `state` whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}

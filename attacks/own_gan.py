"""The generators that membership attacks enlarge their knowledge with: one a label, the global model as discriminator.

The client-side GAN attack (attacks.gan) without its fake class and without poison, for all labels at once, as Chen et
al. (2020, section IV-B) and Zhu et al. (section 3.2) use it; it only looks. Of the images made, those are kept that the
global model takes for the label.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attacks import gan, generators
from attacks.views import ParticipantView, RecordView
from task.facts import Images, TaskFacts
from task.settings import choose, expect
from task.training import logits

PART = 500


@dataclass(frozen=True, kw_only=True)
class GanOptions:
    """Settings of the generators.

    Attributes:
        network: of each generator (attacks.generators).
        steps: a round.
        gan_batch: images a step and label.
        gan_lr: of Adam, with Sun's other settings.
        start_accuracy: they learn from the first round whose global model has reached it ...
        start_round: ... or from this round, whichever comes first.
        attempts: images made at most for each that is wanted.
        tv, dark, diversity, ensemble: see attacks.gan; off as in the papers.

    """

    network: str = "sun"
    steps: int = 500
    gan_batch: int = 16
    gan_lr: float = 0.001
    start_accuracy: float | None = 0.93
    start_round: int | None = None
    attempts: int = 20
    tv: float = 0.0
    dark: float = 0.0
    diversity: float = 0.0
    ensemble: int = 1

    def __post_init__(self) -> None:
        choose(self.network, generators.GENERATORS, "a generator network")
        expect(self.attempts > 0, "attempts > 0", self.attempts)
        expect(0 < self.gan_lr < math.inf, "gan_lr > 0", self.gan_lr)
        self.attack(1)

    def attack(self, labels: int) -> gan.Options:
        """Return the settings of the GAN attack on labels 0 to `labels` - 1."""
        return gan.Options(
            target=tuple(range(labels)),
            poison=False,
            start_accuracy=self.start_accuracy,
            start_round=self.start_round,
            network=self.network,
            steps=self.steps,
            batch_size=self.gan_batch,
            lr=self.gan_lr,
            ensemble=self.ensemble,
            tv=self.tv,
            dark=self.dark,
            diversity=self.diversity,
        )


class OwnGan:
    """Generators of all labels; the first weights are drawn from `generator`."""

    def __init__(self, options: GanOptions, facts: TaskFacts, generator: torch.Generator) -> None:
        self.options, self.facts = options, facts
        self.attack = gan.GanAttack(options.attack(facts.classes), facts, generator)

    @property
    def started(self) -> bool:
        """Whether they have learned anything."""
        return self.attack.started

    def observe(self, view: RecordView, generator: torch.Generator) -> None:
        """Learn from the round's global model."""
        nothing = Images(torch.empty(0, *self.facts.shape), torch.empty(0, dtype=torch.int64))
        seen = ParticipantView(
            round=view.round, global_model=view.global_model, own_data=nothing, accuracy=view.accuracy
        )
        self.attack.observe(seen, generator)

    def images(self, model: nn.Module, wanted: int, generator: torch.Generator) -> Images:
        """Return up to `wanted` images of each label that `model` takes for it; fewer where the attempts run out."""
        kept: dict[int, list[Tensor]] = {label: [] for label in range(self.facts.classes)}
        tries = math.ceil(wanted * self.options.attempts / PART) if self.started else 0
        for _ in range(tries):
            lacking = {label for label, parts in kept.items() if sum(map(len, parts)) < wanted}
            if not lacking:
                break
            made = self.attack.loot(min(PART, wanted * self.options.attempts), generator)
            taken = logits(model, made.images).argmax(1)
            for label in lacking:
                kept[label].append(made.images[(made.labels == label) & (taken == label)])
        parts = [torch.cat([torch.empty(0, *self.facts.shape), *kept[label]])[:wanted] for label in kept]
        labels = torch.arange(len(parts)).repeat_interleave(torch.tensor([len(part) for part in parts]))
        return Images(torch.cat(parts), labels)

    def metrics(self) -> dict[str, float]:
        """Return the generators' last loss."""
        return self.attack.metrics()

    def state_dict(self) -> dict[str, Tensor]:
        """Return the GAN attack's state."""
        return self.attack.state_dict()

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned."""
        self.attack.load_state_dict(state)

"""A server's attack of a few lines, for tests: it remembers its victim's updates and shows them as grey images."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from attacks.views import ServerView
from task.facts import Images, TaskFacts

VIEW = ServerView


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings: the victim, whether it is sent a model of zeros and kept apart, and rounds in which `observe` fails."""

    victim: int
    active: bool = False
    start_round: int = 1
    fail_in: tuple[int, ...] = ()


def build(options: Options, facts: TaskFacts, generator: torch.Generator) -> "ToyAttack":
    """Return the attack before its first round."""
    return ToyAttack(options, facts, generator)


class ToyAttack:
    """See attacks.views.ServerAttack; `views` are those that it was shown."""

    def __init__(self, options: Options, facts: TaskFacts, generator: torch.Generator) -> None:
        """Draw a grey level for each category."""
        self.options, self.facts = options, facts
        self.levels = torch.rand(facts.classes, generator=generator)
        self.total = torch.zeros(1)
        self.views: list[ServerView] = []

    @property
    def started(self) -> bool:
        """Whether it has seen its first round."""
        return bool(self.total)

    @property
    def isolated(self) -> tuple[int, ...]:
        """The victim, if it is active."""
        return (self.options.victim,) if self.options.active else ()

    def outgoing(self, client: int, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Send the isolated client zeros."""
        if client not in self.isolated:
            return weights
        return {name: torch.zeros_like(tensor) for name, tensor in weights.items()}

    def observe(self, view: ServerView, generator: torch.Generator) -> None:
        """Add up the size of the victim's updates; fail where the options say so."""
        self.views.append(view)
        if view.round in self.options.fail_in:
            raise RuntimeError("no memory left")
        sizes = [tensor.abs().sum() for tensor in view.updates.get(self.options.victim, {}).values()]
        if view.round >= self.options.start_round:
            self.total = self.total + sum(sizes) + torch.rand(1, generator=generator)

    def loot(self, count: int, generator: torch.Generator) -> Images:
        """Return images of each category's grey level."""
        del generator
        labels = torch.arange(self.facts.classes if self.started else 0).repeat_interleave(count)
        return Images(self.levels[labels].view(-1, 1, 1, 1).expand(-1, *self.facts.shape), labels)

    def control(self, count: int, generator: torch.Generator) -> Images:
        """Return their negatives."""
        loot = self.loot(count, generator)
        return Images(-loot.images, loot.labels)

    def not_owned(self, count: int, generator: torch.Generator) -> Images:
        """Return nothing."""
        del count, generator
        return Images(torch.empty(0, *self.facts.shape), torch.empty(0, dtype=torch.int64))

    def representatives(self) -> Mapping[int, Images]:
        """Return a black image for each client of the last view."""
        clients = self.views[-1].updates if self.views else {}
        black, label = torch.full((1, *self.facts.shape), -1.0), torch.zeros(1, dtype=torch.int64)
        return {client: Images(black, label) for client in clients}

    def metrics(self) -> dict[str, float]:
        """Return the sum."""
        return {"total": self.total.item()}

    def state_dict(self) -> dict[str, Tensor]:
        """Return the sum and the grey levels."""
        return {"total": self.total, "levels": self.levels}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on."""
        self.total, self.levels = state["total"], state["levels"]

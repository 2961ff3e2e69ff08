"""A server that is asked about records: it looks at the model that each participant sent, and answers."""

import functools
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from attacks.asking import Inquiry, files
from attacks.views import Question, RecordView, ServerView
from task.facts import Images, TaskFacts
from task.models import weights


class Inquiring:
    """A server's attack (attacks.views.ServerAttack) that has scores to show in place of images.

    Args:
        inquiry: the attack with its baselines.
        question: what is asked.
        facts: of the task.
        frozen: makes a model of weights, see strategies.malicious.Malicious.

    """

    def __init__(
        self,
        inquiry: Inquiry,
        question: Question,
        facts: TaskFacts,
        frozen: Callable[[Mapping[str, Tensor]], nn.Module],
    ) -> None:
        self.inquiry, self.question, self.facts, self.frozen = inquiry, question, facts, frozen
        self._sent: dict[int, Mapping[str, Tensor]] = {}
        self._view: RecordView | None = None

    @property
    def started(self) -> bool:
        """Whether the attack has an answer."""
        return self.inquiry.attack.started

    @property
    def isolated(self) -> tuple[int, ...]:
        """Nobody."""
        return ()

    def outgoing(self, client: int, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Send what the attack wants sent, and remember it where that is not the global model."""
        wanted = self.inquiry.attack.outgoing(client, weights)
        self._sent.pop(client, None)
        if wanted is not weights:
            self._sent[client] = wanted
        return wanted

    def observe(self, view: ServerView, generator: torch.Generator) -> None:
        """Look at one round."""
        start = weights(view.global_model)

        @functools.cache
        def model_of(client: int) -> nn.Module:
            """Return the model that a participant has sent; the aggregate where it has not replied."""
            if client not in view.updates:
                return view.aggregate
            before = self._sent.get(client, start)
            return self.frozen({name: before[name].cpu() + change for name, change in view.updates[client].items()})

        self._view = RecordView(
            round=view.round,
            accuracy=view.accuracy,
            question=self.question,
            global_model=view.global_model,
            model_of=model_of,
            own_trained=False,
        )
        self.inquiry.attack.observe(self._view, generator)

    def answers(self, randomness: Callable[[str], torch.Generator]) -> dict[str, dict[str, Tensor]]:
        """Return what is written of the last round's answers, see attacks.asking.files; nothing before the first."""
        view = self._view
        return {} if view is None else files(self.inquiry.scores(view, randomness), view.round)

    def loot(self, count: int, generator: torch.Generator) -> Images:
        """Return no images."""
        del count, generator
        return Images(torch.empty(0, *self.facts.shape), torch.empty(0, dtype=torch.int64))

    def control(self, count: int, generator: torch.Generator) -> Images:
        """Return no images."""
        return self.loot(count, generator)

    def not_owned(self, count: int, generator: torch.Generator) -> Images:
        """Return no images."""
        return self.loot(count, generator)

    def representatives(self) -> Mapping[int, Images]:
        """Return no images."""
        return {}

    def metrics(self) -> dict[str, float]:
        """Return the attack's own."""
        return self.inquiry.attack.metrics()

    def state_dict(self) -> dict[str, Tensor]:
        """Return the attack's own."""
        return self.inquiry.attack.state_dict()

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned."""
        self.inquiry.attack.load_state_dict(state)

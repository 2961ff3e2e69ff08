"""User-level membership: whose labels does a classifier find in a record that was trained on made images alone?

Jiale Chen, Jiale Zhang, Yanchao Zhao, Hao Han, Kun Zhu, Bing Chen: Beyond Model-Level Membership Privacy Leakage: an
Adversarial Approach in Federated Learning (ICCCN 2020), section IV; Zhu et al., user level. Participants have declared
which labels they hold, each its own. A generator a label learns against the global model; of what it makes, the images
that the global model takes for the label train a classifier. A record is a member of a participant's data if the
classifier takes it for one of the labels that the participant has declared.

So it finds out who owns a label, not whose record it is: fresh images of the label are marked as well (the protocol
`clean` shows that). The baseline `argmax` asks the global model itself, without any generator.

Differences from the paper, and what it leaves open:
1. The score is the classifier's softmax mass on the declared labels; 1,000 images a label, with a bound on attempts;
   a label without any is known to the classifier by no image, and counted (`labels_without`).
2. Networks of the generators (the paper names none): Sun's for 28x28 images. The classifier is the shared model's
   network, as in the paper, trained by Adam.
3. From the server the attack looks at the global models, too: updates are not told apart by it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from attacks.asking import owners_labels
from attacks.own_gan import GanOptions, OwnGan
from attacks.views import Question, RecordView, Scores
from task import models
from task.facts import Images, TaskFacts
from task.settings import OptimizerSettings, expect
from task.training import logits, make_optimizer, train

VIEW = RecordView


@dataclass(frozen=True, kw_only=True)
class Options(GanOptions):
    """Settings of the attack, beside those of the generators.

    Attributes:
        images: made for each label.
        epochs, batch_size, lr: of the classifier's training.

    """

    images: int = 1000
    epochs: int = 5
    batch_size: int = 64
    lr: float = 0.001

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("images", "epochs", "batch_size", "lr"):
            expect(0 < getattr(self, name) < math.inf, f"{name} > 0", getattr(self, name))


def build(options: Options, facts: TaskFacts, question: Question, generator: torch.Generator) -> "UserMembership":
    """Return the attack before its first round.

    Raises:
        SettingsError: where a participant who is asked about has declared no labels, or shares one with another.

    """
    declared = question.declared
    for client in sorted(set(question.clients.tolist())):
        remedy = "Set membership.declared to true; without declared labels this attack cannot be tried."
        expect(bool(declared.get(client)), f"declared labels of participant {client}", "none", remedy)
        others = {label for one, labels in declared.items() if one != client for label in labels}
        shared = sorted(others & set(declared[client]))
        remedy = "Deal each label to one participant: task.partition.kind whole-classes."
        expect(not shared, f"no label of participant {client} that others have declared, too", shared, remedy)
    return UserMembership(options, facts, question, generator)


class UserMembership:
    """See attacks.views.MembershipAttack."""

    def __init__(self, options: Options, facts: TaskFacts, question: Question, generator: torch.Generator) -> None:
        self.options, self.facts, self.question = options, facts, question
        self.gan = OwnGan(options, facts, generator)
        self._metrics: dict[str, float] = {}

    @property
    def started(self) -> bool:
        """Whether the generators have learned anything."""
        return self.gan.started

    def outgoing(self, client: int | None, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Change nothing."""
        del client
        return weights

    def observe(self, view: RecordView, generator: torch.Generator) -> None:
        """Let the generators learn from the global model."""
        self.gan.observe(view, generator)

    def scores(self, view: RecordView, generator: torch.Generator) -> Scores:
        """Train the classifier on made images, and return its softmax mass on the declared labels."""
        made = self.gan.images(view.global_model, self.options.images, generator)
        self._metrics = {"labels_without": float(self.facts.classes - len(set(made.labels.tolist())))}
        if not len(made.labels):
            nothing = torch.zeros(len(self.question.clients), dtype=torch.float64)
            return Scores(values=nothing, marked=nothing.bool())
        answered = self._answers(made, generator)
        mine = owners_labels(self.question, self.facts.classes)
        marked = mine.gather(1, answered.argmax(1)[:, None]).squeeze(1)
        return Scores(values=(answered.softmax(1) * mine).sum(1), marked=marked)

    def _answers(self, made: Images, generator: torch.Generator) -> Tensor:
        """Return the logits float64 [N, classes] of a classifier trained on made images."""
        options, facts = self.options, self.facts
        model = models.build(facts.model, facts.shape, facts.classes, generator)
        train(
            model,
            made.images,
            made.labels,
            optimizer=make_optimizer(model, OptimizerSettings(name="adam", lr=options.lr)),
            batch_size=options.batch_size,
            epochs=options.epochs,
            generator=generator,
        )
        return logits(model, self.question.records.images).double()

    def metrics(self) -> dict[str, float]:
        """Return the generators' last loss, and for how many labels they made nothing when last asked."""
        return self.gan.metrics() | self._metrics

    def state_dict(self) -> dict[str, Tensor]:
        """Return the generators' state."""
        return self.gan.state_dict()

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned."""
        self.gan.load_state_dict(state)

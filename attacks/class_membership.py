"""Class-level membership: for each label a small network that tells members from others by the model's prediction.

Zhu et al., MIA-Leak, section 4.1; after Shokri et al., Membership Inference Attacks against Machine Learning Models
(2017). A participant knows that its own records are members of the global model, and that images which nobody holds are
not. On the model's softmax vectors of both it trains an in / out network a label; a generator a label, with the global
model as discriminator, may enlarge its records (`enlarge`): made images that the global model takes for their label
count as members. Asked about a record, the network of its label answers.

A server knows no member of anybody's update. It trains a shadow: from the global model on, on records of its own, as a
participant would. Of that model it knows the members, and it asks each participant's own update what it has learned to.

What the attacker can test by itself is the paper's protocol (`rehearsal`): a fifth of its vectors, made images among
the members, are kept from the training. A network that tells made images from real ones does well there.

Differences from the paper, and what it leaves open:
1. The networks of all labels are trained in one batch (torch.bmm), 10 - 64 - 1, ReLU, on full sets, by Adam: the same
   numbers as one after the other.
2. The server's shadow (ours); the paper's attacker is a participant.
3. A label without a member or without another is answered by the median logit of the others (`labels_without`).
4. Marked are the highest scores, as many as there are members: the networks' own answers allow for how common members
   were among what they learned from, which is not so among the records in question.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from attacks.asking import asked, highest, subset
from attacks.own_gan import GanOptions, OwnGan
from attacks.shadow import shadow, usual
from attacks.views import Question, RecordView, Rehearsal, Scores
from task.facts import Images, TaskFacts
from task.settings import expect
from task.training import logits

VIEW = RecordView


@dataclass(frozen=True, kw_only=True)
class Options(GanOptions):
    """Settings of the attack, beside those of the generators.

    Attributes:
        enlarge: made images a label beside the attacker's own; 0 for no generators at all.
        hidden: width of the networks.
        fit_steps, fit_lr: of their Adam.
        kept: share of the vectors that the attacker keeps to test itself.
        others: references that it takes for each image that counts as a member (the paper's figures suggest four); None
            for all there are.
        shadow_records: records a server trains its shadow on; None for as many as a participant holds, or as there are
            references, if these are fewer.

    """

    enlarge: int = 0
    hidden: int = 64
    fit_steps: int = 500
    fit_lr: float = 0.005
    kept: float = 0.2
    others: float | None = None
    shadow_records: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("hidden", "fit_steps", "fit_lr"):
            expect(0 < getattr(self, name) < math.inf, f"{name} > 0", getattr(self, name))
        expect(self.enlarge >= 0, "enlarge >= 0", self.enlarge)
        expect(0 <= self.kept < 1, "0 <= kept < 1", self.kept)
        expect(self.others is None or 0 < self.others < math.inf, "others > 0", self.others)
        expect(self.shadow_records is None or self.shadow_records > 0, "shadow_records > 0", self.shadow_records)


def build(options: Options, facts: TaskFacts, question: Question, generator: torch.Generator) -> "ClassMembership":
    """Return the attack before its first round.

    Raises:
        SettingsError: where the attacker has fewer records, or fewer references, than there are classes, or fewer
            references than it is to learn from.

    """
    count, classes = len(question.own.labels), facts.classes
    remedy = "Raise task.partition.images; task.partition.holders, if given, must name the attacker."
    expect(count >= classes, f"an attacker with at least a record for each of {classes} classes", count, remedy)
    count, remedy = len(question.reference.labels), "Raise membership.reference."
    expect(count >= classes, f"at least a reference for each of {classes} classes", count, remedy)
    if options.others is not None:
        own = min(options.shadow_records or usual(facts, question), len(question.own.labels))
        members = own + options.enlarge * classes
        wanted, remedy = round(options.others * members), "Raise membership.reference, or lower others or enlarge."
        what = f"{wanted} references, {options.others:g} to each of {members} members"
        expect(wanted <= count, what, count, remedy)
    return ClassMembership(options, facts, question, generator)


class ClassMembership:
    """See attacks.views.MembershipAttack."""

    def __init__(self, options: Options, facts: TaskFacts, question: Question, generator: torch.Generator) -> None:
        self.options, self.facts, self.question = options, facts, question
        self.gan = OwnGan(options, facts, generator) if options.enlarge else None
        self._metrics: dict[str, float] = {}

    @property
    def started(self) -> bool:
        """Whether the generators, if it has any, have learned anything."""
        return self.gan is None or self.gan.started

    def outgoing(self, client: int | None, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Change nothing."""
        del client
        return weights

    def observe(self, view: RecordView, generator: torch.Generator) -> None:
        """Let the generators learn from the global model."""
        if self.gan is not None:
            self.gan.observe(view, generator)

    def scores(self, view: RecordView, generator: torch.Generator) -> Scores:
        """Train the networks on what this round's model says of known records, and return their logits."""
        inside, made = self._members(view, generator)
        model = view.global_model if view.own_trained else shadow(view, self.facts, inside, generator)
        outside = self._others(len(inside.labels), generator)
        known = Images(torch.cat([inside.images, outside.images]), torch.cat([inside.labels, outside.labels]))
        vectors = logits(model, known.images).softmax(1)
        member = torch.arange(len(known.labels)) < len(inside.labels)
        made = torch.cat([made, torch.zeros(len(known.labels) - len(made), dtype=torch.bool)])
        order = torch.randperm(len(member), generator=generator)
        tested, learned = order.tensor_split([round(self.options.kept * len(order))])
        networks = fit(
            vectors[learned],
            known.labels[learned],
            member[learned],
            classes=self.facts.classes,
            options=self.options,
            generator=generator,
        )
        self._metrics = {
            "labels_without": float((~networks.known).sum()),
            "made": float(made.sum()),
            "others": float(len(outside.labels)),
        }
        found = networks.logits(asked(view).softmax(1).float(), self.question.records.labels)
        own = networks.logits(vectors[tested], known.labels[tested]).sigmoid()
        rehearsal = Rehearsal(values=own, member=member[tested], made=made[tested]) if len(tested) else None
        return Scores(values=found, marked=highest(found, self.question), rehearsal=rehearsal)

    def _others(self, members: int, generator: torch.Generator) -> Images:
        """Return the images that count as no members: all references, or so many for each member."""
        reference, others = self.question.reference, self.options.others
        if others is None:
            return reference
        return subset(reference, torch.randperm(len(reference.labels), generator=generator)[: round(others * members)])

    def _members(self, view: RecordView, generator: torch.Generator) -> tuple[Images, Tensor]:
        """Return the images that count as members, and which of them are made, bool [N]."""
        own = self.question.own
        if not view.own_trained:
            count = self.options.shadow_records or usual(self.facts, self.question)
            own = subset(own, torch.randperm(len(own.labels), generator=generator)[:count])
        if self.gan is None:
            return own, torch.zeros(len(own.labels), dtype=torch.bool)
        more = self.gan.images(view.global_model, self.options.enlarge, generator)
        images = Images(torch.cat([own.images, more.images]), torch.cat([own.labels, more.labels]))
        return images, torch.arange(len(images.labels)) >= len(own.labels)

    def metrics(self) -> dict[str, float]:
        """Return the generators' last loss; labels without a network; images made; others that it has learned from."""
        return (self.gan.metrics() if self.gan is not None else {}) | self._metrics

    def state_dict(self) -> dict[str, Tensor]:
        """Return the generators' state."""
        return self.gan.state_dict() if self.gan is not None else {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned."""
        if self.gan is not None:
            self.gan.load_state_dict(state)


@dataclass(frozen=True, kw_only=True, eq=False)
class Networks:
    """In / out networks of all labels.

    Attributes:
        parameters: float32 [K, outputs, hidden], [K, 1, hidden], [K, hidden, 1], [K, 1, 1].
        known: bool [K], which labels had members and others to learn from.

    """

    parameters: tuple[Tensor, Tensor, Tensor, Tensor]
    known: Tensor

    @torch.no_grad()
    def logits(self, vectors: Tensor, labels: Tensor) -> Tensor:
        """Return the logit float64 [N] of each prediction [N, outputs] by its label's network; else what is usual."""
        found = torch.zeros(len(labels), dtype=torch.float64)
        for label in self.known.nonzero().flatten().tolist():
            chosen = labels == label
            mine = tuple(parameter[label : label + 1] for parameter in self.parameters)
            found[chosen] = forward(mine, vectors[chosen][None]).squeeze(0).double()
        answered = self.known[labels]
        return found.where(answered, found[answered].median() if answered.any() else 0.0)


def fit(
    vectors: Tensor,
    labels: Tensor,
    member: Tensor,
    *,
    classes: int,
    options: Options,
    generator: torch.Generator,
    balanced: bool = False,
) -> Networks:
    """Train the in / out networks of all labels in one batch.

    Args:
        vectors: float32 [N, outputs], predictions.
        labels: int64 [N], whose network learns from each.
        member: bool [N].
        classes: K.
        options: of the networks.
        generator: of their first weights.
        balanced: whether members and others weigh the same, however many there are of each.

    """
    outputs, hidden = vectors.shape[1], options.hidden
    shapes = ((classes, outputs, hidden), (classes, 1, hidden), (classes, hidden, 1), (classes, 1, 1))
    bounds = (outputs, outputs, hidden, hidden)  # PyTorch's for a linear layer: 1 / sqrt(inputs)
    parameters = tuple(
        ((torch.rand(shape, generator=generator) * 2 - 1) / math.sqrt(bound)).requires_grad_()
        for shape, bound in zip(shapes, bounds, strict=True)
    )
    counts = labels.bincount(minlength=classes)
    longest = int(counts.max())
    padded, wanted = vectors.new_zeros(classes, longest, outputs), vectors.new_zeros(classes, longest)
    counted = vectors.new_zeros(classes, longest)
    for label in range(classes):
        mine, size = labels == label, int(counts[label])
        padded[label, :size], wanted[label, :size] = vectors[mine], member[mine].float()
        counted[label, :size] = 1 / max(1, size)
        few = int((mine & member).sum())
        if balanced and 0 < few < size:
            counted[label, :size] = torch.where(member[mine], 0.5 / few, 0.5 / (size - few))
    optimizer = torch.optim.Adam(parameters, lr=options.fit_lr)
    for _ in range(options.fit_steps):
        losses = functional.binary_cross_entropy_with_logits(forward(parameters, padded), wanted, reduction="none")
        optimizer.zero_grad(set_to_none=True)
        (losses * counted).sum().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
    inside = labels[member].bincount(minlength=classes)
    first, second, third, last = (parameter.detach() for parameter in parameters)
    return Networks(parameters=(first, second, third, last), known=(inside > 0) & (inside < counts))


def forward(parameters: tuple[Tensor, ...], vectors: Tensor) -> Tensor:
    """Return logits [K, N] of vectors [K, N, outputs]."""
    first, first_bias, second, second_bias = parameters
    hidden = (torch.bmm(vectors, first) + first_bias).relu()
    return (torch.bmm(hidden, second) + second_bias).squeeze(2)

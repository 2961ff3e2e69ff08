"""Threat models: what an attacker sees, and what an attack of each kind looks like.

An attack gets a view and nothing else. Private data of the others never is in one; they meet the loot only in the
judge, after the run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

from task.facts import Images


@dataclass(frozen=True, kw_only=True)
class ParticipantView:
    """What a participant sees in one round.

    Attributes:
        round: number of the round, from 1.
        global_model: the model that the server sent, frozen and in evaluation mode; not to be changed.
        own_data: the images that the participant draws from its own for this round; none for one that holds no data.
        accuracy: of that model on the server's test set, as the server announced it, in [0, 1].

    """

    round: int
    global_model: nn.Module
    own_data: Images
    accuracy: float


@dataclass(frozen=True, kw_only=True)
class ServerView:
    """What the server sees in one round, after the replies have come.

    Attributes:
        round: number of the round, from 1.
        last: whether the federation ends with this round.
        global_model: the model of the round's start, which everyone was sent but a client that the attack isolates;
            frozen and in evaluation mode; not to be changed.
        aggregate: the model that the round has made, likewise.
        updates: of each client whose reply is usable, what it sent minus what it was sent, float32 by parameter name;
            on the CPU.
        accuracy: of `global_model` on the server's test set, in [0, 1].
        auxiliary: the server's own data, its test set.
        published: of each client that trains on something else than its images, that, where the server can read it. No
            federation shows it to anybody: it is there for attacks that say that they read it (READS_PUBLISHED), which
            are upper bounds, and empty for all others.

    """

    round: int
    last: bool
    global_model: nn.Module
    aggregate: nn.Module
    updates: Mapping[int, Mapping[str, Tensor]]
    accuracy: float
    auxiliary: Images
    published: Mapping[int, Images] = field(default_factory=dict)


Defended = Callable[[Mapping[str, Tensor], nn.Module, Images, Images, torch.Generator], Mapping[str, Tensor]]
"""What a participant who defends itself sends, for an attacker who knows the defence: weights by name.

Of the global model's weights, the model that was made of them by training, the images that it was trained on, others of
the same kind that nobody has trained on, and all randomness.
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """Records whose membership the attacker is told; none of them is asked about.

    Attributes:
        records: the images, with their true labels.
        clients: int64 [L], of whom each is told.
        member: bool [L], whether that participant trains on it; else nobody does.

    """

    records: Images
    clients: Tensor
    member: Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """What a membership attacker is asked, the same in all rounds, and what it knows beforehand (docs/membership.md).

    Attributes:
        records: the images asked about, with their true labels; their order says nothing.
        clients: int64 [N], of whom each is asked: did this participant train on it?
        own: what the attacker holds itself. A participant that holds data trains on them; a server's are trained on by
            nobody.
        reference: images of the data set that nobody trains on, and that are not asked about.
        declared: labels that participants have declared to hold; empty where they hide them.
        members: how many of the records are members, which the attacker knows; None for half of them.
        known: records whose membership the attacker is told; None where it is told nothing.
        defended: how the participants in question defend themselves; None where they do not, or it does not know.

    """

    records: Images
    clients: Tensor
    own: Images
    reference: Images
    declared: Mapping[int, tuple[int, ...]]
    members: int | None = None
    known: Known | None = None
    defended: Defended | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class RecordView:
    """What a membership attacker sees in one round.

    Attributes:
        round: number of the round, from 1.
        accuracy: of `global_model` on the server's test set, in [0, 1].
        question: what is asked.
        global_model: the model of the round's start, frozen and in evaluation mode; not to be changed.
        model_of: returns, likewise, the model that tells most of a participant: for a server the one that it has sent
            (the aggregate, if it has not), for a participant the global model, whoever is meant.
        own_trained: whether `global_model` has learned from `question.own`: a participant's, not a server's.

    """

    round: int
    accuracy: float
    question: Question
    global_model: nn.Module
    model_of: Callable[[int], nn.Module]
    own_trained: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Rehearsal:
    """What an attacker has tested by itself, on records of which it knows the truth without being told.

    Attributes:
        values: float64 [M], scores.
        member: bool [M], what they are.
        made: bool [M], which were made by a generator.

    """

    values: Tensor
    member: Tensor
    made: Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """What a membership attack answers.

    Attributes:
        values: float64 [N], **higher = more likely a member**; finite.
        marked: bool [N], which the attack itself would call members.
        rehearsal: what it has tested by itself; None for most.

    """

    values: Tensor
    marked: Tensor
    rehearsal: Rehearsal | None = None


class MembershipAttack(Protocol):
    """Tells who was in the training data, as a participant or as the server.

    A module of `attacks` with `VIEW = RecordView`, a dataclass `Options` and a function
    `build(options, facts, question, generator)` that returns one of these is found by its name.
    """

    @property
    def started(self) -> bool:
        """Whether it has an answer."""
        ...

    def outgoing(self, client: int | None, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Return what is sent in place of weights: by the server to a client, by a participant (client None) to it.

        That very mapping to change nothing.
        """
        ...

    def observe(self, view: RecordView, generator: torch.Generator) -> None:
        """Look at one round."""
        ...

    def scores(self, view: RecordView, generator: torch.Generator) -> Scores:
        """Answer the question, by what this round's view and those before have shown."""
        ...

    def metrics(self) -> dict[str, float]:
        """Return what the attacker itself knows of its progress."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """Return all that must survive until the next round, by name."""
        ...

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned."""
        ...


class ParticipantAttack(Protocol):
    """A malicious participant.

    A module of `attacks` with `VIEW = ParticipantView`, a dataclass `Options` and a function
    `build(options, facts, generator)` that returns one of these is found by its name.
    """

    @property
    def started(self) -> bool:
        """Whether the attack has begun."""
        ...

    def observe(self, view: ParticipantView, generator: torch.Generator) -> Images:
        """Look at one round and return what to train on; nothing means: send the global model back unchanged."""
        ...

    def loot(self, count: int, generator: torch.Generator) -> Images:
        """Return `count` stolen images for each target, labelled with the target; none before the start."""
        ...

    def metrics(self) -> dict[str, float]:
        """Return what the attacker itself knows of its progress in the last round."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """Return all that must survive until the next round, by name."""
        ...

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned."""
        ...


class ServerAttack(Protocol):
    """A malicious server.

    A module of `attacks` with `VIEW = ServerView`, a dataclass `Options` and a function
    `build(options, facts, generator)` that returns one of these is found by its name.
    """

    @property
    def started(self) -> bool:
        """Whether the attack has begun."""
        ...

    @property
    def isolated(self) -> tuple[int, ...]:
        """Clients that train apart from the others: their updates do not enter the global model."""
        ...

    def outgoing(self, client: int, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Return what a client is sent in place of the global model's weights; that very mapping to change nothing."""
        ...

    def observe(self, view: ServerView, generator: torch.Generator) -> None:
        """Look at one round."""
        ...

    def loot(self, count: int, generator: torch.Generator) -> Images:
        """Return `count` stolen images for each category, labelled with it; none before the start."""
        ...

    def control(self, count: int, generator: torch.Generator) -> Images:
        """Return the same for "not the victim", which must not look like the victim's; none where there is no such."""
        ...

    def not_owned(self, count: int, generator: torch.Generator) -> Images:
        """Return the same of categories that the victim does not seem to hold, which must show none of it; or none."""
        ...

    def representatives(self) -> Mapping[int, Images]:
        """Return what the last round's updates gave away of each client's images; empty where that is not tried."""
        ...

    def metrics(self) -> dict[str, float]:
        """Return what the attacker itself knows of its progress in the last round."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """Return all that must survive until the next round, by name."""
        ...

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned."""
        ...

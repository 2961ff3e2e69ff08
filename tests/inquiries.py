"""Membership attackers without a federation: models that know some digits by heart, and what is asked of them."""

import functools

import torch
from torch import nn

from attacks.asking import same_for_all
from attacks.posing import pose
from attacks.views import Question, RecordView
from task import models
from task.datasets import load, to_float
from task.facts import Images, TaskFacts
from task.membership import Asked, ask
from task.partitions import held
from task.questions import MembershipSettings
from task.seeding import generator
from task.settings import OptimizerSettings, PartitionSettings, TaskSettings
from task.training import make_optimizer, train

FACTS = TaskFacts(
    shape=(1, 8, 8),
    classes=10,
    outputs=10,
    model="digits-cnn",
    clients=4,
    optimizer=OptimizerSettings(lr=0.1),
    batch_size=16,
    local_epochs=30,
)
SETTINGS = MembershipSettings(about=(0, 1, 2), others=(), records=90, reference=120, known=30)
TASK = TaskSettings(dataset="digits", model="digits-cnn", partition=PartitionSettings(kind="iid", images=40))
ATTACKER, SEED = 3, 0


@functools.cache
def holding() -> dict[int, torch.Tensor]:
    """Return who holds what: 40 digits each."""
    return held(load("digits"), TASK, FACTS.clients, SEED)


def own() -> Images:
    """Return what the attacker holds."""
    digits, mine = load("digits"), holding()[ATTACKER]
    return Images(to_float(digits.train.images[mine]), digits.train.labels[mine])


def truth(settings: MembershipSettings = SETTINGS) -> Asked:
    """Return the truth, which no attack sees."""
    return ask(load("digits"), settings, holding(), SEED)


def question(settings: MembershipSettings = SETTINGS) -> Question:
    """Return what the attacker is asked."""
    return pose(load("digits"), settings, holding(), own(), SEED)


@functools.cache
def start(epochs: int = 4) -> nn.Module:
    """Return a global model that has seen what everyone holds, a few times; with 0 epochs, nothing."""
    return _learned(None, torch.cat(list(holding().values())), epochs, "start")


@functools.cache
def sent(client: int) -> nn.Module:
    """Return the model of a participant who has trained the global one on its own digits until it knows them."""
    return _learned(start(), holding()[client], FACTS.local_epochs, f"client {client}")


@functools.cache
def drawn() -> dict[int, torch.Tensor]:
    """Return other holdings: each has half of what is asked about it, by lot, whatever the truth says."""
    found, lot = truth(), generator(SEED, "lot")
    parts = {client: found.image[found.client == client] for client in (0, 1, 2)}
    halves = {
        client: part[torch.randperm(len(part), generator=lot)[: len(part) // 2]] for client, part in parts.items()
    }
    return halves | {ATTACKER: holding()[ATTACKER]}


@functools.cache
def start_of_drawn() -> nn.Module:
    """Return a global model that has seen what everyone has by lot."""
    return _learned(None, torch.cat(list(drawn().values())), 4, "start of drawn")


@functools.cache
def sent_of_drawn(client: int) -> nn.Module:
    """Return the model of a participant who has learned by heart what it has by lot."""
    return _learned(start_of_drawn(), drawn()[client], FACTS.local_epochs, f"client {client}")


def shuffled(*, server: bool) -> RecordView:
    """Return a round of models that know half of the records by heart, of members as of others."""
    model = start_of_drawn()
    return RecordView(
        round=1,
        accuracy=0.9,
        question=question(),
        global_model=model,
        model_of=sent_of_drawn if server else same_for_all(model),
        own_trained=not server,
    )


def view(*, server: bool, server_round: int = 1, untrained: bool = False) -> RecordView:
    """Return one round, at the server or at a participant; `untrained`: of models that were trained on nothing."""
    global_model = start(0) if untrained else start()
    return RecordView(
        round=server_round,
        accuracy=0.9,
        question=question(),
        global_model=global_model,
        model_of=sent if server and not untrained else same_for_all(global_model),
        own_trained=not server,
    )


def _learned(before: nn.Module | None, indices: torch.Tensor, epochs: int, name: str) -> nn.Module:
    """Return a model trained on these digits, frozen."""
    digits = load("digits")
    model = models.build(FACTS.model, FACTS.shape, FACTS.outputs, generator(SEED, "model"))
    if before is not None:
        model.load_state_dict(before.state_dict())
    train(
        model,
        to_float(digits.train.images[indices]),
        digits.train.labels[indices],
        optimizer=make_optimizer(model, FACTS.optimizer),
        batch_size=FACTS.batch_size,
        epochs=epochs,
        generator=generator(SEED, name),
    )
    return model.eval().requires_grad_(requires_grad=False)

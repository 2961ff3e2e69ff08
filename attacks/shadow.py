"""Shadow models: what a participant who holds other records would send, made by an attacker who holds those.

Shokri, Stronati, Song, Shmatikov: Membership Inference Attacks against Machine Learning Models (2017), section V-C; one
shadow, trained from the current global model as a participant's local round is. Of it the attacker knows the members.
"""

import torch
from torch import nn

from attacks.views import Defended, Question, RecordView
from task import models
from task.facts import Images, TaskFacts
from task.models import weights
from task.training import make_optimizer, train


def usual(facts: TaskFacts, question: Question) -> int:
    """Return how many records a server trains a shadow on: as many as a participant does, if it has such references."""
    references = len(question.reference.labels)
    return references if facts.images is None else min(facts.images, references)


def shadow(
    view: RecordView,
    facts: TaskFacts,
    inside: Images,
    generator: torch.Generator,
    *,
    spare: Images | None = None,
    defended: Defended | None = None,
) -> nn.Module:
    """Return what a participant who holds `inside` would send.

    Args:
        view: the round, whose global model it begins with.
        facts: of the task.
        inside: the records to train on.
        generator: all randomness.
        spare: others for the defence to compare with.
        defended: what a participant who defends itself sends; None for one that does not.

    """
    model = models.build(facts.model, facts.shape, facts.outputs, torch.Generator())
    before = weights(view.global_model)
    model.load_state_dict(before)
    train(
        model,
        inside.images,
        inside.labels,
        optimizer=make_optimizer(model, facts.optimizer),
        batch_size=facts.batch_size,
        epochs=facts.local_epochs,
        generator=generator,
    )
    model.eval().requires_grad_(requires_grad=False)
    if defended is not None and spare is not None:
        model.load_state_dict(dict(defended(before, model, inside, spare, generator)))
    return model

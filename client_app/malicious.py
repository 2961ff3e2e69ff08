"""A malicious participant: lets an attack decide what to train on, and keeps the loot on its own disk."""

import dataclasses
from pathlib import Path

from flwr.app import Context

from attacks.registry import asks, participant_attack
from attacks.views import ParticipantView
from client_app import inquiring
from client_app.participant import Participant
from client_app.state import load_state, save_state
from client_app.update import Received, Update, local_round
from task.files import append_line
from task.runs import keep_arrays


def train(participant: Participant, received: Received, context: Context) -> Update:
    """Show the round to the attack, train on what it asks for, keep the loot; for a membership attack see inquiring."""
    behaviour = participant.behaviour
    if asks(behaviour["attack"]):
        return inquiring.train(participant, received, context)
    attack = participant_attack(
        behaviour["attack"], behaviour["options"], participant.facts, participant.randomness("attack")
    )
    state = load_state(context, "attack")
    if state:
        attack.load_state_dict(state)
    model = received.model(participant).eval().requires_grad_(requires_grad=False)
    own = participant.draw(received.round)
    view = ParticipantView(round=received.round, global_model=model, own_data=own, accuracy=received.accuracy)
    images = attack.observe(view, participant.randomness("attack", received.round))
    update = local_round(participant, received, images, load_state(context, "optimizer"))
    save_state(context, "optimizer", update.optimizer)
    save_state(context, "attack", attack.state_dict())
    folder = Path(behaviour["loot"])
    line = {"round": received.round, "started": attack.started, "accuracy": received.accuracy, **attack.metrics()}
    append_line(folder / "attack.jsonl", line)
    if attack.started and (received.round % behaviour["loot_every"] == 0 or received.round == participant.rounds):
        loot = attack.loot(behaviour["loot_images"], participant.randomness("loot", received.round))
        path = folder / f"samples-round-{received.round:04d}.npz"
        keep_arrays(path, images=loot.images, labels=loot.labels)
    return dataclasses.replace(update, examples=_claim(participant))


def _claim(participant: Participant) -> int:
    """Return the examples to claim: as many as an honest participant would, so that no weight is bought."""
    task, holders = participant.task, participant.task.partition.holders or ()
    held = task.partition.images or len(participant.dataset.train.labels) // max(1, len(holders))
    return max(1, min(held, task.images_per_round or held))

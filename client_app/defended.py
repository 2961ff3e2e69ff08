"""A defended participant: trains on what a defence publishes in place of its images, or sends the update changed.

A defence that acts on the data is fitted before the participant's first round. What it publishes is kept in Flower's
context and on the participant's own disk, and made anew only when the settings or the images change, or every `refresh`
rounds. The fit is part of the round, whose timeout must leave room for it. Where it fails, the server gets the error
and no update: real images are never a fall-back.
"""

import dataclasses
import logging
import time
from pathlib import Path

from flwr.app import Context, Message
from torch import Tensor

from client_app import flower_mods, publishing
from client_app.participant import Participant
from client_app.publishing import STATE
from client_app.state import load_state, save_state
from client_app.update import Received, Update, local_round
from defenses import registry
from defenses.protocols import DataDefense, Trained
from task.files import append_line
from task.runs import keep_arrays
from task.settings import choose

KINDS = (registry.DATA, *registry.BEFORE_SENDING, registry.REPLY)  # the last is for let_go
log = logging.getLogger("flwr.oleander")  # Flower's handler writes it into the participant's log


def train(participant: Participant, received: Received, context: Context) -> Update:
    """Take part in a round as the defence allows.

    Raises:
        SettingsError: for an unknown defence, before anything is trained.

    """
    name = participant.behaviour["defense"]
    acts_on = choose(registry.module(name).ACTS_ON, KINDS, f"what {name} acts on")
    if acts_on == registry.DATA:
        images = participant.pick(_defense(participant, received.round, context).published, received.round)
        update = local_round(participant, received, images, load_state(context, "optimizer"))
    else:
        update = local_round(participant, received, participant.draw(received.round), load_state(context, "optimizer"))
        if acts_on in registry.BEFORE_SENDING:
            update = dataclasses.replace(update, weights=_protected(participant, received, update))
    save_state(context, "optimizer", update.optimizer)
    return update


def let_go(participant: Participant, server_round: int, message: Message, context: Context, reply: Message) -> Message:
    """Return a participant's reply as a defence that acts on the whole of it lets it go; anybody else's as it is."""
    defense = participant.behaviour.get("defense")
    if defense is None or defense not in registry.names(registry.REPLY):
        return reply
    draws = participant.randomness(STATE, server_round)
    return flower_mods.add_local_noise(participant.behaviour["options"], draws, message, context, reply)


def _protected(participant: Participant, received: Received, update: Update) -> dict[str, Tensor]:
    """Return the weights to send in place of those of an update; note what is known of what that does."""
    began, behaviour = time.monotonic(), participant.behaviour
    model = participant.model()
    model.load_state_dict(update.weights)
    trained = Trained(
        before=received.weights,
        model=model.eval().requires_grad_(requires_grad=False),
        own=participant.held(),
        spare=participant.spare(),
    )
    draws = (participant.randomness(STATE), participant.randomness(STATE, received.round))
    sent = registry.sent(behaviour["defense"], behaviour["options"], participant.facts, trained, draws)
    if sent.metrics:
        seconds = round(time.monotonic() - began, 3)
        line = {"round": received.round, "seconds": seconds, **sent.metrics}
        append_line(Path(behaviour["published"]) / "fit.jsonl", line)
    return sent.weights


def _defense(participant: Participant, server_round: int, context: Context) -> DataDefense:
    """Return the fitted defence: from the context, if nothing has changed since."""
    behaviour, refresh = participant.behaviour, participant.behaviour.get("refresh")
    defense = registry.data_defense(
        behaviour["defense"], behaviour["options"], participant.facts, participant.randomness(STATE)
    )
    turn = (server_round - 1) // refresh if refresh else 0
    name, began = f"{behaviour['defense']} of participant {participant.client}", time.monotonic()
    fitted = publishing.fit(
        defense,
        participant.held(),
        [behaviour["defense"], behaviour["options"], turn, participant.seed, participant.client],
        context,
        device=participant.device,
        draws=lambda: participant.randomness(STATE, "fit", turn),
        progress=lambda text: log.info("%s: %s", name, text),
    )
    if not fitted:
        return defense
    folder, shown = Path(behaviour["published"]), defense.published
    keep_arrays(folder / "published.npz", images=shown.images, labels=shown.labels, genuine=defense.genuine)
    seconds = round(time.monotonic() - began, 3)
    append_line(folder / "fit.jsonl", {"round": server_round, "seconds": seconds, **defense.metrics()})
    return defense

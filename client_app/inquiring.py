"""A participant that is asked about records: takes part like anybody else, looks at the global models, and answers."""

import dataclasses
from pathlib import Path

from flwr.app import Context

from attacks.asking import files, same_for_all
from attacks.posing import inquiry, pose
from attacks.views import Question, RecordView
from client_app.participant import Participant
from client_app.state import load_state, save_state
from client_app.update import Received, Update, local_round
from defenses import registry
from task.files import append_line
from task.partitions import held, reserved
from task.questions import MembershipSettings
from task.runs import keep_arrays
from task.settings import parse


def train(participant: Participant, received: Received, context: Context) -> Update:
    """Show the round to the attack, train on the participant's own data, send what the attack makes of it."""
    behaviour = participant.behaviour
    settings = parse(MembershipSettings, behaviour["membership"], "membership")
    question = ask(participant, settings)
    inquired = inquiry(
        behaviour["attack"],
        behaviour["options"],
        question,
        settings=settings,
        facts=participant.facts,
        generator=participant.randomness("attack"),
    )
    attack, number = inquired.attack, received.round
    state = load_state(context, "attack")
    if state:
        attack.load_state_dict(state)
    model = received.model(participant).eval().requires_grad_(requires_grad=False)
    view = RecordView(
        round=number,
        accuracy=received.accuracy,
        question=question,
        global_model=model,
        model_of=same_for_all(model),
        own_trained=True,
    )
    attack.observe(view, participant.randomness("attack", number))
    folder = Path(behaviour["loot"])
    if number % behaviour["loot_every"] == 0 or number == participant.rounds:
        found = inquired.scores(view, lambda name: participant.randomness("scores", name, number))
        for name, arrays in files(found, number).items():
            keep_arrays(folder / name, **arrays)
    update = local_round(participant, received, participant.draw(number), load_state(context, "optimizer"))
    save_state(context, "optimizer", update.optimizer)
    weights = dict(attack.outgoing(None, update.weights))
    save_state(context, "attack", attack.state_dict())
    line = {"round": number, "started": attack.started, "accuracy": received.accuracy, **attack.metrics()}
    append_line(folder / "attack.jsonl", line)
    return dataclasses.replace(update, weights=weights)


def ask(participant: Participant, settings: MembershipSettings) -> Question:
    """Return what the participant is asked."""
    holding = held(participant.dataset, participant.task, participant.clients, participant.seed)
    apart = reserved(participant.dataset, participant.task, participant.clients, participant.seed)
    return pose(
        participant.dataset,
        settings,
        holding,
        participant.held(),
        participant.seed,
        apart=apart,
        defended=registry.rehearsed(settings.defended, participant.facts),
    )

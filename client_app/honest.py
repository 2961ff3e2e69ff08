"""An honest participant: one local round on its own data."""

from flwr.app import Context

from client_app.participant import Participant
from client_app.state import load_state, save_state
from client_app.update import Received, Update, local_round


def train(participant: Participant, received: Received, context: Context) -> Update:
    """Train the global model on the participant's own images."""
    images = participant.draw(received.round)
    update = local_round(participant, received, images, load_state(context, "optimizer"))
    save_state(context, "optimizer", update.optimizer)
    return update

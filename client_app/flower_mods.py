"""Flower's own mods for differential privacy: clipping that the server asks for, and a participant's local privacy.

They do their work as they are, on a reply that is there already. Around them, two things that Flower 1.39 leaves open:
an update of norm 0 would be a division by zero, and their noise is NumPy's global generator's, which for their time is
the participant's own, or if it is to be `secret` the operating system's.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from flwr.app import Context, Message
from flwr.clientapp.mod import LocalDpMod, adaptiveclipping_mod
from flwr.clientapp.typing import ClientAppCallable

from defenses import local_dp
from task.plugins import options
from task.seeding import numpy_from

NORM, BIT = "clipping_norm", "norm_bit"
"""What Flower's wrappers send, and what the adaptive one wants back in the metrics: 1 where an update was clipped."""


def clip_as_asked(message: Message, context: Context, call_next: ClientAppCallable) -> Message:
    """Clip an update where the server's strategy is one of Flower's that leave it to the participants.

    The adaptive mod clips as the fixed one does, and says whether it had to, which the fixed wrapper does not look at.
    """
    asked = any(NORM in config for config in message.content.config_records.values())
    reply = call_next(message, context)
    if not asked or reply.has_error():
        return reply
    (sent,), (returned,) = message.content.array_records.values(), reply.content.array_records.values()
    if all(np.array_equal(sent[name].numpy(), array.numpy()) for name, array in returned.items()):
        next(iter(reply.content.metric_records.values()))[BIT] = 0
        return reply
    return adaptiveclipping_mod(message, context, lambda *_: reply)


def add_local_noise(
    values: Mapping[str, Any], draws: torch.Generator, message: Message, context: Context, reply: Message
) -> Message:
    """Return a reply as Flower's LocalDpMod lets it go.

    Args:
        values: of the options of the defence `local-dp`.
        draws: all randomness, unless that is to be secret.
        message: the server's question.
        context: the node's.
        reply: the app's answer.

    """
    chosen: local_dp.Options = options(local_dp, values, "clients.options")
    norm = np.float64(chosen.norm)  # which divides by zero
    mod = LocalDpMod(norm, chosen.moves, chosen.epsilon, chosen.delta)
    with numpy_from(None if chosen.secret else draws), np.errstate(divide="ignore"):
        return mod(message, context, lambda *_: reply)

"""Defences of this project for anybody's Flower app, as a mod: one line.

app = ClientApp(mods=[ProtectUpdate("clip-and-noise", {"norm": 1.0, "noise_multiplier": 0.5})])
"""

import secrets
from collections.abc import Mapping
from typing import Any

import torch
from flwr.app import ArrayRecord, Context, Message, MessageType
from flwr.clientapp.typing import ClientAppCallable

from defenses import registry
from task.seeding import generator
from task.settings import expect


class ProtectUpdate:
    """Puts a defence that acts on the update between a ClientApp and the server, in messages that ask it to train.

    The update is what the app returns minus what it was sent, by name, in one ArrayRecord each; what is not floating
    point (a batch norm's counter) goes as it is, and so do the metrics beside it. If the defence refuses, or the
    records do not fit, the error is raised, and Flower tells the server of it in place of the update.

    Args:
        name: of the defence, see `oleander list defenses`.
        options: of the defence.
        seed: of its randomness, for experiments, together with the node's id and the round that the server sends; None
            takes a fresh one from the operating system for every message, which nobody else knows.

    Raises:
        SettingsError: for an unknown defence, one that acts on something else, or wrong options.

    """

    def __init__(self, name: str, options: Mapping[str, Any], seed: int | None = None) -> None:
        self.defense = registry.update_defense(name, options, None, torch.Generator())
        self.seed = seed

    def __call__(self, message: Message, context: Context, call_next: ClientAppCallable) -> Message:
        """Let the app answer, and protect its answer."""
        if message.metadata.message_type.partition(".")[0] != MessageType.TRAIN:
            return call_next(message, context)
        _, received = _only(message)
        before = received.to_torch_state_dict()  # read first: the app may take the record apart
        draws = self._randomness(message, context)
        reply = call_next(message, context)
        if reply.has_error():
            return reply
        key, returned = _only(reply)
        after = returned.to_torch_state_dict()
        expect(after.keys() == before.keys(), f"the arrays {sorted(before)} in the reply", sorted(after))
        update = {name: after[name] - tensor for name, tensor in before.items() if tensor.is_floating_point()}
        allowed = self.defense.protect(update, draws)
        sent = {name: before[name] + allowed[name] if name in allowed else tensor for name, tensor in after.items()}
        reply.content[key] = ArrayRecord(sent)
        return reply

    def _randomness(self, message: Message, context: Context) -> torch.Generator:
        """Return the randomness of one message."""
        if self.seed is None:
            return torch.Generator().manual_seed(secrets.randbits(63))
        configs = message.content.config_records.values()
        rounds = [config["server-round"] for config in configs if "server-round" in config]
        expect(bool(rounds), "the server to send its round as server-round", "none", "Or leave out the seed.")
        return generator(self.seed, "mod", context.node_id, int(str(rounds[0])))


def _only(message: Message) -> tuple[str, ArrayRecord]:
    """Return the one record of arrays in a message, and its name."""
    records = message.content.array_records
    expect(len(records) == 1, "one record of arrays in a message", sorted(records), "Send all arrays in one.")
    return next(iter(records.items()))

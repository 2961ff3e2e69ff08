"""The ClientApp: answers who it is, and trains as its role says."""

import time
from collections.abc import Callable

import torch
from flwr.app import ConfigRecord, Context, Message, RecordDict
from flwr.clientapp import ClientApp

from client_app import defended, flower_mods, honest, malicious, participant
from client_app.update import Received, Update
from task.settings import choose

ROLES: dict[str, Callable[[participant.Participant, Received, Context], Update]] = {
    "honest": honest.train,
    "malicious": malicious.train,
    "defended": defended.train,
}

app = ClientApp(mods=[flower_mods.clip_as_asked])


class Stranger(Exception):  # noqa: N818 - it names what happened
    """The server takes this node for another participant, or for one that does something else."""


@app.query()
def identify(message: Message, context: Context) -> Message:
    """Tell the server which participant this node is, on what it trains, and between hosts what its part is.

    That is a fingerprint of its role, attack, defence and their options, which says to a server that knows the scenario
    whether they agree; on one machine the role is a node's own business.

    Raises:
        Stranger: if the server knows the node's key as another participant's, or wants of it what it does not do.

    """
    client, part = int(context.node_config["partition-id"]), str(context.node_config.get("part", ""))
    for asked in message.content.config_records.values():
        known = asked.get("partition-id", client)
        if known != client:
            raise Stranger(
                f"Expected the key of client {client}, got the one that the server knows as client {known!r}'s. Start "
                "the node with its own folder of certificates."
            )
        if part and asked.get("part", part) != part:
            raise Stranger(
                f"Expected of client {client} what it does in the server's scenario, got another role, attack, defence "
                "or option here. Start it with the SCENARIO and the --set of the line that the server has printed."
            )
    answer = ConfigRecord({"partition-id": client, "device": participant.device(context)})
    if part:
        answer["part"] = part
    return Message(RecordDict({"config": answer}), reply_to=message)


@app.train()
def train(message: Message, context: Context) -> Message:
    """Take part in one round."""
    # One thread: sums are taken in the same order on every engine, and many participants share the cores.
    torch.set_num_threads(1)
    began = time.monotonic()
    received = Received.read(message)
    who = participant.read(context)
    update = ROLES[choose(who.behaviour["role"], ROLES, "a role")](who, received, context)
    reply = update.reply(message, seconds=time.monotonic() - began)
    return defended.let_go(who, received.round, message, context, reply)

"""A defence as a mod in somebody else's ClientApp: a working example, and what it refuses."""

from typing import Any

import pytest
import torch
from flwr.app import ArrayRecord, ConfigRecord, Context, Error, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from messages import take_identity

from client_app.mods import ProtectUpdate
from task.settings import SettingsError

BEFORE = {"weight": torch.tensor([1.0, 1.0]), "batches": torch.tensor(4)}
OPTIONS = {"norm": 1.0, "noise_multiplier": 0.0}


def their_app(mod: ProtectUpdate, returned: dict[str, torch.Tensor] | None = None) -> ClientApp:
    """Return an app that knows nothing of this project: it adds (3, 4) to its weights and counts a batch."""
    app = ClientApp(mods=[mod])

    @app.train()
    def train(message: Message, context: Context) -> Message:
        del context
        arrays = message.content.array_records.pop("arrays").to_torch_state_dict()
        trained = {"weight": arrays["weight"] + torch.tensor([3.0, 4.0]), "batches": arrays["batches"] + 1}
        content = {"arrays": ArrayRecord(returned or trained), "metrics": MetricRecord({"num-examples": 7})}
        return Message(RecordDict(content), reply_to=message)

    @app.evaluate()
    def evaluate(message: Message, context: Context) -> Message:
        del context
        return Message(RecordDict({"metrics": MetricRecord({"accuracy": 0.5})}), reply_to=message)

    return app


def ask(app: ClientApp, kind: str = "train", node: int = 5, config: dict[str, Any] | None = None) -> Message:
    """Send the app a message as Flower's strategies do."""
    take_identity()
    content = {
        "arrays": ArrayRecord(dict(BEFORE)),
        "config": ConfigRecord({"server-round": 3} if config is None else config),
    }
    message = Message(RecordDict(content), node, kind)
    message.metadata.__dict__["_message_id"] = "1"
    return app(message, Context(run_id=1, node_id=node, node_config={}, state=RecordDict(), run_config={}))


def weight(reply: Message) -> torch.Tensor:
    """Return the weight that the app sent."""
    return reply.content.array_records["arrays"].to_torch_state_dict()["weight"]


def test_one_line_protects_somebody_else_s_app() -> None:
    """An update of (3, 4) has the norm 5: (0.6, 0.8) is sent. The counter and the metrics go as they are."""
    reply = ask(their_app(ProtectUpdate("clip-and-noise", OPTIONS)))
    torch.testing.assert_close(weight(reply), torch.tensor([1.6, 1.8]))
    assert reply.content.array_records["arrays"].to_torch_state_dict()["batches"] == 5
    assert reply.content.metric_records["metrics"]["num-examples"] == 7


def test_other_messages_pass() -> None:
    """A request to evaluate is answered as without the mod."""
    reply = ask(their_app(ProtectUpdate("clip-and-noise", OPTIONS)), "evaluate")
    assert reply.content.metric_records["metrics"]["accuracy"] == 0.5


def test_the_noise_is_fresh_unless_it_has_a_seed() -> None:
    """With a seed it depends on that, on the node and on the round alone."""
    noisy = OPTIONS | {"noise_multiplier": 1.0}

    def sent(seed: int | None, node: int = 5) -> list[float]:
        return weight(ask(their_app(ProtectUpdate("clip-and-noise", noisy, seed)), node=node)).tolist()

    assert sent(1) == sent(1)
    assert sent(1) != sent(2)
    assert sent(1) != sent(1, node=6)
    assert sent(None) != sent(None)


def test_an_app_s_own_error_passes() -> None:
    """There is nothing to protect in it."""
    app = ClientApp(mods=[ProtectUpdate("clip-and-noise", OPTIONS)])
    app.train()(lambda message, _: Message(Error(code=2, reason="out of memory"), reply_to=message))
    assert ask(app).error.reason == "out of memory"


def test_what_cannot_be_protected_is_not_sent() -> None:
    """Arrays of other names, an update that is not finite, a seed without a round."""
    mod = ProtectUpdate("clip-and-noise", OPTIONS)
    with pytest.raises(SettingsError, match=r"the arrays \['batches', 'weight'\] in the reply, got \['other'\]"):
        ask(their_app(mod, {"other": torch.zeros(2)}))
    with pytest.raises(FloatingPointError, match="finite norm"):
        ask(their_app(mod, BEFORE | {"weight": torch.tensor([1.0, torch.nan])}))
    with pytest.raises(SettingsError, match="its round as server-round"):
        ask(their_app(ProtectUpdate("clip-and-noise", OPTIONS, 1)), config={})


def test_wrong_requests_are_refused_when_the_app_is_made() -> None:
    """Not in the first round."""
    with pytest.raises(SettingsError, match="a defence that acts on the update"):
        ProtectUpdate("anti-gan", {})
    with pytest.raises(SettingsError, match="norm > 0"):
        ProtectUpdate("clip-and-noise", OPTIONS | {"norm": 0.0})

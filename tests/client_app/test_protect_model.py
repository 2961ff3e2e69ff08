"""A defence of the trained model as a mod in somebody else's ClientApp: a working example, and what it refuses."""

import inquiries
import pytest
import torch
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from messages import take_identity

from client_app.mods import ProtectModel
from task import models
from task.datasets import load, to_float
from task.models import weights
from task.settings import SettingsError
from task.training import logits

QUICK = {"steps": 20, "lr": 0.02}


def context() -> Context:
    """Return an empty context."""
    return Context(run_id=1, node_id=5, node_config={}, state=RecordDict(), run_config={})


def trained_app(mod: ProtectModel, learned: dict[str, torch.Tensor]) -> ClientApp:
    """Return an app that knows nothing of this project and answers with this model."""
    app = ClientApp(mods=[mod])

    @app.train()
    def train(message: Message, context: Context) -> Message:
        del context
        content = {"arrays": ArrayRecord(learned), "metrics": MetricRecord({"num-examples": 40})}
        return Message(RecordDict(content), reply_to=message)

    return app


def records() -> tuple[tuple[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """Return forty digits that participant 0 knows by heart, and forty that it has not seen."""
    digits, spare = load("digits").train, inquiries.truth().reference[:40]
    mine, others = ((to_float(digits.images[one]), digits.labels[one]) for one in (inquiries.holding()[0], spare))
    return mine, others


def ask_model(mod: ProtectModel) -> dict[str, torch.Tensor]:
    """Return what an app sends that has trained participant 0's model."""
    take_identity()
    content = {"arrays": ArrayRecord(weights(inquiries.start())), "config": ConfigRecord({"server-round": 1})}
    message = Message(RecordDict(content), 5, "train")
    message.metadata.__dict__["_message_id"] = "1"
    reply = trained_app(mod, weights(inquiries.sent(0)))(message, context())
    return reply.content.array_records["arrays"].to_torch_state_dict()


def network(_: Context) -> torch.nn.Sequential:
    """Return the shared model's architecture."""
    return models.build("digits-cnn", (1, 8, 8), 10, torch.Generator())


def test_a_defence_of_the_model_is_one_line_too() -> None:
    """DefMIA changes the last layer and nothing else, and keeps what is answered to the app's own records."""
    sent = ask_model(ProtectModel("def-mia", QUICK, network, lambda _: records()))
    learned = weights(inquiries.sent(0))
    changed = {name for name, tensor in sent.items() if not torch.equal(tensor, learned[name])}
    last = max(int(name.partition(".")[0]) for name in learned)
    assert changed == {f"{last}.weight", f"{last}.bias"}
    model = network(context())
    model.load_state_dict(sent)
    images = records()[0][0]
    assert torch.equal(logits(model, images).argmax(1), logits(inquiries.sent(0), images).argmax(1))


def test_a_model_that_cannot_be_protected_is_not_sent() -> None:
    """A defence of something else, a network without a last layer, nothing to compare with, labels it has not."""
    with pytest.raises(SettingsError, match="a defence that acts on the model"):
        ProtectModel("clip-and-noise", {"norm": 1.0, "noise_multiplier": 0.0}, network, lambda _: records())
    with pytest.raises(SettingsError, match=r"ends in an nn\.Linear, got 'ReLU'"):
        ask_model(ProtectModel("def-mia", QUICK, lambda _: torch.nn.Sequential(torch.nn.ReLU()), lambda _: records()))
    mine, others = records()
    with pytest.raises(SettingsError, match="images from `load`, got 'none'"):
        ask_model(ProtectModel("def-mia", QUICK, network, lambda _: (mine, (others[0][:0], others[1][:0]))))
    with pytest.raises(SettingsError, match="labels from 0 to 9"):
        ask_model(ProtectModel("def-mia", QUICK, network, lambda _: ((mine[0], mine[1] + 9), others)))


def test_a_network_of_one_layer_will_do() -> None:
    """Nothing stands before the last layer that has weights."""
    flat = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    trained = ProtectModel("def-mia", QUICK, lambda _: flat, lambda _: records())
    before = {name: tensor.clone() for name, tensor in flat.state_dict().items()}
    sent = trained._sent(before, before, context(), torch.Generator())  # noqa: SLF001
    assert {name: tensor.shape for name, tensor in sent.items()} == {"1.weight": (10, 64), "1.bias": (10,)}


def test_one_that_finds_nothing_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """A bound that allows nothing: the model goes as it is, with a warning."""
    with caplog.at_level("WARNING", "flwr.oleander"):
        sent = ask_model(ProtectModel("def-mia", QUICK | {"loss_bound": 1e-12}, network, lambda _: records()))
    assert all(torch.equal(tensor, weights(inquiries.sent(0))[name]) for name, tensor in sent.items())
    assert "The model goes as it is" in caplog.text

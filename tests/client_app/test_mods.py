"""A defence as a mod in somebody else's ClientApp: a working example, and what it refuses."""

from typing import Any

import pytest
import torch
from flwr.app import ArrayRecord, ConfigRecord, Context, Error, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from messages import take_identity

from client_app.mods import ProtectUpdate, PublishImages, published
from task.settings import SettingsError

BEFORE = {"weight": torch.tensor([1.0, 1.0]), "batches": torch.tensor(4)}
OPTIONS = {"norm": 1.0, "noise_multiplier": 0.0}


def their_app(mod: ProtectUpdate | PublishImages, returned: dict[str, torch.Tensor] | None = None) -> ClientApp:
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


def ask(
    app: ClientApp,
    kind: str = "train",
    node: int = 5,
    config: dict[str, Any] | None = None,
    context: Context | None = None,
) -> Message:
    """Send the app a message as Flower's strategies do."""
    take_identity()
    content = {
        "arrays": ArrayRecord(dict(BEFORE)),
        "config": ConfigRecord({"server-round": 3} if config is None else config),
    }
    message = Message(RecordDict(content), node, kind)
    message.metadata.__dict__["_message_id"] = "1"
    return app(message, context or context_of(node))


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


SIXES = (torch.linspace(-1, 1, 6).view(6, 1, 1, 1).repeat(1, 1, 8, 8), torch.full((6,), 6))
SMALL = {"network": "small", "steps": 2, "batch_size": 4, "latent_steps": 1, "images": 10, "mixing_ratio": 0.25}


def their_training(mod: PublishImages, seen: list[torch.Tensor]) -> ClientApp:
    """Return an app that trains on what is published, which goes into a list; its answer is what it was sent."""
    app = ClientApp(mods=[mod])

    @app.train()
    def train(message: Message, context: Context) -> Message:
        seen.append(published(context).images)
        return Message(message.content, reply_to=message)

    return app


def context_of(node: int = 5) -> Context:
    """Return the context of a node that has not taken part yet."""
    return Context(run_id=1, node_id=node, node_config={}, state=RecordDict(), run_config={})


def test_two_lines_give_somebody_else_s_app_look_alikes() -> None:
    """Of 10 images at the ratio 0.25 two are real and eight are made; a second round gets the same without a fit."""
    loaded, seen = [], []

    def load(context: Context) -> tuple[torch.Tensor, torch.Tensor]:
        loaded.append(context.node_id)
        return SIXES

    app, context = their_training(PublishImages("anti-gan", SMALL, load, classes=10, seed=1), seen), context_of()
    assert not ask(app, context=context).has_error()
    first = context.state["defense"]
    ask(app, context=context)
    assert context.state["defense"] is first
    assert torch.equal(*seen)
    assert loaded == [5, 5]
    real = (seen[0].flatten(1)[:, None] == SIXES[0].flatten(1)).all(2).any(1)
    assert (len(real), int(real.sum())) == (10, 2)


def test_look_alikes_are_made_anew_for_other_images_and_settings() -> None:
    """And are fresh without a seed."""

    def sent(images: torch.Tensor = SIXES[0], seed: int | None = 1, **options: object) -> torch.Tensor:
        seen: list[torch.Tensor] = []
        mod = PublishImages("anti-gan", SMALL | options, lambda _: (images, SIXES[1]), classes=10, seed=seed)
        ask(their_training(mod, seen), context=context)
        return seen[0]

    context = context_of()
    first = sent()
    assert not torch.equal(sent(images=-SIXES[0] / 2), first)
    assert not torch.equal(sent(lambda2=1.0), first)
    assert torch.equal(sent(), first)
    assert not torch.equal(sent(seed=None), first)


def test_an_app_that_does_not_ask_for_what_is_published_sends_nothing() -> None:
    """Neither in the first round nor in one after a round in which it did; its own error, and other messages, pass."""
    mod, context = PublishImages("anti-gan", SMALL, lambda _: SIXES, classes=10), context_of()
    with pytest.raises(SettingsError, match=r"to ask for what is published, .*Train on `client_app.mods.published"):
        ask(their_app(mod), context=context)
    assert not ask(their_training(mod, []), context=context).has_error()
    with pytest.raises(SettingsError, match="to ask for what is published"):
        ask(their_app(mod), context=context)
    assert not ask(their_app(mod), "evaluate", context=context).has_error()
    broken = ClientApp(mods=[mod])
    broken.train()(lambda message, _: Message(Error(code=2, reason="out of memory"), reply_to=message))
    assert ask(broken, context=context).error.reason == "out of memory"


def test_a_question_that_failed_does_not_count_for_the_next() -> None:
    """An app asks for what is published and fails; without asking, its next answer is refused all the same."""
    mod, context = PublishImages("anti-gan", SMALL, lambda _: SIXES, classes=10), context_of()
    failing = ClientApp(mods=[mod])

    @failing.train()
    def train(message: Message, context: Context) -> Message:
        del message
        published(context)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        ask(failing, context=context)
    with pytest.raises(SettingsError, match="to ask for what is published"):
        ask(their_app(mod), context=context)


@pytest.mark.parametrize(
    ("images", "labels", "text"),
    [
        (SIXES[0].to(torch.uint8), SIXES[1], r"floating point \[N, C, H, W\], got 'torch.uint8 \[6, 1, 8, 8\]'"),
        (SIXES[0][:, 0], SIXES[1], r"got 'torch.float32 \[6, 8, 8\]'"),
        (SIXES[0] * 255, SIXES[1], r"images in \[-1, 1\], got '-255 to 255'. Mend what `load` returns"),
        (SIXES[0] * torch.nan, SIXES[1], "got 'nan to nan'"),
        (SIXES[0][:0], SIXES[1][:0], "got 'none'"),
        (SIXES[0], SIXES[1].to(torch.int32), r"int64 \[N\], got 'torch.int32 \[6\]'"),
        (SIXES[0], SIXES[1][:5], r"got 'torch.int64 \[5\]'"),
        (SIXES[0], SIXES[1] + 4, r"labels from 0 to 9, got \[10\]"),
        (SIXES[0], SIXES[1] - 7, r"labels from 0 to 9, got \[-1\]"),
    ],
)
def test_images_that_are_not_as_said_are_refused(images: torch.Tensor, labels: torch.Tensor, text: str) -> None:
    """Bytes, no channels, another range, labels of another type, number or range: the app is not even called."""
    seen: list[torch.Tensor] = []
    with pytest.raises(SettingsError, match=text):
        ask(their_training(PublishImages("anti-gan", SMALL, lambda _: (images, labels), classes=10), seen))
    assert seen == []


def test_an_app_gets_nothing_where_the_fit_fails() -> None:
    """Neither where the mod was forgotten, nor where there are too few images: it is not even called."""
    seen: list[torch.Tensor] = []
    mod = PublishImages("anti-gan", SMALL | {"batch_size": 7}, lambda _: SIXES, classes=10)
    with pytest.raises(SettingsError, match="at least 7 images of class 6"):
        ask(their_training(mod, seen), context=context_of())
    with pytest.raises(SettingsError, match="Put PublishImages into the mods"):
        published(context_of())
    with pytest.raises(SettingsError, match="a defence that acts on the data"):
        PublishImages("clip-and-noise", OPTIONS, lambda _: SIXES, classes=10)
    assert seen == []

"""Defences of this project for anybody's Flower app, as a mod: one line, or two.

app = ClientApp(mods=[ProtectUpdate("clip-and-noise", {"norm": 1.0, "noise_multiplier": 0.5})])
app = ClientApp(mods=[ProtectModel("def-mia", {"loss_bound": 0.5}, network, load_records)])
app = ClientApp(mods=[PublishImages("anti-gan", {"mixing_ratio": 0.25}, load_images, classes=10)])

With the last, the app trains on `published(context)` in place of what it would have loaded: that is the other line.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
from flwr.app import ArrayRecord, Context, Message, MessageType
from flwr.clientapp.typing import ClientAppCallable
from torch import Tensor, nn

from client_app import publishing
from client_app.publishing import READ, published
from defenses import registry
from defenses.protocols import Trained
from task.facts import Images, TaskFacts
from task.seeding import fresh, generator
from task.settings import expect

__all__ = ["ProtectModel", "ProtectUpdate", "PublishImages", "published"]

log = logging.getLogger("flwr.oleander")


class _Protects:
    """Stands between a ClientApp and the server, in messages that ask it to train, and changes what it answers.

    What is not floating point (a batch norm's counter) goes as it is, and so do the metrics beside the arrays, which
    come in one ArrayRecord each way. If the defence refuses, or the records do not fit, the error is raised, and Flower
    tells the server of it in place of an update.

    Args:
        seed: of the randomness, for experiments, together with the node's id and the round that the server sends; None
            takes a fresh one from the operating system for every message, which nobody else knows.

    """

    def __init__(self, seed: int | None) -> None:
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
        sent = self._sent(before, after, context, draws)
        whole = {name: sent[name] if tensor.is_floating_point() else tensor for name, tensor in after.items()}
        reply.content[key] = ArrayRecord(whole)
        return reply

    def _sent(
        self, before: dict[str, Tensor], after: dict[str, Tensor], context: Context, draws: torch.Generator
    ) -> Mapping[str, Tensor]:
        """Return the floating-point weights to send, by name, of those that were received and those that were made."""
        raise NotImplementedError

    def _randomness(self, message: Message, context: Context) -> torch.Generator:
        """Return the randomness of one message."""
        if self.seed is None:
            return fresh()
        configs = message.content.config_records.values()
        rounds = [config["server-round"] for config in configs if "server-round" in config]
        expect(bool(rounds), "the server to send its round as server-round", "none", "Or leave out the seed.")
        return generator(self.seed, "mod", context.node_id, int(str(rounds[0])))


class ProtectUpdate(_Protects):
    """Puts a defence that acts on the update, what the app returns minus what it was sent, between app and server.

    Args:
        name: of the defence, see `oleander list defenses`.
        options: of the defence.
        seed: see _Protects: None but for experiments.

    Raises:
        SettingsError: for an unknown defence, one that acts on something else, or wrong options.

    """

    def __init__(self, name: str, options: Mapping[str, Any], seed: int | None = None) -> None:
        super().__init__(seed)
        self.defense = registry.update_defense(name, options, None, torch.Generator())

    def _sent(
        self, before: dict[str, Tensor], after: dict[str, Tensor], context: Context, draws: torch.Generator
    ) -> Mapping[str, Tensor]:
        """Return what was received plus the update that the defence allows."""
        del context
        update = {name: after[name] - tensor for name, tensor in before.items() if tensor.is_floating_point()}
        return {name: before[name] + change for name, change in self.defense.protect(update, draws).items()}


class ProtectModel(_Protects):
    """Puts a defence that acts on the trained model (DefMIA, temperature) between a ClientApp and the server.

    Args:
        name: of the defence, see `oleander list defenses`.
        options: of the defence.
        network: returns the model of a node, an nn.Sequential that ends in an nn.Linear and takes the arrays by name.
        load: returns the node's training images, floating point [N, C, H, W], and their labels, int64 [N]; and others
            of its own that it never trains on, which the defence compares with, likewise.
        seed: see _Protects: None but for experiments.

    Raises:
        SettingsError: for an unknown defence, one that acts on something else, or wrong options.

    """

    def __init__(
        self,
        name: str,
        options: Mapping[str, Any],
        network: Callable[[Context], nn.Sequential],
        load: Callable[[Context], tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]],
        seed: int | None = None,
    ) -> None:
        super().__init__(seed)
        self.defense = registry.model_defense(name, options, None, torch.Generator())
        self.network, self.load = network, load

    def _sent(
        self, before: dict[str, Tensor], after: dict[str, Tensor], context: Context, draws: torch.Generator
    ) -> Mapping[str, Tensor]:
        """Return the model's weights, its last layer changed."""
        model = self.network(context)
        last = model[-1] if isinstance(model, nn.Sequential) and len(model) else model
        expect(isinstance(last, nn.Linear), "an nn.Sequential that ends in an nn.Linear", type(last).__name__)
        model.load_state_dict(after)
        loaded = self.load(context)
        pairs = isinstance(loaded, tuple | list) and [len(one) for one in loaded] == [2, 2]
        expect(pairs, "two pairs of images and labels from `load`", type(loaded).__name__, "Trained on, and not.")
        own, spare = (Images(*one) for one in loaded)
        for one in (own, spare):
            _check(one.images, one.labels, cast("nn.Linear", last).out_features)
        self.defense.check(len(own.labels), len(spare.labels))
        frozen = model.cpu().eval().requires_grad_(requires_grad=False)
        sent = self.defense.protect(Trained(before=before, model=frozen, own=own, spare=spare), draws)
        if all(torch.equal(tensor, after[name]) for name, tensor in sent.weights.items()):
            log.warning("The model goes as it is: the defence found nothing better within its bounds.")
        return sent.weights


class PublishImages:
    """Fits a defence that acts on the data to the images of an app's node, before the app trains for the first time.

    The app itself must then train on what `published(context)` returns: no mod can take its own images from it. One
    that has not asked for it when it answers gets an error. Where images or labels are not as below, or the fit fails,
    the app is not even called. Flower tells the server of the error in place of an update. What is published is kept in
    Flower's context, and made anew when the settings or the images change.

    Args:
        name: of the defence, see `oleander list defenses`.
        options: of the defence.
        load: returns all images of the node, floating point [N, C, H, W] in [-1, 1], and their labels, int64 [N].
        classes: of the task; labels lie in [0, classes).
        device: to fit on.
        seed: of the fit's randomness, together with the node's id; None takes a fresh one.

    Raises:
        SettingsError: for an unknown defence, one that acts on something else, or wrong options.

    """

    def __init__(
        self,
        name: str,
        options: Mapping[str, Any],
        load: Callable[[Context], tuple[Tensor, Tensor]],
        *,
        classes: int,
        device: str = "cpu",
        seed: int | None = None,
    ) -> None:
        registry.module(name, registry.DATA)
        registry.options(name, options)
        self.name, self.options, self.load, self.classes = name, dict(options), load, classes
        self.device, self.seed = device, seed

    def __call__(self, message: Message, context: Context, call_next: ClientAppCallable) -> Message:
        """Fit if that is needed, and let the app answer, if it asks for what is published."""
        if message.metadata.message_type.partition(".")[0] != MessageType.TRAIN:
            return call_next(message, context)
        self._fit(context)
        context.state.pop(READ, None)  # of an answer that ended in an error
        reply = call_next(message, context)
        asked = context.state.pop(READ, None) is not None
        remedy = "Train on `client_app.mods.published(context)` in place of the images that the app would have loaded."
        expect(asked or reply.has_error(), "the app to ask for what is published", "an update without", remedy)
        return reply

    def _fit(self, context: Context) -> None:
        """Leave in the context what is published."""
        images, labels = self.load(context)
        _check(images, labels, self.classes)
        shape = (images.shape[1], images.shape[2], images.shape[3])
        facts = TaskFacts(shape=shape, classes=self.classes, outputs=self.classes, model="", clients=0)
        publishing.fit(
            registry.data_defense(self.name, self.options, facts, self._draws(context, "weights")),
            Images(images, labels),
            [self.name, self.options, self.classes, self.seed],
            context,
            device=self.device,
            draws=lambda: self._draws(context, "fit"),
            progress=lambda text: log.info("%s: %s", self.name, text),
        )

    def _draws(self, context: Context, purpose: str) -> torch.Generator:
        """Return the randomness of the fit."""
        return fresh() if self.seed is None else generator(self.seed, "mod", context.node_id, purpose)


def _check(images: Tensor, labels: Tensor, classes: int) -> None:
    """Refuse what an app loads unless it is as PublishImages has it."""
    both = isinstance(images, Tensor) and isinstance(labels, Tensor)
    expect(both, "tensors of images and labels from `load`", [type(one).__name__ for one in (images, labels)])
    expect(len(images) > 0, "images from `load`", "none", "Load some, of each kind that is asked for.")
    remedy = "Mend what `load` returns, for example images / 127.5 - 1 of bytes."
    got = f"{images.dtype} {list(images.shape)}"
    expect(images.is_floating_point() and images.ndim == 4, "images, floating point [N, C, H, W]", got, remedy)  # noqa: PLR2004
    inside = bool((images.abs() <= 1).all())  # of NaN, too, it is not true
    expect(inside, "images in [-1, 1]", f"{images.min():g} to {images.max():g}", remedy)
    got = f"{labels.dtype} {list(labels.shape)}"
    remedy = "Mend what `load` returns: a label for each image."
    expect(labels.dtype == torch.int64 and labels.shape == images.shape[:1], "labels, int64 [N]", got, remedy)
    outside = sorted(set(labels[(labels < 0) | (labels >= classes)].tolist()))
    expect(not outside, f"labels from 0 to {classes - 1}", outside, "Mend what `load` returns, or say more `classes`.")


def _only(message: Message) -> tuple[str, ArrayRecord]:
    """Return the one record of arrays in a message, and its name."""
    records = message.content.array_records
    expect(len(records) == 1, "one record of arrays in a message", sorted(records), "Send all arrays in one.")
    return next(iter(records.items()))

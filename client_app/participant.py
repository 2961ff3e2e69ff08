"""What every participant knows: who it is, its own data, the task, and its device. Read from Flower's context."""

import copy
import functools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from flwr.app import Context
from torch import nn

from task import devices, models, private
from task.datasets import Dataset, load_task, to_float
from task.facts import Images, TaskFacts
from task.partitions import held, reserved
from task.run_config import unflatten
from task.runs import run_directory
from task.seeding import generator
from task.settings import TaskSettings, expect, parse
from task.training import draw, make_optimizer, train


@dataclass(frozen=True, kw_only=True)
class Participant:
    """One participant.

    Attributes:
        client: its id.
        seed: of the federation; every draw is derived from it.
        task: what is learned.
        dataset: the data set; a participant looks at its own part only.
        indices: int64 [N], its own part of the training images; none for one that holds no data.
        apart: int64 [R], training images that it has and never trains on.
        device: that it trains on.
        behaviour: `role`; for a malicious one `attack`, `options`, `loot`, `loot_every`, `loot_images`, `membership`
            (what it is asked, if it is); for a defended one `defense`, `options`, `refresh`, `published`.
        rounds, clients: of the federation.

    """

    client: int
    seed: int
    task: TaskSettings
    dataset: Dataset
    indices: torch.Tensor
    device: str
    behaviour: dict[str, Any]
    rounds: int
    clients: int
    apart: torch.Tensor = field(default_factory=lambda: torch.arange(0))

    @property
    def facts(self) -> TaskFacts:
        """What everyone knows of the task."""
        classes = len(self.dataset.classes)
        return TaskFacts(
            shape=self.dataset.shape,
            classes=classes,
            outputs=self.task.outputs or classes,
            model=self.task.model,
            clients=self.clients,
            optimizer=self.task.optimizer,
            batch_size=self.task.batch_size,
            local_epochs=self.task.local_epochs,
            images=self.task.partition.images,
        )

    def randomness(self, *purpose: int | str) -> torch.Generator:
        """Return a generator of this participant's own."""
        return generator(self.seed, "client", self.client, *purpose)

    def draw(self, server_round: int) -> Images:
        """Return the images that the participant draws from its own for a round."""
        return self._held(self.indices[self._order(len(self.indices), server_round)])

    def held(self) -> Images:
        """Return all images of its own."""
        return self._held(self.indices)

    def spare(self) -> Images:
        """Return the images that it never trains on."""
        return self._held(self.apart)

    def pick(self, images: Images, server_round: int) -> Images:
        """Return the images that the participant draws for a round from such as take the place of its own."""
        order = self._order(len(images.labels), server_round)
        return Images(images.images[order], images.labels[order])

    def _held(self, chosen: torch.Tensor) -> Images:
        """Return training images as the participant holds them."""
        mine = private.images(self.dataset, self.task, self.client, chosen)
        return Images(to_float(mine), self.dataset.train.labels[chosen])

    def _order(self, count: int, server_round: int) -> torch.Tensor:
        """Return which of `count` images are drawn for a round."""
        return draw(count, self.task.images_per_round, self.randomness("draw", server_round))

    def model(self) -> nn.Module:
        """Return the shared model; its weights come with the message."""
        return copy.deepcopy(self.bench())

    def bench(self) -> nn.Module:
        """Return the shared model on which this process trains one participant after the other: not to be kept."""
        return _bench(self.task.model, self.dataset.shape, self.facts.outputs, self.device).requires_grad_()


def device(context: Context) -> str:
    """Return what this participant computes on: its own host's choice, or else the run's."""
    return devices.chosen(str(context.node_config.get("devices", context.run_config["federation.devices"])))


def read(context: Context) -> Participant:
    """Return the participant that Flower's context describes."""
    client = int(context.node_config["partition-id"])
    data = str(context.node_config.get("data", context.run_config["data"])) or None
    config, task, parts, apart = _federation(tuple(context.run_config.items()), data)
    nothing = torch.arange(0)
    return Participant(
        client=client,
        seed=config["federation"]["seed"],
        task=task,
        dataset=load_task(task, data),
        indices=parts.get(client, nothing),
        device=device(context),
        behaviour=_behaviour(context, config, client),
        rounds=config["federation"]["rounds"],
        clients=config["federation"]["clients"],
        apart=apart.get(client, nothing),
    )


def prepare(task: TaskSettings, data: str | None, clients: int, seed: int, *, step: bool) -> None:
    """Make in this process what each participant of a federation would make in one that is forked from it.

    Args:
        task: what is learned.
        data: folder of the data sets.
        clients: of the federation.
        seed: of the federation.
        step: take a step of training, on images that say nothing: the first one takes longest. Not where there are
            GPUs, whose threads do not survive a fork.

    """
    _parts(task, data, clients, seed)
    _apart(task, data, clients, seed)
    dataset = load_task(task, data)
    model = _bench(task.model, dataset.shape, task.outputs or len(dataset.classes), "cpu").requires_grad_()
    if step:
        images = torch.zeros(task.batch_size, *dataset.shape)
        optimizer, draws = make_optimizer(model, task.optimizer), torch.Generator()
        labels = torch.zeros(task.batch_size, dtype=torch.int64)
        train(model, images, labels, optimizer=optimizer, batch_size=task.batch_size, epochs=1, generator=draws)


@functools.lru_cache(maxsize=4)
def _federation(
    run_config: tuple[tuple[str, Any], ...], data: str | None
) -> tuple[dict[str, Any], TaskSettings, dict[int, torch.Tensor], dict[int, torch.Tensor]]:
    """Return a run config, the task in it, and what everyone trains on and keeps out of its training.

    Read once per process, as virtual clients share it.
    """
    config = unflatten(dict(run_config))
    task, federation = parse(TaskSettings, config["task"], "task"), config["federation"]
    clients, seed = federation["clients"], federation["seed"]
    return config, task, _parts(task, data, clients, seed), _apart(task, data, clients, seed)


@functools.cache
def _bench(name: str, shape: tuple[int, int, int], outputs: int, device: str) -> nn.Module:
    """Return a model of any weights, which the server's replace: to make one takes longer than a step of training."""
    return models.build(name, shape, outputs, torch.Generator()).to(device)


@functools.cache
def _parts(task: TaskSettings, data: str | None, clients: int, seed: int) -> dict[int, torch.Tensor]:
    """Return everyone's part; made once per process, since virtual clients share one."""
    return held(load_task(task, data), task, clients, seed)


@functools.cache
def _apart(task: TaskSettings, data: str | None, clients: int, seed: int) -> dict[int, torch.Tensor]:
    """Return what everyone keeps out of its training, likewise."""
    return reserved(load_task(task, data), task, clients, seed)


def _behaviour(context: Context, config: dict[str, Any], client: int) -> dict[str, Any]:
    """Return what this participant does: from its node's own config, or in the simulation from the run config.

    A run config that says who does what names those who are not honest, and has the server's part, too; that of
    `oleander deploy` and of the engine `grpc` says nothing of either, and leaves it to the nodes.

    Raises:
        SettingsError: where neither says it, or a defence stands without the role that uses it: nobody is honest by
            mistake.

    """
    node = context.node_config
    names = {"role": "role", "attack": "attack", "loot-every": "loot_every", "loot-images": "loot_images"}
    names |= {"defense": "defense", "refresh": "refresh"}
    remedy = "Set role in the node config, as `oleander deploy client` does."
    if "role" in node:
        entry: dict[str, Any] = {ours: node[key] for key, ours in names.items() if key in node}
        entry |= {"options": json.loads(str(node.get("options", "{}")))}
        entry |= {"membership": json.loads(str(node.get("membership", "null")))}
        out = Path(str(node.get("out", ""))) / (str(context.run_id) if node.get("per-run") else "")
    else:
        stray = sorted(node.keys() & {*names, "options", "membership"})
        expect(not stray, "a role beside them in the node config", stray, remedy)
        expect("server" in config, f"the role of participant {client}", "none, in node config or run config", remedy)
        entry = next((entry for entry in config["clients"] if client in entry["ids"]), {"role": "honest"})
        entry = entry | {"membership": config.get("membership")}
        out = run_directory(config["out"], config["name"], context.run_id)
    role, defense = entry["role"], entry.get("defense")
    fits = (role == "defended") == (defense is not None)
    expect(fits, "a defence for the role 'defended', and only there", f"the role {role!r} with {defense or 'none'}")
    return entry | {folder: str(out / folder / f"client-{client}") for folder in ("loot", "published")}

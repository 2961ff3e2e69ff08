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
from task.training import draw


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
    config, task = _read(tuple(context.run_config.items()))
    client = int(context.node_config["partition-id"])
    federation = config["federation"]
    data = str(context.node_config.get("data", config["data"])) or None
    dataset = load_task(task, data)
    return Participant(
        client=client,
        seed=federation["seed"],
        task=task,
        dataset=dataset,
        indices=_parts(task, data, federation["clients"], federation["seed"]).get(client, torch.arange(0)),
        device=device(context),
        behaviour=_behaviour(context, config, client),
        rounds=federation["rounds"],
        clients=federation["clients"],
        apart=_apart(task, data, federation["clients"], federation["seed"]).get(client, torch.arange(0)),
    )


@functools.lru_cache(maxsize=4)
def _read(run_config: tuple[tuple[str, Any], ...]) -> tuple[dict[str, Any], TaskSettings]:
    """Return a run config, and the task in it; read once per process, as virtual clients share it."""
    config = unflatten(dict(run_config))
    return config, parse(TaskSettings, config["task"], "task")


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

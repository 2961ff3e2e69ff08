"""The server's attack of a run: built from the scenario, wrapped around the strategy, its loot kept in loot/server."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from flwr.serverapp.strategy import Strategy
from torch import Tensor, nn

from attacks import registry
from attacks.posing import inquiry
from attacks.views import Question, ServerAttack
from server_app.inquiring import Inquiring
from strategies.malicious import Loot, Malicious
from strategies.roll_call import RollCall
from task.facts import Images, TaskFacts
from task.files import append_line
from task.questions import MembershipSettings
from task.runs import keep_arrays, read_arrays
from task.seeding import generator
from task.settings import parse


def wrap(
    inner: Strategy,
    config: Mapping[str, Any],
    *,
    facts: TaskFacts,
    roll_call: RollCall,
    frozen: Callable[[Mapping[str, Tensor]], nn.Module],
    auxiliary: Images,
    run: Path,
    question: Callable[[MembershipSettings], Question],
) -> Malicious:
    """Return `inner` inside a malicious server.

    Args:
        inner: the strategy.
        config: the run's, with `server`, `federation` and `membership`.
        facts: what everyone knows of the task.
        roll_call: which node is which participant.
        frozen: makes a model of weights, see strategies.malicious.Malicious.
        auxiliary: the server's own data.
        run: the run directory.
        question: makes what a membership attack is asked of its settings.

    """
    server, federation = config["server"], config["federation"]
    folder, options, seed = run / "loot" / "server", server["attack_options"], federation["seed"]
    module = registry.module(server["attack"])
    lacking = sorted(set(range(facts.classes)) - set(auxiliary.labels.tolist()))

    def note(line: dict[str, Any]) -> None:
        if lacking and line["round"] == 1:
            line["warnings"] = [*line["warnings"], f"the server's own data have no image of the classes {lacking}"]
        append_line(folder / "attack.jsonl", line)

    def leave(server_round: int, loot: Loot) -> None:
        if isinstance(attack, Inquiring):
            answers = attack.answers(lambda name: generator(seed, "server", "scores", name, server_round))
            for name, arrays in answers.items():
                keep_arrays(folder / name, **arrays)
        else:
            keep(folder, server_round, loot)

    draws = generator(seed, "server", "attack")
    attack: ServerAttack | Inquiring
    if registry.asks(server["attack"]):
        settings = parse(MembershipSettings, config["membership"], "membership")
        asked = question(settings)
        found = inquiry(server["attack"], options, asked, settings=settings, facts=facts, generator=draws)
        attack = Inquiring(found, asked, facts, frozen)
    else:
        attack = registry.server_attack(server["attack"], options, facts, draws)
    return Malicious(
        inner,
        attack=attack,
        victim=options.get("victim"),
        roll_call=roll_call,
        rounds=federation["rounds"],
        seed=seed,
        frozen=frozen,
        auxiliary=auxiliary,
        loot_every=server["loot_every"],
        loot_images=server["loot_images"],
        note=note,
        keep=leave,
        published=(lambda: published(run)) if hasattr(module, "READS_PUBLISHED") else dict,
    )


def published(run: Path) -> dict[int, Images]:
    """Return what each defended participant has published, as far as it lies in the run directory."""
    found = {}
    for path in sorted(run.glob("published/client-*/published.npz")):
        arrays = read_arrays(path)  # which of them are real is for the judge alone
        found[int(path.parent.name.removeprefix("client-"))] = Images(arrays["images"], arrays["labels"])
    return found


def keep(folder: Path, server_round: int, loot: Loot) -> None:
    """Write a round's loot; there is no file of what there is none of.

    Files: samples-, other- and not-owned-round-NNNN.npz with images float32 [N, C, H, W] in [-1, 1] and labels int64
    [N]; representatives-round-NNNN.npz with the same and client int64 [N].
    """
    for name, images in (("samples", loot.samples), ("other", loot.other), ("not-owned", loot.not_owned)):
        if len(images.images):
            path = folder / f"{name}-round-{server_round:04d}.npz"
            keep_arrays(path, images=images.images, labels=images.labels)
    found = loot.representatives
    if found:
        keep_arrays(
            folder / f"representatives-round-{server_round:04d}.npz",
            images=torch.cat([found[client].images for client in sorted(found)]),
            labels=torch.cat([found[client].labels for client in sorted(found)]),
            client=torch.cat([torch.full_like(found[client].labels, client) for client in sorted(found)]),
        )

"""What each part of mGAN-AI is worth: variants of the attack on the same federations, several seeds, one judge.

    python benchmarks/mgan_ai.py passive --data DIR --seeds 3
    python benchmarks/mgan_ai.py active --data DIR --seeds 3 --only repaired upright

The federation is `oleander run mgan-ai-passive-mnist` (or -active-) as a plain loop (bare_loop.py), which gives the
same models; the judge is that of the verdict. J is the share of the loot of the victim's classes that the judge takes
for the right digit, turned as the victim's are; each number is the mean of the last three evaluations, five rounds
apart. "other" is J of images drawn with the identity of somebody else; "not owned" that of classes that the victim does
not hold; "upright" is the same attack on a victim whose images are not turned. "angle" is J of the server's own images
turned by what the victim's update says, without a generator; below the table stands J of these images turned by any
angle, which know nothing of the victim.
"""

import argparse
import math
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from attacks import mgan_ai, registry, representatives
from attacks.views import ServerView
from benchmarks.bare_loop import Clients, mean
from oleander import scenario as scenarios
from oleander.judge import cases, independent, training_set, victims
from oleander.judge.disclosure import shown_share
from oleander.judge.properties import PropertyJudge
from oleander.preflight import settle
from oleander.scenario import Scenario
from server_app.app import evaluation_set
from task import models
from task.datasets import to_float
from task.facts import Images, TaskFacts
from task.models import weights
from task.partitions import held
from task.seeding import generator
from task.training import evaluate

EVERY, LAST, SAMPLES = 5, 3, 60
ORACLE = "oracle"
COMMON: dict[str, dict[str, Any]] = {
    "repaired": {},
    "upright": {},
    "paper": {"recipe": "paper"},
    "updates not matched": {"update_match": 0.0, "turn_match": 0.0},
    "turns not matched": {"turn_match": 0.0},
    "upright auxiliary images": {"turned": 0.0},
    "plain critic": {"critic": "plain"},
    "one body for all": {"judges": "shared", "judge_model": None},
    "no pairs": {"diversity": 0.0},
    "no average": {"average": 0.0},
    "all categories": {"owned_only": False},
}
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "passive": COMMON
    | {
        ORACLE: {},
        "identity not blurred": {"blurred": False},
        "no match": {"match": False},
        "no identity head": {"identify": False},
    },
    "active": COMMON | {"sent its own model": {"isolate_on": "own"}, "identity head": {"identify": True}},
}


@dataclass
class Attacked:
    """One variant on one federation: the attack, its evaluations (see `evaluate`), and its metrics round by round."""

    attack: mgan_ai.MganAi
    lines: list[tuple[float, float, float]] = field(default_factory=list)
    log: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0

    def means(self) -> tuple[float, float, float]:
        """Return the means of the last evaluations; NaN for an attack that never began."""
        last = self.lines[-LAST:] or [(float("nan"),) * 3]
        return tuple(statistics.mean(column) for column in zip(*last, strict=True))  # type: ignore[return-value]


class Federation:
    """A scenario's federation as a loop, its server and its judge.

    Args:
        scenario: settled.
        data: folder of the data sets.

    """

    def __init__(self, scenario: Scenario, data: str | None) -> None:
        self.scenario, self.clients = scenario, Clients(scenario, data)
        self.dataset, task = self.clients.dataset, scenario.task
        self.seed, self.outputs = scenario.federation.seed, task.outputs or 0
        self.auxiliary = Images(*evaluation_set(self.dataset, task))
        classes = len(self.dataset.classes)
        self.facts = TaskFacts(
            shape=self.dataset.shape,
            classes=classes,
            outputs=self.outputs,
            model=task.model,
            clients=scenario.federation.clients,
        )
        self.victim = scenario.server.attack_options["victim"]
        self.owned = self.clients.labels[self.victim].unique()

    def judge(self) -> tuple[PropertyJudge, victims.Victim]:
        """Return the judge of the verdict, and whom it knows."""
        parts = held(self.dataset, self.scenario.task, self.scenario.federation.clients, self.seed)
        victim = victims.find(self.dataset, self.scenario.task, parts)
        found = independent.appoint(self.dataset, parts, victim, self.seed, training_set.cache_folder()).properties
        if found is None or victim is None:
            raise SystemExit(f"Expected a scenario with a private property, got {self.scenario.name}.")
        return found, victim

    def attack(self, variant: str, changed: Mapping[str, Any]) -> mgan_ai.MganAi:
        """Build one variant, as `--set` would."""
        options = dict(self.scenario.server.attack_options)
        if "recipe" in changed:  # the literal recipe, but for the start and the scenario's small generator
            options = {key: options[key] for key in ("victim", "mode", "network", "start_round")}
        checked = registry.options("mgan-ai", options | dict(changed))
        if variant == ORACLE:
            return mgan_ai.MganAi(checked, self.facts, generator(self.seed, "server", "attack"), self.real)
        return mgan_ai.build(checked, self.facts, generator(self.seed, "server", "attack"))

    def real(
        self,
        model: torch.nn.Module,
        updates: Mapping[int, Any],
        shape: tuple[int, ...],
        settings: representatives.Settings,
        draw: torch.Generator,
        *,
        start: Mapping[int, Images] | None = None,
    ) -> dict[int, Images]:
        """Return the clients' real images in place of representatives: what no attacker has, an upper bound."""
        del model, shape, start
        found = {}
        for client in updates:
            chosen = torch.randperm(len(self.clients.labels[client]), generator=draw)[: settings.images]
            images = to_float(self.clients.images[client][chosen])
            found[client] = Images(images, self.clients.labels[client][chosen])
        return found

    def frozen(self, state: Mapping[str, Tensor]) -> torch.nn.Module:
        """Return the shared model with these weights."""
        model = models.build(self.scenario.task.model, self.facts.shape, self.outputs, torch.Generator())
        model.load_state_dict(state)
        return model.eval().requires_grad_(requires_grad=False)

    def run(self, attacks: list[Attacked], judge: PropertyJudge) -> list[float]:
        """Run the federation under attacks (several only where they are passive); return the accuracies."""
        state, accuracies, everybody = self.clients.initial(), [], sorted(self.clients.images)
        total = self.scenario.federation.rounds
        for number in range(1, total + 1):
            sent = {one: attacks[0].attack.outgoing(one, state) for one in everybody}
            replies = {one: self.clients.train(one, number, sent[one]) for one in everybody}
            alone = attacks[0].attack.isolated
            aggregate = mean([replies[one] for one in everybody if one not in alone])
            view = ServerView(
                round=number,
                last=number == total,
                global_model=self.frozen(state),
                aggregate=self.frozen(aggregate),
                updates={one: {name: replies[one][name] - sent[one][name] for name in state} for one in everybody},
                accuracy=accuracies[-1] if accuracies else 0.0,
                auxiliary=self.auxiliary,
            )
            for one in attacks:
                began = time.perf_counter()
                one.attack.observe(view, generator(self.seed, "server", "attack", number))
                one.seconds += time.perf_counter() - began
                one.log.append(one.attack.metrics())
                if one.attack.started and (number % EVERY == 0 or number == total):
                    one.lines.append(self.evaluate(one.attack, judge, number))
            accuracies.append(evaluate(view.aggregate, self.auxiliary.images, self.auxiliary.labels).accuracy)
            state = weights(view.aggregate)
        return accuracies

    def own_images(self, judge: PropertyJudge, victim: victims.Victim, log: list[dict[str, float]]) -> float:
        """Return J of the server's own images, turned by any angle, or by what an attack's log says of the update."""
        turned = float(self.scenario.server.attack_options.get("turned") or 0)
        images = cases.auxiliary(self.dataset, victim, turned, self.seed, cases.turns(log) or None)
        return shown_share(judge, images.images, images.labels)

    def evaluate(self, attack: mgan_ai.MganAi, judge: PropertyJudge, number: int) -> tuple[float, float, float]:
        """Return J of the loot, of the control and of classes that the victim does not own; NaN where there is none."""

        def share(found: Images, classes: list[int]) -> float:
            """Return the mean of the classes' shares; one without images counts as not shown."""
            if not torch.isin(found.labels, torch.tensor(classes)).any():
                return math.nan
            shares = [shown_share(judge, found.images, found.labels, [one]) for one in classes]
            return sum(0.0 if math.isnan(one) else one for one in shares) / len(shares)

        mine = self.owned.tolist()
        others = [one for one in range(self.facts.classes) if one not in mine]
        draw = generator(self.seed, "server", "loot", number)
        loot = attack.loot(SAMPLES, draw)
        strange = Images(
            *(torch.cat(pair) for pair in zip(astuple(loot), astuple(attack.not_owned(SAMPLES, draw)), strict=True))
        )
        return share(loot, mine), share(attack.control(SAMPLES, draw), mine), share(strange, others)


def main() -> None:
    """Run the variants and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]  # it has one
    parser.add_argument("mode", choices=sorted(VARIANTS))
    parser.add_argument("--data")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--only", nargs="+", help="names of variants")
    parser.add_argument("--set", nargs="*", default=[], help="overrides of the scenario")
    parser.add_argument("--scenario", help="default mgan-ai-MODE-mnist")
    given = parser.parse_args()
    torch.set_num_threads(1)  # as the participants do
    wanted = {name: one for name, one in VARIANTS[given.mode].items() if not given.only or name in given.only}
    results: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in wanted}
    accuracy: dict[str, list[float]] = {name: [] for name in wanted}
    baselines: dict[int, float] = {}
    for seed in range(given.first, given.first + given.seeds):
        for batch in _batches(wanted, together=given.mode == "passive"):
            upright = "upright" in batch
            overrides = [*given.set, *(["task.private.degrees=0"] if upright else [])]
            name = given.scenario or f"mgan-ai-{given.mode}-mnist"
            federation = Federation(settle(scenarios.load(name, overrides, seed), given.data), given.data)
            attacks = {one: Attacked(federation.attack(one, wanted[one])) for one in batch}
            judge, victim = federation.judge()
            baselines[seed] = federation.own_images(judge, victim, [])
            sys.stderr.write(
                f"seed {seed}, classes {federation.owned.tolist()}: the server's own images {baselines[seed]:.2f}\n"
            )
            accuracies = federation.run(list(attacks.values()), judge)
            for one, attacked in attacks.items():
                j, other, not_owned = attacked.means()
                angle = federation.own_images(judge, victim, attacked.log) if cases.turns(attacked.log) else math.nan
                results[one].append((j, other, not_owned, angle))
                accuracy[one].append(accuracies[-1])
                sys.stderr.write(
                    f"seed {seed}, {one}: J {j:.2f} of {len(attacked.attack.learnt)} classes, other {other:.2f}, "
                    f"not owned {not_owned:.2f}, angle {angle:.2f}, accuracy "
                    f"{accuracies[-1]:.2f}, {attacked.seconds / max(1, attacked.attack.rounds):.1f} s a round\n"
                )
    columns = ("variant", "J", "by seed", "other", "not owned", "angle", "accuracy")
    table = Table(*columns, title=f"{given.mode}, {given.seeds} seeds")
    for one, rows in results.items():
        j, *rest = (statistics.mean(column) for column in zip(*rows, strict=True))
        seeds = " ".join(f"{row[0]:.2f}" for row in rows)
        shares = [f"{share:.2f}" for share in (*rest, statistics.mean(accuracy[one]))]
        table.add_row(one, f"{j:.2f}", seeds, *shares)
    console = Console(width=120)
    console.print(table)
    console.print(f"J of the server's own images, turned by any angle: {statistics.mean(baselines.values()):.2f}")


def _batches(names: Mapping[str, Any], *, together: bool) -> list[list[str]]:
    """Return which variants share a federation: passive ones all, but for the control whose victim is upright."""
    apart = [name for name in names if not together or name == "upright"]
    shared = [name for name in names if name not in apart]
    return [*([shared] if shared else []), *([name] for name in apart)]


if __name__ == "__main__":
    main()

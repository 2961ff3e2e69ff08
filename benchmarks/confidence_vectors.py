"""What DefMIA's version for confidence vectors hides from somebody who only asks the final model of a run.

    python -m benchmarks.confidence_vectors RUN [--data DIR] [--budget 1.0] [--seeds 3]

RUN is the folder of a finished run whose scenario has a question of membership, a reserve and records whose membership
is told (def-mia-cifar10-grey, say, with `--set clients.1.role=honest --set clients.1.defense=null --set
clients.1.options={}`). Its final model is served as it is and defended (defenses.confidence) by its first participant,
with that one's own records and reserve. The asker holds what the malicious participant holds. AUC by the clean
protocol; the mean and the range over several surrogates and coins. The shadow attacker begins with the very weights,
which nobody has who only asks: an upper bound, as is the one who adapts.
"""

import argparse
import os
import statistics
from pathlib import Path

import torch
from sklearn.metrics import roc_auc_score
from torch.nn import functional

from attacks import adaptive_learner, label_only, learning, margin_threshold
from attacks.asking import same_for_all
from attacks.posing import pose
from attacks.views import RecordView
from defenses.confidence import Options, Served, serve
from oleander.judge.membership import kinds
from oleander.rundir import RunDirectory
from server_app.app import evaluation_set
from task import models
from task.datasets import load_task, to_float
from task.facts import Images, TaskFacts
from task.membership import ask
from task.partitions import held, reserved
from task.seeding import generator
from task.settings import SettingsError, expect
from task.training import logits


class Asker:
    """Somebody who asks the final model of a run about the run's records, and the truth.

    Args:
        folder: of the run.
        data: folder of the data sets.

    """

    def __init__(self, folder: Path, data: str | None) -> None:
        run = RunDirectory.open(folder)
        self.scenario = scenario = run.scenario
        task, self.seed = scenario.task, scenario.federation.seed
        settings, weights = scenario.membership, run.global_model()
        if settings is None or not settings.known or not task.partition.reserve or weights is None:
            raise SettingsError("Expected a finished run with membership.known and a reserve. Run def-mia-digits.")
        count = scenario.federation.clients
        dataset = load_task(task, data)
        holding, apart = (deal(dataset, task, count, self.seed) for deal in (held, reserved))
        thief = next((one.ids[0] for one in scenario.clients if one.attack), None)
        expect(thief in holding, "a malicious participant that holds records", thief)

        def images(places: torch.Tensor) -> Images:
            return Images(to_float(dataset.train.images[places]), dataset.train.labels[places])

        self.own, self.spare = images(holding[0]), images(apart[0])
        self.question = pose(dataset, settings, holding, images(holding[thief]), self.seed, apart=apart)
        self.truth = ask(dataset, settings, holding, self.seed, apart)
        self.test = Images(*evaluation_set(dataset, task))
        self.facts = TaskFacts(
            shape=dataset.shape,
            classes=len(dataset.classes),
            outputs=task.outputs or 0,
            model=task.model,
            clients=count,
            optimizer=task.optimizer,
            batch_size=task.batch_size,
            local_epochs=task.local_epochs,
            images=task.partition.images,
        )
        model = models.build(task.model, dataset.shape, self.facts.outputs, torch.Generator())
        model.load_state_dict(weights)
        self.model = model.eval().requires_grad_(requires_grad=False)

    def view(self, asked: Served, known: torch.nn.Module) -> RecordView:
        """Return what the asker sees; `known`: what it begins a shadow with, or asks about its own records."""
        return RecordView(
            round=1,
            accuracy=0.0,
            question=self.question,
            global_model=known,
            model_of=same_for_all(asked),
            own_trained=True,
        )

    def aucs(self, asked: Served, defended: Options | None) -> dict[str, float]:
        """Return each attacker's AUC by the clean protocol; `defended`: what the shadow attacker knows of."""

        def draws(name: str) -> torch.Generator:
            return generator(self.seed, "asker", name)

        def shadowed(name: str, options: Options | None) -> torch.Tensor:
            def as_served(model: torch.nn.Module, inside: Images, spare: Images) -> torch.nn.Module:
                return serve(model, inside, spare, options, draws(f"{name} surrogate")) if options else model

            view, settings = self.view(asked, self.model), learning.Options()
            return learning.from_a_shadow(view, self.facts, settings, draws(name), None, served=as_served).values

        view = self.view(asked, asked)
        scores = {
            name: module.build(module.Options(), self.facts, self.question, draws(name))
            .scores(view, draws(name))
            .values
            for name, module in (("label-only", label_only), ("margin", margin_threshold))
        }
        scores |= {"fixed": shadowed("fixed", None), "shadow": shadowed("shadow", defended)}
        adaptive = adaptive_learner.build(learning.Options(), self.facts, self.question, draws("adaptive"))
        scores["adaptive"] = adaptive.scores(view, draws("adaptive")).values
        compared = torch.from_numpy(kinds(self.truth, "clean"))
        member = self.truth.member[compared]
        return {name: float(roc_auc_score(member, one[compared])) for name, one in scores.items()}

    def cost(self, asked: Served) -> dict[str, float]:
        """Return the accuracy and NLL on the test set, and the mean L1 distance of the confidences."""
        answered, plain = (logits(one, self.test.images) for one in (asked, self.model))
        right = answered.argmax(1) == self.test.labels
        nll = functional.nll_loss(answered, self.test.labels)
        moved = (answered.exp() - plain.double().softmax(1)).abs().sum(1).mean()
        return {"accuracy": right.double().mean().item(), "NLL": nll.item(), "moved": moved.item()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", default=os.environ.get("OLEANDER_DATA"), help="folder of the data sets")
    parser.add_argument("--budget", type=float, default=Options().budget, help="mean L1 change of a confidence vector")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    asker, options = Asker(given.run, given.data), Options(budget=given.budget)
    rows: dict[str, list[dict[str, float]]] = {"as it is": [], "defended": []}
    bare = Served(asker.model, None, options, torch.Generator())
    rows["as it is"].append(asker.aucs(bare, None) | asker.cost(bare))
    for seed in range(given.seeds):
        guarded = serve(asker.model, asker.own, asker.spare, options, generator(seed, "served"))
        rows["defended"].append(asker.aucs(guarded, options) | asker.cost(guarded))
    print("| served |", " | ".join(rows["as it is"][0]), "|")
    print("|---|" + "---|" * len(rows["as it is"][0]))
    for name, found in rows.items():
        cells = []
        for column in found[0]:
            values = [one[column] for one in found]
            spread = f" ({min(values):.3f} to {max(values):.3f})" if len(values) > 1 else ""
            cells.append(f"{statistics.mean(values):.3f}{spread}")
        print(f"| {name} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()

"""The results that the papers print, as data: what each figure or table shows, and its numbers where there are any.

Facts only, in our own words. A row names the scenarios that cover it; `rows` puts the numbers of runs beside them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oleander.report.metrics import finite, named, targets_of, written
from task.settings import choose


@dataclass(frozen=True, kw_only=True)
class Result:
    """One result of a paper.

    Attributes:
        place: figure, table or section.
        shows: what it shows.
        setting: data set and what matters of the protocol.
        paper: the paper's outcome in words or numbers.
        scenarios: names of the scenarios that cover it.
        judged: how ours is read: `metric` (a number of the verdict), `loot` (pictures to look at), `stable` (accuracy
            holds while precision, recall and F1 fall), `curves`, `roc`.
        metric: the verdict's name of the number, for `metric`.
        value: the paper's number, for `metric`.

    """

    place: str
    shows: str
    setting: str
    paper: str
    scenarios: tuple[str, ...]
    judged: str
    metric: str = ""
    value: float | None = None


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A paper: title, authors and year, where it was published, its results, and what to know before comparing."""

    title: str
    source: str
    results: tuple[Result, ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A result beside ours: `status` is `reproduced`, `not reproduced`, `to look at` or `not run`."""

    result: Result
    ours: str
    seeds: str
    status: str


MNIST, FASHION, CIFAR = "gan-attack-mnist", "gan-attack-fashion-mnist", "gan-attack-cifar10-two-users"

PAPERS = {
    "sun": Paper(
        title="Information Stealing in Federated Learning Systems Based on Generative Adversarial Networks",
        source="Yuwei Sun and Ng S. T. Chong",
        note="The distance of equation 6 as printed cannot fall as far as Fig. 8 says; the squared distance of the "
        "means can, so that reading stands beside the paper's number. The paper quotes the minimum over rounds, we the "
        "last round.",
        results=(
            Result(
                place="Fig. 6",
                shows="ROC and AUC per class at the beginning and when the attack starts",
                setting="MNIST, 11 users",
                paper="no numbers in the text",
                scenarios=(MNIST,),
                judged="roc",
            ),
            Result(
                place="Fig. 7",
                shows="Accuracy, precision, recall and F1 per round",
                setting="MNIST, 11 users, 100 rounds, attack from round 42 on the digit one",
                paper="accuracy holds; precision, recall and F1 fall",
                scenarios=(MNIST,),
                judged="stable",
            ),
            Result(
                place="Fig. 8",
                shows="Distance of stolen to real images per round",
                setting="MNIST, 11 users, 100 rounds, attack from round 42 on the digit one",
                paper="0.221, falling to 0.00173 after 49 rounds of attack",
                scenarios=(MNIST,),
                judged="metric",
                metric="mse_of_means",
                value=0.00173,
            ),
            Result(
                place="Fig. 9",
                shows="The same curves",
                setting="Fashion-MNIST, 11 users, 1,250 rounds",
                paper="no numbers in the text",
                scenarios=(FASHION,),
                judged="curves",
            ),
            Result(
                place="Fig. 10",
                shows="Stolen images over the rounds",
                setting="MNIST and Fashion-MNIST with 11 users, CIFAR-10 (28x28, grey) with 2",
                paper="pictures",
                scenarios=(MNIST, FASHION, CIFAR),
                judged="loot",
            ),
            Result(
                place="Fig. 11a",
                shows="Stolen images at the end",
                setting="two users, CIFAR-10 (28x28, grey)",
                paper="pictures, less noisy than with 11 users",
                scenarios=(CIFAR,),
                judged="loot",
            ),
            Result(
                place="Fig. 11b",
                shows="Stolen images at the end",
                setting="11 users, MNIST and Fashion-MNIST",
                paper="pictures, noisier than with two users",
                scenarios=(MNIST, FASHION),
                judged="loot",
            ),
            Result(
                place="III-C",
                shows="The shared model's learning rate above the generator's is better; small batches are crisper",
                setting="0.005 and 0.001; batch 16",
                paper="stated, without numbers",
                scenarios=(),
                judged="metric",
            ),
            Result(
                place="Ancestor",
                shows="The attack by Hitaj, Ateniese, Perez-Cruz 2017: the fakes carry a label that the attacker owns",
                setting="MNIST",
                paper="pictures",
                scenarios=("hitaj-mnist",),
                judged="loot",
            ),
        ),
    ),
}


def paper(name: str) -> Paper:
    """Return a paper by its short name.

    Raises:
        SettingsError: for one whose attack is not here, naming those that are.

    """
    return PAPERS[choose(name, PAPERS, "a paper whose attack is here")]


def rows(name: str, runs: Sequence[tuple[str, int, Mapping[str, Any]]]) -> list[Row]:
    """Put runs beside a paper's results.

    Args:
        name: the paper's short name.
        runs: (name of the scenario, seed, verdict) of each run.

    Returns:
        A row for every result of the paper, in its order.

    """
    return [_row(result, [run for run in runs if run[0] in result.scenarios]) for result in paper(name).results]


def reproduced(metric: str, theirs: float, ours: float) -> bool:
    """Say whether ours is within a tenth of the paper's number, or on the attack's side of it."""
    if named(metric).lower:
        return ours <= theirs * 1.1
    return ours >= theirs * 0.9


def _row(result: Result, runs: Sequence[tuple[str, int, Mapping[str, Any]]]) -> Row:
    """Put the runs of a result's scenarios beside it."""
    seeds = ", ".join(str(seed) for _, seed, _ in runs)
    if not runs:
        return Row(result=result, ours="", seeds=seeds, status="not run")
    if result.judged == "metric":
        found = [
            number
            for _, _, verdict in runs
            for _, _, target in targets_of(verdict)
            if not target.get("control") and (number := finite(target.get(result.metric))) is not None
        ]
        if not found or result.value is None:
            return Row(result=result, ours="not judged", seeds=seeds, status="not run")
        mean = sum(found) / len(found)
        interval = f" ({written(min(found))} to {written(max(found))})" if len(found) > 1 else ""
        status = "reproduced" if reproduced(result.metric, result.value, mean) else "not reproduced"
        return Row(
            result=result, ours=f"{named(result.metric).label}: {written(mean)}{interval}", seeds=seeds, status=status
        )
    if result.judged == "stable":
        return _stable(result, runs, seeds)
    return Row(
        result=result, ours=f"see {', '.join(sorted({run[0] for run in runs}))} below", seeds=seeds, status="to look at"
    )


def _stable(result: Result, runs: Sequence[tuple[str, int, Mapping[str, Any]]], seeds: str) -> Row:
    """Judge Fig. 7's claim: accuracy within 0.02 of what it was before; precision, recall and F1 below that."""
    texts, outcomes = [], []
    for _, _, verdict in runs:
        model = verdict.get("global_model") or {}
        before, after = model.get("before_attack") or {}, model.get("after_attack") or {}
        names = ("accuracy", "precision_all", "recall_all", "f1_all")
        moves = [(finite(before.get(name)), finite(after.get(name))) for name in names]
        if any(old is None or new is None for old, new in moves):
            continue
        changes = [new - old for old, new in moves if old is not None and new is not None]
        outcomes.append(changes[0] >= -0.02 and all(change < 0 for change in changes[1:]))  # noqa: PLR2004
        texts.append(
            ", ".join(
                f"{named(name).label.lower()} {100 * change:+.1f} points"
                for name, change in zip(names, changes, strict=True)
            )
        )
    if not texts:
        return Row(result=result, ours="not judged", seeds=seeds, status="not run")
    return Row(
        result=result, ours="; ".join(texts), seeds=seeds, status="reproduced" if all(outcomes) else "not reproduced"
    )

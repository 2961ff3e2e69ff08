"""The results that the papers print, as data: what each figure or table shows, and its numbers where there are any.

Facts only, in our own words. A row names the scenarios that cover it; oleander.report.beside puts runs beside them.
"""

from dataclasses import dataclass

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
        attack_rounds: rounds of attack after which the paper reached it, where it says so.

    """

    place: str
    shows: str
    setting: str
    paper: str
    scenarios: tuple[str, ...]
    judged: str
    metric: str = ""
    value: float | None = None
    attack_rounds: int | None = None


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A paper: title, authors and year, where it was published, its results, and what to know before comparing."""

    title: str
    source: str
    results: tuple[Result, ...]
    note: str = ""


MNIST, FASHION, CIFAR = "gan-attack-mnist", "gan-attack-fashion-mnist", "gan-attack-cifar10-two-users"

PAPERS = {
    "sun": Paper(
        title="Information Stealing in Federated Learning Systems Based on Generative Adversarial Networks",
        source="Yuwei Sun and Ng S. T. Chong",
        note="The distance of equation 6 as printed cannot fall as far as Fig. 8 says; the squared distance of the "
        "means can, so that reading stands beside the paper's number. Like with like: the paper quotes the least value "
        "over the rounds, so ours is that, too, with the last round's beside it.",
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
                metric="distance_minimum",
                value=0.00173,
                attack_rounds=49,
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

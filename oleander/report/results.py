"""What a result of a paper is, and the same beside ours."""

from dataclasses import dataclass

NAMES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "cifar10": "CIFAR-10", "digits": "8x8 digits"}
"""Data sets by what people call them."""
TENTH = (
    "“Reproduced”: within a tenth of the paper's number or, where one way is better for the attack, beyond it. A run "
    "whose attack is set otherwise than the paper's is marked “with other settings”, whatever its numbers."
)


@dataclass(frozen=True, kw_only=True)
class Result:
    """One result of a paper.

    Attributes:
        place: figure, table or section.
        shows: what it shows.
        setting: data set and what matters of the protocol.
        paper: the paper's outcome in words or numbers.
        scenarios: names of the scenarios that cover it; where there are none, the runs are chosen by ...
        dataset, attacks: ... data set and kinds of attack (oleander.report.wang.kind).
        judged: how ours is read: `metric` (a number of the verdict), `loot` (pictures to look at), `stable` (accuracy
            holds while precision, recall and F1 fall), `curves`, `roc`; of Wang `property` (J and its controls),
            `score`, `order` (of the scores), `effect` (accuracy by attack); of Luo, Chen and Zhu a name of luo.CHECKS
            or membership_papers.CHECKS.
        metric: the verdict's name of the number, for `metric`.
        value: the paper's number, for `metric` and `score`.
        attack_rounds: rounds of attack after which the paper reached it, where it says so.
        clients: the paper's participants beside an attacker, where that matters.
        datasets: of Luo, Chen and Zhu, whose runs are chosen by data set alone.

    """

    place: str
    shows: str
    setting: str
    paper: str
    scenarios: tuple[str, ...] = ()
    judged: str
    dataset: str = ""
    attacks: tuple[str, ...] = ()
    metric: str = ""
    value: float | None = None
    attack_rounds: int | None = None
    clients: int | None = None
    datasets: tuple[str, ...] = ()

    @property
    def data(self) -> str:
        """Our data sets, as people call them."""
        return " or ".join(NAMES.get(name, name) for name in self.datasets)

    @property
    def where(self) -> str:
        """The setting, with our data sets where it does not name them."""
        told = all(NAMES.get(name, name) in self.setting for name in self.datasets)
        return self.setting if told else f"{self.setting}; here {self.data}"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A result beside ours.

    `status` is `reproduced`, `not reproduced`, `with other settings`, `to look at`, `not run` or `not judged`, the last
    with the reason in brackets where there is one to tell.
    """

    result: Result
    ours: str
    seeds: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A paper: title, authors and year, where it was published, its results, and what to know before comparing.

    `rule` says when a result counts as reproduced.
    """

    title: str
    source: str
    results: tuple[Result, ...]
    note: str = ""
    rule: str = TENTH

"""The results that the papers print, as data: what each figure or table shows, and its numbers where there are any.

Facts only, in our own words. A row names the scenarios that cover it; oleander.report.beside puts runs beside them.
"""

from collections.abc import Sequence

from oleander.report import luo_results, membership_results
from oleander.report.results import Paper, Result
from task.settings import choose

MNIST, FASHION, CIFAR = "gan-attack-mnist", "gan-attack-fashion-mnist", "gan-attack-cifar10-two-users"

ANY = ("passive", "active", "inversion", "participant")
TABLE_III = (
    ("real images", ANY, 1.55, 0.04),
    ("passive", ("passive",), 1.42, 0.02),
    ("active", ("active",), 1.61, 0.05),
    ("GAN-based attack", ("participant",), 1.18, 0.03),
    ("model inversion", ("inversion",), 1.01, 0.03),
)

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
    "wang": Paper(
        title="Beyond Inferring Class Representatives: User-Level Privacy Leakage From Federated Learning",
        source="Zhibo Wang, Mengkai Song, Zhifei Zhang, Yang Song, Qian Wang and Hairong Qi, 2019",
        note="The paper shows pictures; here an independent judge is asked in their place (J: right class and the "
        "victim's property). Of the inception score the paper names no classifier: ours by the judge's own is on "
        "another scale, so that only the order compares.",
        rule="Runs that are set alike form a group; nothing is averaged over groups, and a row is judged by the group "
        "that is set as the paper has it, over several seeds; else it says “with other settings”, whatever its "
        "numbers, or “not judged” and why. “Reproduced” for pictures: J is a half at least, and a quarter above "
        "every control: “not the victim”, the server's own images turned by any angle, real images without the "
        "property, and runs with an upright victim, without which nothing is reproduced. For a score: within a "
        "tenth, by ImageNet's network. For an order: each stands clear of the next; not reproduced where one is "
        "clearly the other way round. For Fig. 7: the GAN-based attack's accuracy is clearly the lowest and moves "
        "twice as much a round as the others' (“oscillating”), the passive attack's is not below the active one's, "
        "and is that of an honest run where there is one. Intervals are 95 %, over runs (Student's t).",
        results=(
            Result(
                place="Fig. 4",
                shows="Samples are turned as the victim's are, those of the others are not",
                setting="MNIST, passive, 10 participants of 3 digits each, the victim's turned",
                paper="pictures; indistinguishable from the victim's",
                judged="property",
                dataset="mnist",
                attacks=("passive",),
                clients=10,
            ),
            Result(
                place="V-D",
                shows="The same by an active server, which isolates the victim",
                setting="MNIST, as Fig. 4",
                paper="described, without results",
                judged="property",
                dataset="mnist",
                attacks=("active",),
                clients=10,
            ),
            Result(
                place="Fig. 5",
                shows="Persons come out with glasses, as only the victim has them; others come out distorted",
                setting="AT&T, passive, 10 participants",
                paper="pictures",
                judged="property",
                dataset="att-faces",
                attacks=("passive",),
                clients=10,
            ),
            Result(
                place="Fig. 6",
                shows="Samples of four attacks beside real images",
                setting="AT&T, 20 participants",
                paper="pictures; active best, model inversion blurry, the GAN-based attack does not converge",
                judged="loot",
                dataset="att-faces",
                attacks=("passive", "active", "inversion", "participant"),
                clients=20,
            ),
            *(
                Result(
                    place="Table III",
                    shows=f"Inception score, {name}",
                    setting="AT&T, 20 participants, 400 samples",
                    paper=f"{value:.2f} ± {deviation:.2f}",
                    judged="score",
                    metric="is_imagenet_real" if name == "real images" else "is_imagenet",
                    value=value,
                    dataset="att-faces",
                    attacks=attacks,
                    clients=20,
                )
                for name, attacks, value, deviation in TABLE_III
            ),
            Result(
                place="Table III",
                shows="The order of the scores",
                setting="AT&T, 20 participants, 400 samples",
                paper="active > passive > GAN-based attack > model inversion",
                judged="order",
                dataset="att-faces",
                attacks=("passive", "active", "inversion", "participant"),
                clients=20,
            ),
            Result(
                place="Fig. 7",
                shows="Accuracy of the shared model by attack",
                setting="AT&T, 20 participants",
                paper="passive highest, active a bit lower and stable, GAN-based low and oscillating",
                judged="effect",
                dataset="att-faces",
                attacks=("passive", "active", "participant", "honest"),
                clients=20,
            ),
        ),
    ),
}


def _listed(entries: Sequence[tuple[str, str, str, str, str, str]]) -> tuple[Result, ...]:
    """Return the results of a paper whose runs are chosen by data set alone."""
    return tuple(
        Result(place=place, shows=shows, setting=setting, datasets=tuple(names.split()), paper=said, judged=judged)
        for place, shows, setting, names, said, judged in entries
    )


PAPERS["luo"] = Paper(
    title="Exploiting Defenses against GAN-Based Feature Inference Attacks in Federated Learning",
    source="Xinjian Luo and Xiangqi Zhu, 2020",
    note=luo_results.NOTE,
    rule=luo_results.RULE,
    results=_listed(luo_results.RESULTS),
)

PAPERS["chen"] = Paper(
    title="Beyond Model-Level Membership Privacy Leakage: an Adversarial Approach in Federated Learning",
    source="Jiale Chen et al., ICCCN 2020",
    note=membership_results.NOTE,
    rule=membership_results.RULE,
    results=_listed(membership_results.CHEN),
)

PAPERS["zhu"] = Paper(
    title="MIA-Leak: Exploring Membership Inference Attacks in Federated Learning Systems",
    source="Chengcheng Zhu et al.",
    note=membership_results.NOTE,
    rule=membership_results.RULE,
    results=_listed(membership_results.ZHU),
)


def paper(name: str) -> Paper:
    """Return a paper by its short name.

    Raises:
        SettingsError: for one whose attack is not here, naming those that are.

    """
    return PAPERS[choose(name, PAPERS, "a paper whose attack is here")]

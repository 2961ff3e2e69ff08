"""The results that Chen et al. and Zhu et al. print: place, what it shows, setting, our data sets, outcome, how judged.

The last is a name of oleander.report.membership_papers.CHECKS, with a number or a name behind where it needs one; or
`unseen`: what no run can show.
Facts only, in our own words. Rows of the place `control` are ours: what neither paper has beside its numbers.
"""

Entry = tuple[str, str, str, str, str, str]

ACCURACY = "Accuracy of the main task"
LABELS = "1, 2, 3 and 5 labels"
ASCENT = "About as accurate, for one label, as gradient ascent (Nasr et al.)"
ADDED = ("control", "What the generators add to the global model's own argmax")
FRESH = ("control", "Against fresh images of the victim's labels (protocol clean)")

CHEN: tuple[Entry, ...] = (
    ("Fig. 4", "Images of the generators after 100 and 400 rounds", "MNIST", "mnist", "contours; clearer", "unseen"),
    ("Fig. 5", ACCURACY, "MNIST, 5 participants, 400 rounds", "mnist", "99.45 %", "accuracy 0.9945"),
    ("Fig. 5", ACCURACY, "CIFAR-10, 5 participants, 400 rounds", "cifar10", "93.71 %", "accuracy 0.9371"),
    (
        "Fig. 6",
        "Members are found less often the more labels the victim holds",
        f"MNIST, {LABELS}",
        "mnist",
        "worse",
        "labels tp_rate",
    ),
    (
        "Fig. 6",
        "Members are found less often the more labels the victim holds",
        f"CIFAR-10, {LABELS}",
        "cifar10",
        "worse",
        "labels tp_rate",
    ),
    ("Fig. 7", "ROC by labels held", f"MNIST, {LABELS}", "mnist", "accurate for 1 or 2", "labels auc"),
    ("Fig. 8", "ROC by labels held", f"CIFAR-10, {LABELS}", "cifar10", "accurate for 1 or 2", "labels auc"),
    ("V-D", ASCENT, "CIFAR-100 for the latter, quoted", "mnist cifar10", "76 %, close to it", "ascent"),
    (*ADDED, "protocol paper", "mnist cifar10", "not in the paper", "adds"),
    (*FRESH, "user level", "mnist cifar10", "not in the paper", "fresh"),
)

ZHU: tuple[Entry, ...] = (
    (
        "Fig. 4",
        "Images of the generators",
        "MNIST 150, 300; Fashion-MNIST 200, 400 rounds",
        "mnist",
        "clearer",
        "unseen",
    ),
    ("Table 1", "Class level: accuracy", "MNIST, 100 participants with 60", "mnist", "97.63 %", "own accuracy 0.9763"),
    ("Table 1", "Class level: recall", "MNIST, 100 participants with 60", "mnist", "88.36 %", "own recall 0.8836"),
    ("Table 1", "Class level: F1", "MNIST, 100 participants with 60", "mnist", "0.94", "own f1 0.94"),
    ("control", "The same without made images in the test", "class level", "mnist", "not in the paper", "real"),
    ("control", "The same by the clean protocol", "class level", "mnist fashion-mnist", "not in the paper", "clean"),
    ("Fig. 5a", "Class level: accuracy by the number of made images", "MNIST", "mnist", "52.9 % to 97.9 %", "made"),
    ("Fig. 5b", "Class level: accuracy by the target's epochs", "MNIST, 10 to 100", "mnist", "much higher", "epochs"),
    ("Fig. 6a", ACCURACY, "MNIST, 400 rounds", "mnist", "99.45 %", "accuracy 0.9945"),
    ("Fig. 6a", ACCURACY, "Fashion-MNIST, 400 rounds", "fashion-mnist", "93.71 %", "accuracy 0.9371"),
    (
        "Fig. 6b",
        "User level: members are found less often",
        f"MNIST, {LABELS}",
        "mnist",
        "worse with more",
        "labels tp_rate",
    ),
    (
        "Fig. 6b",
        "User level: members are found less often",
        f"Fashion-MNIST, {LABELS}",
        "fashion-mnist",
        "worse with more",
        "labels tp_rate",
    ),
    ("4.4", ASCENT, "Fashion-MNIST, quoted", "mnist fashion-mnist", "76 %, close to it", "ascent"),
    (*ADDED, "protocol paper", "mnist fashion-mnist", "not in the paper", "adds"),
    (*FRESH, "user level", "mnist fashion-mnist", "not in the paper", "fresh"),
    ("1, 4.1", "DefMIA against both attacks", "not named", "mnist cifar10", "reduced dramatically", "defended"),
)

NOTE = (
    "The papers' pipelines and the clean protocol are never mixed in one number. User level: members are the victim's "
    "training records, the others are those of participants with other labels (protocol paper), so that what is told "
    "apart is the label; by the clean protocol the others are fresh images of the same labels. Class level: the paper "
    "tests on the attacker's own records and on images that its generators made."
)
RULE = (
    "Runs of one setting are averaged over seeds. “Reproduced”: a number is within two points of the paper's; in a "
    "comparison the 95 % intervals over seeds (Student's t) lie apart as the paper has it, “not reproduced” where they "
    "lie apart the other way round. One seed proves nothing."
)

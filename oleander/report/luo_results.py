"""The results that Luo and Zhu print: place, what it shows, setting, our data sets, outcome, and how ours is judged.

The last is a name of oleander.report.luo.CHECKS. Facts only, in our own words.
"""

RESULTS = (
    ("Fig. 4a", "RIAFI by lambda1", "MNIST", "mnist", "curve, no numbers in the text", "lambda1"),
    ("Fig. 4b", "RIAFI without obfuscation", "MNIST, lambda2 0", "mnist", "0", "at zero"),
    ("Fig. 4b", "RIAFI with a little of it", "MNIST, lambda2 10", "mnist", "above 90 %", "at ten"),
    ("Fig. 4b", "Above that RIAFI falls", "MNIST, lambda2 from 10", "mnist", "lower the larger lambda2", "falls"),
    ("Fig. 5", "Look-alikes by lambda1 and by lambda2", "MNIST", "mnist", "pictures: near the mean; sharper", "loot"),
    (
        "Fig. 6",
        "The more real images, the more the attacker gets",
        "lambda1 0.005, lambda2 48; MNIST here, not named there",
        "mnist",
        "pictures: clearer with more real ones",
        "stolen",
    ),
    ("Fig. 7", "RIAFI rises with the mixing ratio", "MNIST", "mnist", "rises", "worth"),
    ("Fig. 7", "RIAFI rises with the mixing ratio", "Fashion-MNIST", "fashion-mnist", "rises", "worth"),
    ("Fig. 7", "It does so later on Fashion-MNIST", "both", "mnist fashion-mnist", "slower", "slower"),
    ("Fig. 8", "Frogs by obfuscation", "CIFAR-10, lambda1 0", "cifar10", "pictures: max sharp, min greyish", "loot"),
    (
        "Fig. 9b",
        "max spreads the values of the pixels",
        "CIFAR-10 here",
        "cifar10",
        "high higher, low lower",
        "spreads",
    ),
    ("Fig. 9c", "min narrows them", "CIFAR-10 here", "cifar10", "a narrower distribution", "shrinks"),
    ("Fig. 9c", "min makes them smaller", "CIFAR-10 here", "cifar10", "all values smaller", "darkens"),
    ("Fig. 10", "RIAFI of max is above that of min", "MNIST", "mnist", "max higher", "max or min"),
    ("Fig. 11", "Look-alikes during the training, max 48", "Fashion-MNIST", "fashion-mnist", "pictures", "loot"),
    ("Fig. 12", "Look-alikes during the training, min 3.53", "Fashion-MNIST", "fashion-mnist", "pictures", "loot"),
    ("Fig. 13", "The generator's loss", "Fashion-MNIST", "fashion-mnist", "min hard to converge", "loot"),
)

NOTE = (
    "RIAFI: the share of the participant's real images that a classifier gets right which knows their class from "
    "what the participant publishes alone. Beside it stands the share of the look-alikes that an independent judge "
    "takes for the class: what is of use is recognisable, so that neither number means much without the other. The "
    "paper prints neither networks nor steps; the grids are ours."
)
RULE = (
    "Runs of one setting are averaged over seeds; of several ways to fit a defence (network, steps) that of most runs "
    "is taken. “Reproduced”: for a level, the whole 95 % interval of the mean is there (0 means at most 5 %); for a "
    "comparison, the intervals lie apart as the paper has it. “Not reproduced”: none of it is there, or they lie apart "
    "the other way round. Intervals are over seeds (Student's t), no narrower than the number of images allows."
)

"""What sets a run apart from Wang's paper, and what attacks in it."""

from wang_runs import LITERAL, faces, gan, inversion, mnist

from oleander import scenario as scenarios
from oleander.report.departures import departures, kind


def test_runs_are_told_apart_by_what_attacks() -> None:
    """Passive, active, a participant's GAN, nobody."""
    names = ("mgan-ai-passive-mnist", "mgan-ai-active-mnist", "gan-attack-faces")
    assert [kind(scenarios.load(name)) for name in names] == ["passive", "active", "participant"]


def test_departures_name_the_recipe_and_what_differs_from_it() -> None:
    """The repaired recipe's own options are no departures beside its name; a narrower network and a late start are."""
    assert departures(mnist(0, *LITERAL)) == []
    changed = departures(mnist(0))
    assert changed[:2] == ["recipe repaired", "from round 20"]
    assert {"turned 45", "network wang-quarter", "model wang-cnn-half"} <= set(changed)
    assert not any(text.startswith("diversity") for text in changed)
    assert "10 participants" in departures(mnist(0, *LITERAL), clients=20)


def test_departures_are_of_the_federation_too_and_are_read_one_by_one() -> None:
    """Rates, batches, the split, the turn, nested options; of the other attacks what is not their default."""
    overrides = (
        "task.optimizer.lr=0.1",
        "task.batch_size=100",
        "task.partition.images=200",
        "task.private.degrees=45",
        "server.attack_options.representatives.iterations=5",
    )
    assert departures(mnist(0, *LITERAL, *overrides)) == [
        "representatives.iterations 5",
        "learning rate 0.1",
        "batches of 100",
        "turned by 45 degrees",
        "partition.images 200",
    ]
    assert departures(inversion(0), 20) == []
    assert departures(gan(21, 0), 20) == []
    assert {"cost log", "steps 600"} <= set(departures(faces("model-inversion-faces")))
    shipped = departures(scenarios.load("gan-attack-faces"))
    assert {"steps 25", "batch_size 8", "poison_images 10", "network wang-faces-quarter"} <= set(shipped)

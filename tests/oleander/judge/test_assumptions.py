"""What flatters an attack is called an upper bound."""

from oleander import scenario as scenarios
from oleander.judge.assumptions import assumptions


def flattering(name: str, *overrides: str) -> str:
    """All upper bounds of a scenario in one text."""
    return " ".join(one["text"] for one in assumptions(scenarios.load(name, overrides)) if one["upper_bound"])


def test_the_papers_setting_is_full_of_them() -> None:
    """One class per participant, known labels, an extra output, everyone in every round."""
    text = flattering("gan-attack-mnist")
    for phrase in ("one class only", "which output", "an output more", "every round", "plain mean"):
        assert phrase in text


def test_what_a_scenario_does_not_do_is_not_held_against_it() -> None:
    """A passive attack poisons nothing; with IID data a class is nobody's in particular."""
    assert "nobody notices" not in flattering("gan-attack-passive-mnist")
    assert "holds one class" not in flattering("gan-attack-mnist", "task.partition.kind=iid")
    assert "two participants" in flattering("gan-attack-cifar10-two-users")


def test_noise_is_told_as_it_is_sent() -> None:
    """From the first round, from the attack's start, or, without poison, not at all."""
    assert "From the first round on the attacker also teaches" in flattering("demo")
    assert "From the attack's start on" in flattering("demo", "clients.0.options.noise_early=false")
    assert "refuse noise" not in flattering("demo", "clients.0.options.poison=false")


def test_the_mean_is_called_what_it_is() -> None:
    """Plain, or weighted by examples; the median is none."""
    assert "mean, weighted by the examples" in flattering("demo", "federation.weighting=examples")
    assert "mean" not in flattering("demo", "server.strategy=fedmedian")


def test_a_defended_participant_is_named() -> None:
    """With its defence; a server's victim that is defended does not show the model its images."""
    defended = "clients=[{ids: [0], role: defended, defense: anti-gan}]"
    told = " ".join(one["text"] for one in assumptions(scenarios.load("mgan-ai-passive-mnist", [defended])))
    assert "Participant 0 is defended by anti-gan" in told
    shown = "The victim shows the model all of its images"
    assert shown not in told
    assert shown in flattering("mgan-ai-passive-mnist")


def test_who_rehearses_a_defence_knows_it() -> None:
    """Among membership attackers only the one who defends a shadow of its own."""
    said = " ".join(line["text"] for line in assumptions(scenarios.load("def-mia-digits")))
    assert "6 are defended by def-mia, which shadow-learner knows with all settings, and no other method." in said
    quiet = scenarios.load("def-mia-digits", ["membership.baselines=[label-only]"])
    assert any("of which the attack knows nothing" in line["text"] for line in assumptions(quiet))


def test_a_single_run_is_a_single_run() -> None:
    """The last assumption is about the seed."""
    assert "one seed" in assumptions(scenarios.load("gan-attack-digits"))[-1]["text"]


def test_a_malicious_server_is_granted_a_lot() -> None:
    """Single updates, images of the same kind, a guess of the property; what an active one does."""
    text = flattering("mgan-ai-passive-mnist")
    for phrase in (
        "update by itself",
        "same data set",
        "guesses the kind",
        "turned by 30 degrees",
        "each one's updates",
    ):
        assert phrase in text
    assert "upright, as a control" in flattering("mgan-ai-passive-mnist", "task.private.degrees=0")
    assert "All marked images" in flattering("mgan-ai-passive-faces")
    told = [one["text"] for one in assumptions(scenarios.load("mgan-ai-active-mnist"))]
    assert "The server keeps its victim's updates out of the global model." in told
    own = scenarios.load("mgan-ai-active-mnist", ["server.attack_options.isolate_on=own"])
    different = "It sends its victim another model than everybody else."
    assert (different in told, different in [one["text"] for one in assumptions(own)]) == (False, True)

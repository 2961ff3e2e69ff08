"""What an attack was granted. Settings that flatter it are marked as upper bounds: in the wild it gets less."""

from typing import Any

from oleander.early_noise import sends_early_noise
from oleander.scenario import UNDEFENDED, Scenario
from oleander.sections import ClientSettings
from task.questions import MembershipSettings

MEANS = ("fedavg", "fedprox", "fedadam")
REHEARSES = "shadow-learner"
"""The membership attack that defends a shadow of its own as the others are defended."""


def assumptions(scenario: Scenario) -> list[dict[str, Any]]:
    """Return {"text": a sentence, "upper_bound": whether it flatters the attack} for everything worth knowing."""
    found = _of_the_federation(scenario)
    for entry in scenario.clients:
        if entry.role == "malicious":
            found += [line for line in _of_an_attacker(scenario, entry) if line not in found]
    found += [_defended(scenario, entry) for entry in scenario.clients if entry.defense is not None]
    if scenario.server.attack is not None:
        found += _of_the_server(scenario)
    if scenario.membership is not None:
        found += _of_the_question(scenario.membership)
    text = "One run with one seed: intervals cover the draw of the samples, not what another seed would give."
    return [*found, _fact(text)]


def _flatters(text: str) -> dict[str, Any]:
    return {"text": text, "upper_bound": True}


def _fact(text: str) -> dict[str, Any]:
    return {"text": text, "upper_bound": False}


def _of_the_federation(scenario: Scenario) -> list[dict[str, Any]]:
    """Say how data and participants are laid out."""
    partition, clients = scenario.task.partition, scenario.federation.clients
    found = []
    if partition.kind == "one-class":
        found.append(_flatters("Every participant holds one class only: who has the class has the participant's data."))
    elif partition.kind in ("k-classes", "random-classes"):
        count = partition.classes_per_client
        found.append(
            _flatters(f"Every participant holds {count} classes only, so a class says much about a participant.")
        )
    elif partition.kind == "iid":
        nobody = ": a stolen class is nobody's in particular" if scenario.membership is None else ""
        found.append(_fact(f"Every participant holds every class{nobody}."))
    if scenario.server.attack is not None and not scenario.malicious():
        found.append(_fact(f"There are {clients} participants."))
    elif clients == 2:  # noqa: PLR2004  # the smallest federation
        found.append(_flatters("There are two participants: what the attacker did not send is the victim's."))
    else:
        found.append(
            _fact(f"There are {clients} participants; each attacker claims as many examples as an honest one.")
        )
    strategy = scenario.server.strategy
    everyone = scenario.federation.fraction == 1
    if everyone and scenario.malicious():
        found.append(_flatters("Every participant is asked in every round, so the attacker sees every global model."))
    elif everyone and scenario.server.attack is not None:
        found.append(_flatters("Every participant is asked in every round, so the server sees each one's updates."))
    if strategy in MEANS:
        uniform = scenario.federation.weighting == "uniform"
        mean = "plain mean" if uniform else "mean, weighted by the examples that each claims,"
        step = " and takes a step of its own towards it" if strategy == "fedadam" else ""
        private = scenario.server.privacy
        if private is None:
            text = f"The server forms the {mean} of the updates{step}; it does not check, clip or blur them."
            found.append(_flatters(text))
        else:
            found.append(_fact(f"The server forms the {mean} of the updates{step}, inside Flower's {private}."))
    else:
        found.append(_fact(f"The server aggregates by {strategy}, not by a mean."))
    return found


def _defended(scenario: Scenario, entry: ClientSettings) -> dict[str, Any]:
    """Say who defends itself, and how, and who knows of it."""
    who = f"Participant{'s' if len(entry.ids) > 1 else ''} {', '.join(map(str, entry.ids))}"
    verb = "are" if len(entry.ids) > 1 else "is"
    if entry.defense == UNDEFENDED:
        return _fact(f"{who} {verb} not defended.")
    options = scenario.server.attack_options
    if options.get("knows") and options.get("victim") in entry.ids:
        return _flatters(f"{who} {verb} defended by {entry.defense}, and the attack knows that and all settings.")
    asked = {one.attack for one in scenario.clients} | {scenario.server.attack}
    if scenario.membership is not None and REHEARSES in asked | set(scenario.membership.baselines):
        how = f"which {REHEARSES} knows with all settings, and no other method"
        return _fact(f"{who} {verb} defended by {entry.defense}, {how}.")
    return _fact(f"{who} {verb} defended by {entry.defense}, of which the attack knows nothing.")


def _of_the_server(scenario: Scenario) -> list[dict[str, Any]]:
    """Say what a malicious server knows and does."""
    options, private, task = scenario.server.attack_options, scenario.task.private, scenario.task
    found = [_flatters("The server sees every participant's update by itself: nothing is added up before it arrives.")]
    found.append(_flatters("The server's own images are of the same data set as the participants'."))
    if scenario.server.attack == "published-set":
        text = "The attack reads the very images that its victim trains on, which no federation shows to anybody."
        found = [_flatters(text)]
    if options.get("mode") == "active":
        found.append(_fact("The server keeps its victim's updates out of the global model."))
        if options.get("isolate_on") == "own":
            found.append(_fact("It sends its victim another model than everybody else."))
    elif options.get("mode") == "passive":
        found.append(_fact("The server takes part as it should: the global model is that of an honest one."))
    if options.get("turned"):
        degrees = f"{options['turned']:g}"
        text = f"The server turns its own images by up to {degrees} degrees: it guesses the kind of the property."
        found.append(_flatters(text))
    if private is not None and private.kind == "rotated":
        turned = f"turned by {private.degrees:g} degrees" if private.degrees else "upright, as a control"
        found.append(_flatters(f"All of the victim's images are {turned}; nobody else's are."))
    elif private is not None:
        found.append(_flatters("All marked images are the victim's, and it holds no others."))
    victim = scenario.role_of(options.get("victim", -1))
    if task.images_per_round is None and victim.defense is None:
        found.append(_flatters("The victim shows the model all of its images in every round."))
    return found


def _of_the_question(settings: MembershipSettings) -> list[dict[str, Any]]:
    """Say what membership attackers are asked, and told."""
    found = [_flatters("The attacker knows how many of the records in question are members.")]
    found.append(_flatters("The attacker knows the true label of every record in question."))
    if settings.reference:
        count = settings.reference
        found.append(_flatters(f"It has {count} images of the same data that nobody trains on, to compare with."))
    if settings.known:
        count = settings.known
        found.append(_flatters(f"It is told of {count} other members and of as many others which of them are members."))
    if settings.declared:
        found.append(_fact("Participants have told which labels they hold."))
    if "paper" in settings.protocols:
        text = "By the paper's protocol the others' records may have other labels: who owns a label is no membership."
        found.append(_flatters(text))
    return found


def _of_an_attacker(scenario: Scenario, entry: ClientSettings) -> list[dict[str, Any]]:
    """Say what an attacker knows and does."""
    options, found = entry.options, []
    holders = set(scenario.task.partition.holders or ())
    if "target" in options:
        found.append(_flatters("The attacker knows which output of the shared model stands for the class it wants."))
    if options.get("fake_label") == "extra" and options.get("poison"):
        found.append(_flatters("The shared model has an output more than there are classes, for the attacker's fakes."))
    if options.get("poison"):
        found.append(_flatters("The attacker trains the shared model on its fakes, and nobody notices."))
    if options.get("poison") and options.get("noise_images"):
        since = "From the first round on" if sends_early_noise(entry) else "From the attack's start on"
        found.append(_flatters(f"{since} the attacker also teaches the shared model to refuse noise."))
    if sends_early_noise(entry):
        found.append(_fact("So no round of this run is an honest one: the honest accuracy is unknown from it."))
    if options.get("dark"):
        found.append(_flatters("The attacker assumes that images are dark at the background, as these are."))
    if options.get("start_accuracy") is not None:
        found.append(_fact("The server tells everyone its test accuracy; the attacker waits for it."))
    if holders.intersection(entry.ids):
        found.append(_flatters("The attacker holds data of its own, of the same kind as the victims'."))
    else:
        found.append(_fact("The attacker holds no data."))
    return found

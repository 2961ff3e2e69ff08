"""mGAN-AI's own behaviour, beside the contract of all attacks of a server."""

import contextlib
import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from attacks import mgan_ai, registry, representatives
from attacks.mgan_ai import MganAi
from attacks.mgan_batches import blurred
from attacks.mgan_training import discriminator_steps
from attacks.views import ServerView
from task import models
from task.facts import Images, TaskFacts
from task.models import weights
from task.seeding import generator
from task.settings import SettingsError

FACTS = TaskFacts(shape=(1, 8, 8), classes=10, outputs=10, model="digits-cnn", clients=3)
VICTIM = 1
SMALL: dict[str, Any] = {
    "victim": VICTIM,
    "network": "small",
    "steps": 2,
    "batch_size": 8,
    "representatives": {"iterations": 2, "solver": "adam"},
}


def make(**options: Any) -> MganAi:
    """Build the attack with small settings and these options."""
    return mgan_ai.build(registry.options("mgan-ai", SMALL | options), FACTS, generator(0))


def update(*owned: int) -> dict[str, Tensor]:
    """Return an update whose last bias grows for these classes."""
    model = models.build("digits-cnn", FACTS.shape, FACTS.outputs, generator(5))
    found = {name: 0.01 * tensor for name, tensor in weights(model).items()}
    last = list(found)[-1]
    found[last] = torch.full((10,), -0.01)
    found[last][list(owned)] = 0.05
    return found


def view(number: int, updates: Mapping[int, Mapping[str, Tensor]], accuracy: float = 0.5, seed: int = 3) -> ServerView:
    """Return a round; the auxiliary set has two grey images of each class."""
    model = models.build("digits-cnn", FACTS.shape, FACTS.outputs, generator(seed)).eval().requires_grad_(False)  # noqa: FBT003
    auxiliary = Images(torch.zeros(20, *FACTS.shape), torch.arange(10).repeat(2))
    return ServerView(
        round=number,
        last=False,
        global_model=model,
        aggregate=model,
        updates=updates,
        accuracy=accuracy,
        auxiliary=auxiliary,
    )


EVERYBODY = {0: update(0, 1), VICTIM: update(3, 6), 2: update(6, 8)}


def test_a_passive_attack_sends_everybody_the_very_weights() -> None:
    """Nothing is copied and nobody is isolated, also after the attack has begun."""
    attack = make()
    attack.observe(view(1, EVERYBODY), generator(1))
    model = weights(view(1, {}).global_model)
    assert all(attack.outgoing(client, model) is model for client in range(3))
    assert attack.isolated == ()
    assert attack.started


def test_an_active_attack_isolates_its_victim_from_the_start_round_on() -> None:
    """Before round 3 nobody is isolated; in it the victim gets the aggregate of round 2, later its own model."""
    attack, model = make(mode="active", start_round=3), weights(view(1, {}).global_model)
    attack.observe(view(1, EVERYBODY), generator(1))
    assert attack.isolated == ()
    attack.observe(view(2, EVERYBODY), generator(2))
    assert attack.isolated == (VICTIM,)
    sent = attack.outgoing(VICTIM, model)
    assert all(torch.equal(sent[name], tensor) for name, tensor in model.items())
    assert not attack.started
    attack.observe(view(3, EVERYBODY), generator(3))
    assert not torch.equal(attack.outgoing(VICTIM, model)["0.weight"], model["0.weight"])
    assert attack.outgoing(0, model) is model


@pytest.mark.parametrize(("judges", "same"), [("own", True), ("shared", False)])
def test_with_judges_of_their_own_the_isolated_model_is_what_the_victim_sent(judges: str, same: bool) -> None:  # noqa: FBT001
    """M_iso + u is not touched by D's steps then; with one body for all (the paper's) it is."""
    model = weights(view(1, {}).global_model)
    expected = {name: tensor + EVERYBODY[VICTIM][name] for name, tensor in model.items()}
    attack = make(mode="active", judges=judges)
    attack.observe(view(1, EVERYBODY), generator(1))
    assert torch.equal(attack.outgoing(VICTIM, model)["0.weight"], expected["0.weight"]) == same


def test_an_isolated_victim_may_be_sent_the_others_model() -> None:
    """`isolate_on: aggregate`: each round the aggregate, of which it is no part; the others get nothing new."""
    attack, model = make(mode="active", isolate_on="aggregate"), weights(view(1, {}).global_model)
    attack.observe(view(1, EVERYBODY), generator(1))
    later = dataclasses.replace(view(2, EVERYBODY), aggregate=view(1, {}, seed=8).aggregate)
    attack.observe(later, generator(2))
    sent = attack.outgoing(VICTIM, model)
    assert attack.isolated == (VICTIM,)
    assert all(torch.equal(sent[name], tensor) for name, tensor in weights(later.aggregate).items())


def test_an_isolated_victim_that_misses_a_round_is_sent_what_the_discriminator_has_become() -> None:
    """The body goes on from where it was, and is not set back to the model of the last reply."""
    attack, model = make(mode="active"), weights(view(1, {}).global_model)
    others = {client: one for client, one in EVERYBODY.items() if client != VICTIM}
    attack.observe(view(1, EVERYBODY), generator(1))
    first = attack.outgoing(VICTIM, model)
    attack.networks.judges_optimizer.param_groups[0]["lr"] = 0.0  # then the next round's steps change nothing
    attack.observe(view(2, others), generator(2))
    second = attack.outgoing(VICTIM, model)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_it_begins_at_an_accuracy() -> None:
    """The first round whose global model has reached it is the first of the attack."""
    attack = make(start_round=None, start_accuracy=0.6)
    attack.observe(view(1, EVERYBODY, accuracy=0.59), generator(1))
    assert not attack.started
    assert len(attack.loot(3, generator(2)).images) == 0
    attack.observe(view(2, EVERYBODY, accuracy=0.6), generator(1))
    assert attack.started


def test_loot_is_of_every_category_and_of_owned_ones_alone_where_asked() -> None:
    """The victim's update grows the biases of its classes, 3 and 6."""
    for limited, labels in ((False, list(range(10))), (True, [3, 6])):
        attack = make(owned_only=limited)
        attack.observe(view(1, EVERYBODY), generator(1))
        assert attack.loot(2, generator(2)).labels.unique().tolist() == labels
        rest = sorted(set(range(10)) - set(labels))
        assert attack.not_owned(2, generator(2)).labels.unique().tolist() == rest


def test_the_control_is_another_identity_and_there_is_none_for_an_active_attack() -> None:
    """Same noise, same categories, other images; none where one identity only was learnt."""
    attack = make(recipe="repaired")
    both = Images(
        torch.tensor([1.0, -1.0]).repeat_interleave(10).view(20, 1, 1, 1).expand(-1, 1, 8, 8),
        torch.tensor([3, 6]).repeat(10),
    )
    for number in range(1, 4):
        attack.observe(dataclasses.replace(view(number, EVERYBODY), auxiliary=both), generator(number))
    loot, control = attack.loot(2, generator(2)), attack.control(2, generator(2))
    assert torch.equal(loot.labels, control.labels)
    assert not torch.equal(loot.images, control.images)
    for changed in ({"mode": "active"}, {"identity_condition": "victim"}):
        other = make(**changed)
        other.observe(view(1, EVERYBODY), generator(1))
        assert other.started
        assert len(other.control(2, generator(2)).images) == 0


def test_the_identity_is_the_victims_and_no_other_way_round() -> None:
    """White representatives of the victim and black ones of the others: the loot is brighter than the control."""

    def shades(model: object, updates: Mapping[int, Any], *_: object, **__: object) -> dict[int, Images]:
        del model
        labels = torch.tensor([3, 6])
        return {one: Images(torch.full((2, 1, 8, 8), 1.0 if one == VICTIM else -1.0), labels) for one in updates}

    options = registry.options("mgan-ai", SMALL | {"steps": 60, "judges": "own", "lr": 0.002, "owned_only": True})
    attack = MganAi(options, FACTS, generator(0), shades)
    both = Images(
        torch.tensor([1.0, -1.0]).repeat_interleave(10).view(20, 1, 1, 1).expand(-1, 1, 8, 8),
        torch.tensor([3, 6]).repeat(10),
    )
    for number in range(1, 4):
        attack.observe(dataclasses.replace(view(number, EVERYBODY), auxiliary=both), generator(number))
    loot, control = attack.loot(20, generator(9)), attack.control(20, generator(9))
    assert loot.images.mean() > control.images.mean() + 0.1


def test_rare_classes_of_the_victim_are_not_forgotten() -> None:
    """Fifteen classes that rise by 10 down to 2: the rarest is owned, a class that falls is not."""
    bias = torch.full((40,), -0.001)
    bias[:15] = torch.tensor([10.0] * 8 + [8, 8, 8, 5, 5, 3, 2]) / 100
    counts = torch.bincount(representatives.labels({"9.bias": bias}, mgan_ai.LABELS), minlength=40)
    assert mgan_ai.owned(counts) == list(range(15))


def test_a_missing_victim_stops_nothing() -> None:
    """Without the victim's first reply there is nothing to do; later the attack goes on with what it has."""
    others = {client: one for client, one in EVERYBODY.items() if client != VICTIM}
    attack = make()
    attack.observe(view(1, others), generator(1))
    assert not attack.started
    attack.observe(view(2, EVERYBODY), generator(2))
    found = attack.representatives()[VICTIM].images.clone()
    before = attack.loot(2, generator(9)).images
    attack.observe(view(3, others), generator(3))
    assert torch.equal(attack.representatives()[VICTIM].images, found)
    assert not torch.equal(attack.loot(2, generator(9)).images, before)


def test_a_model_that_comes_back_untouched_names_no_class() -> None:
    """All zeros say nothing: the round counts as one without the victim."""
    attack = make()
    untouched = {name: torch.zeros_like(tensor) for name, tensor in EVERYBODY[VICTIM].items()}
    attack.observe(view(1, {**EVERYBODY, VICTIM: untouched}), generator(1))
    assert not attack.started
    assert attack.seen.sum() == 0


@pytest.mark.parametrize("mode", ["passive", "active"])
def test_it_stops_training_when_the_shared_model_is_content_three_rounds_running(mode: str) -> None:
    """With a threshold of 0 that is after three rounds; the federation goes on, an isolated victim's model, too."""
    attack, model = make(stop_accuracy=0.0, mode=mode), weights(view(1, {}).global_model)
    seen, sent = [], []
    for number in range(1, 6):
        attack.observe(view(number, EVERYBODY), generator(number))
        seen.append(attack.loot(2, generator(9)).images)
        sent.append(attack.outgoing(VICTIM, model)["0.weight"].clone())
    assert not torch.equal(seen[1], seen[2])
    assert torch.equal(seen[2], seen[3])
    assert torch.equal(seen[3], seen[4])
    assert torch.equal(sent[3], sent[4]) == (mode == "passive")


def test_adam_forgets_overwritten_layers_and_remembers_the_heads() -> None:
    """One body, overwritten each round: its moments begin anew, those of the two heads do not (Algorithm 1)."""
    attack = make(recipe="paper", steps=1)
    for number in (1, 2):
        attack.observe(view(number, EVERYBODY), generator(number))
    networks = attack.networks
    state = networks.judges_optimizer.state
    trunk, head = next(networks.shared.parameters()), networks.real.head.weight
    assert state[trunk]["step"].item() == 1
    assert state[head]["step"].item() == 2


def test_discriminator_steps_grow_with_the_round() -> None:
    """One at first, one more every ten rounds, five at most."""
    assert [discriminator_steps(number) for number in (1, 9, 10, 20, 40, 999)] == [1, 1, 2, 3, 5, 5]


def test_what_the_identity_head_sees_is_standardised() -> None:
    """Each image has mean 0 and deviation 1, whatever its contrast; a flat image is 0."""
    images = torch.rand(3, 1, 8, 8, generator=generator(0)) * torch.tensor([0.1, 1.0, 0.0]).view(3, 1, 1, 1)
    found = blurred(images)
    assert torch.allclose(found.mean((1, 2, 3)), torch.zeros(3), atol=1e-5)
    assert torch.allclose(found[1].std(correction=0), torch.tensor(1.0), atol=0.03)
    assert torch.equal(found[2], torch.zeros_like(found[2]))


@pytest.mark.parametrize("changed", [{"victim": 3}, {"mode": "loud"}, {"recipe": "pape"}, {"start_round": None}])
def test_impossible_options_are_refused(changed: dict[str, Any]) -> None:
    """A victim that does not exist, unknown words, no start."""
    with pytest.raises(SettingsError, match="Expected"):
        make(**changed)


def test_a_category_without_auxiliary_images_is_left_out_and_an_attack_without_any_does_not_start() -> None:
    """The critic would have nothing to compare with; a failing round leaves no loot."""
    seen = view(1, EVERYBODY)
    for known, started in ((torch.arange(10) != 9, True), (torch.zeros(10, dtype=torch.bool), False)):
        attack = make(critic="projection")
        kept = known.repeat(2)
        auxiliary = Images(seen.auxiliary.images[kept], seen.auxiliary.labels[kept])
        with contextlib.nullcontext() if started else pytest.raises(SettingsError, match="auxiliary"):
            attack.observe(dataclasses.replace(seen, auxiliary=auxiliary), generator(1))
        assert attack.started == started
        assert set(attack.loot(2, generator(1)).labels.tolist()) == (set(range(9)) if started else set())

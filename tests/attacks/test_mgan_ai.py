"""mGAN-AI's own behaviour, beside the contract of all attacks of a server."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from attacks import mgan_ai, registry
from attacks.mgan_ai import MganAi
from attacks.mgan_batches import blurred, turned
from attacks.mgan_training import discriminator_steps
from attacks.views import Images, ServerView, TaskFacts
from task import models
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


def view(number: int, updates: Mapping[int, Mapping[str, Tensor]], accuracy: float = 0.5) -> ServerView:
    """Return a round; the auxiliary set has two grey images of each class."""
    model = models.build("digits-cnn", FACTS.shape, FACTS.outputs, generator(3)).eval().requires_grad_(False)  # noqa: FBT003
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


def test_with_judges_of_their_own_the_isolated_model_is_what_the_victim_sent() -> None:
    """M_iso + u is not touched by D's steps (repaired); with one body for all it is (paper)."""
    model = weights(view(1, {}).global_model)
    expected = {name: tensor + EVERYBODY[VICTIM][name] for name, tensor in model.items()}
    for recipe, same in (("repaired", True), ("paper", False)):
        attack = make(mode="active", recipe=recipe)
        attack.observe(view(1, EVERYBODY), generator(1))
        sent = attack.outgoing(VICTIM, model)
        assert torch.equal(sent["0.weight"], expected["0.weight"]) == same


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


def test_the_control_is_another_identity_and_there_is_none_for_an_active_attack() -> None:
    """Same noise, same categories, other images; an active attack knows one identity only."""
    attack = make(recipe="repaired")
    attack.observe(view(1, EVERYBODY), generator(1))
    loot, control = attack.loot(2, generator(2)), attack.control(2, generator(2))
    assert torch.equal(loot.labels, control.labels)
    assert not torch.equal(loot.images, control.images)
    active = make(mode="active")
    active.observe(view(1, EVERYBODY), generator(1))
    assert len(active.control(2, generator(2)).images) == 0


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


def test_it_stops_training_when_the_victims_model_is_content_three_rounds_running() -> None:
    """With a threshold of 0 that is after three rounds; the federation goes on."""
    attack = make(stop_accuracy=0.0)
    seen = []
    for number in range(1, 6):
        attack.observe(view(number, EVERYBODY), generator(number))
        seen.append(attack.loot(2, generator(9)).images)
    assert not torch.equal(seen[1], seen[2])
    assert torch.equal(seen[2], seen[3])
    assert torch.equal(seen[3], seen[4])


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
    """One for ten rounds, two for the next ten, five at most."""
    assert [discriminator_steps(number) for number in (1, 10, 11, 20, 41, 999)] == [1, 1, 2, 2, 5, 5]


def test_a_turn_by_90_degrees_is_an_exact_rotation() -> None:
    """Counter-clockwise, as torch.rot90 turns; 0 degrees change nothing."""
    images = torch.rand(2, 1, 8, 8, generator=generator(0)) * 2 - 1
    found = turned(images, torch.tensor([90.0, 0.0]))
    assert torch.allclose(found[0], images[0].rot90(1, (1, 2)), atol=1e-5)
    assert torch.allclose(found[1], images[1], atol=1e-5)


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


def test_an_auxiliary_set_without_a_category_is_refused() -> None:
    """The critic would have nothing to compare with."""
    attack = make(critic="projection")
    seen = view(1, EVERYBODY)
    lacking = dataclasses.replace(seen, auxiliary=Images(seen.auxiliary.images[:9], seen.auxiliary.labels[:9]))
    with pytest.raises(SettingsError, match="9"):
        attack.observe(lacking, generator(1))

"""The client-side GAN attack: when it starts, what it sends, what it keeps."""

from typing import Any

import pytest
import torch
from torch import nn

from attacks import gan
from attacks.views import ParticipantView
from task import models
from task.facts import Images, TaskFacts
from task.seeding import generator
from task.settings import SettingsError, parse

FACTS = TaskFacts(shape=(1, 8, 8), classes=10, outputs=11, model="digits-cnn", clients=6)
NOTHING = Images(torch.empty(0, 1, 8, 8), torch.empty(0, dtype=torch.int64))


def attack(**options: Any) -> gan.GanAttack:
    """Build an attack with few steps."""
    small = {"target": 3, "network": "small", "steps": 2, "batch_size": 4, "poison_images": 6}
    return gan.build(parse(gan.Options, small | options, "options"), FACTS, generator(0))


def view(server_round: int = 1, accuracy: float = 0.0, own: Images = NOTHING) -> ParticipantView:
    """Return a round with a model of random weights."""
    model: nn.Module = models.build("digits-cnn", FACTS.shape, FACTS.outputs, generator(server_round)).eval()
    return ParticipantView(round=server_round, global_model=model, own_data=own, accuracy=accuracy)


def test_before_its_start_it_trains_on_nothing_and_has_no_loot() -> None:
    """Sun's attacker holds no data and sends the global model back unchanged until the accuracy is reached."""
    thief = attack(start_accuracy=0.9)
    assert len(thief.observe(view(accuracy=0.89), generator(1)).images) == 0
    assert not thief.started
    assert len(thief.loot(5, generator(2)).images) == 0


def test_it_starts_at_the_accuracy_and_never_stops() -> None:
    """The first model that reaches the accuracy starts the attack; a later, worse one does not end it."""
    thief = attack(start_accuracy=0.9)
    thief.observe(view(accuracy=0.9), generator(1))
    thief.observe(view(2, accuracy=0.2), generator(2))
    assert thief.started


def test_it_starts_at_a_round() -> None:
    """start_round counts from 1, whatever the accuracy."""
    thief = attack(start_accuracy=None, start_round=2)
    thief.observe(view(1), generator(1))
    assert not thief.started
    thief.observe(view(2), generator(2))
    assert thief.started


@pytest.mark.parametrize(("fake_label", "expected"), [("extra", 10), (7, 7)])
def test_fakes_carry_the_fake_label(fake_label: int | str, expected: int) -> None:
    """`extra` is the output after the ten classes; a class is itself."""
    images = attack(start_round=1, fake_label=fake_label).observe(view(), generator(1))
    assert images.labels.tolist() == [expected] * 6


def test_without_poison_it_trains_on_its_own_data_alone() -> None:
    """The passive attacker's update is that of an honest participant."""
    own = Images(torch.ones(3, 1, 8, 8), torch.tensor([1, 1, 1]))
    images = attack(start_round=1, poison=False, noise_images=5).observe(view(own=own), generator(1))
    assert torch.equal(images.images, own.images)
    assert torch.equal(images.labels, own.labels)


@pytest.mark.parametrize(("early", "before"), [(True, 5), (False, 0)])
def test_noise_comes_early_or_with_the_attack(early: bool, before: int) -> None:  # noqa: FBT001 - pytest passes it
    """Five images of nothing in every round, or only once the attack has begun."""
    thief = attack(start_accuracy=None, start_round=2, noise_images=5, noise_early=early)
    assert len(thief.observe(view(1), generator(1)).images) == before
    assert len(thief.observe(view(2), generator(2)).images) == 6 + 5


def test_replay_gives_half_of_the_fakes_from_past_rounds() -> None:
    """Six fakes for each of two targets: three fresh in the first round; then three fresh and three old ones."""
    thief = attack(target=[3, 6], start_round=1, replay_rounds=2)
    assert len(thief.observe(view(1), generator(1)).images) == 2 * 3
    second = thief.observe(view(2), generator(2)).images
    assert len(second) == 2 * 6
    remembered = thief.bank[0].flatten(0, 1).flatten(1)
    old = second[6:].flatten(1)
    assert (torch.cdist(old, remembered).min(1).values < 1e-4).all()


def test_replay_remembers_no_more_than_it_was_told() -> None:
    """Memory stays flat over the rounds."""
    thief = attack(start_round=1, replay_rounds=2)
    for number in range(1, 6):
        thief.observe(view(number), generator(number))
    assert thief.bank.shape == (2, 1, 3, 1, 8, 8)


def test_the_ensemble_keeps_the_latest_models() -> None:
    """With an ensemble of two, the third round sees the second and third model."""
    thief = attack(start_round=1, ensemble=2)
    for number in (1, 2, 3):
        thief.observe(view(number), generator(number))
    assert len(thief.models) == 2
    assert torch.equal(thief.models[-1]["0.weight"], view(3).global_model.state_dict()["0.weight"])


def test_smoothing_is_a_running_mean_of_the_weights() -> None:
    """With a decay of 3/4 the second round's discriminator is 3/4 the first model and 1/4 the second."""
    thief = attack(start_round=1, smoothing=0.75)
    for number in (1, 2):
        thief.observe(view(number), generator(number))
    first, second = (view(number).global_model.state_dict()["0.weight"] for number in (1, 2))
    torch.testing.assert_close(thief.models[0]["0.weight"], 0.75 * first + 0.25 * second)


def test_each_target_learns_as_it_would_alone() -> None:
    """One loss for all targets gives each generator its own gradient: its first step is that of a single target."""
    both = attack(target=[3, 6], start_round=1, steps=1, poison=False)
    alone = attack(target=3, start_round=1, steps=1, poison=False)
    alone.networks[0].load_state_dict(both.networks[0].state_dict())
    both.observe(view(), generator(5))
    alone.observe(view(), generator(5))
    for left, right in zip(both.networks[0].parameters(), alone.networks[0].parameters(), strict=True):
        torch.testing.assert_close(left, right)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"target": 11}, "target from 0 to 9"),
        ({"target": []}, "at least one target"),
        ({"target": [3, 3]}, "each target once"),
        ({"fake_label": 3}, "no target"),
        ({"fake_label": "exta"}, "Did you mean 'extra'"),
        ({"steps": 0}, "steps > 0"),
        ({"start_accuracy": 1.5}, "from 0 to 1"),
        ({"start_accuracy": None}, "start_accuracy or start_round"),
        ({"stpes": 3}, "Did you mean 'steps'"),
        ({"network": "unet"}, "a generator network"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any], text: str) -> None:
    """The message says what was expected."""
    with pytest.raises(SettingsError, match=text):
        attack(**options)


def test_an_extra_fake_label_needs_an_extra_output() -> None:
    """A shared model of ten outputs has no room for the fakes."""
    facts = TaskFacts(shape=(1, 8, 8), classes=10, outputs=10, model="digits-cnn", clients=6)
    with pytest.raises(SettingsError, match="extra output"):
        gan.build(gan.Options(target=1, network="small"), facts, generator(0))

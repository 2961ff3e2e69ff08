"""Clip and noise: the norm, and the size of the noise."""

import math

import pytest
import torch

from defenses.clip_and_noise import ClipAndNoise, Options, norm_of
from task.seeding import generator
from task.settings import SettingsError

UPDATE = {"a": torch.tensor([3.0, 0.0]), "b": torch.tensor([[4.0]])}


def test_a_long_update_is_scaled_to_the_norm_over_all_parameters() -> None:
    """(3, 0, 4) has the norm 5; at C = 1 it becomes a fifth of itself."""
    sent = ClipAndNoise(Options(norm=1.0, noise_multiplier=0.0)).protect(UPDATE, generator(0))
    assert norm_of(UPDATE) == 5.0
    torch.testing.assert_close(sent, {"a": torch.tensor([0.6, 0.0]), "b": torch.tensor([[0.8]])})


def test_a_short_update_stays_as_it_is() -> None:
    """Also one that is all zeros, whose norm nothing can be divided by."""
    defense = ClipAndNoise(Options(norm=6.0, noise_multiplier=0.0))
    for update in (UPDATE, {"a": torch.zeros(3)}):
        sent = defense.protect(update, generator(0))
        assert all(torch.equal(sent[name], update[name]) for name in update)


def test_the_noise_has_the_stated_deviation() -> None:
    """Sigma 0.5 at C = 2: normal with deviation 1 on each of 100,000 weights, within five standard errors."""
    count = 100_000
    sent = ClipAndNoise(Options(norm=2.0, noise_multiplier=0.5)).protect({"a": torch.zeros(count)}, generator(0))["a"]
    assert abs(sent.mean().item()) < 5 / math.sqrt(count)
    assert abs(sent.std().item() - 1) < 5 / math.sqrt(2 * count)


def test_secret_noise_is_as_large_and_does_not_repeat() -> None:
    """Deviation 1 as above, twice from one generator, whose numbers stay unused; the two have nothing in common."""
    count, defense, draws = 100_000, ClipAndNoise(Options(norm=2.0, noise_multiplier=0.5, secret=True)), generator(0)
    first, other = (defense.protect({"a": torch.zeros(count)}, draws)["a"] for _ in range(2))
    assert abs(first.std().item() - 1) < 5 / math.sqrt(2 * count)
    assert abs((first * other).mean().item()) < 5 / math.sqrt(count)
    assert torch.equal(draws.get_state(), generator(0).get_state())


@pytest.mark.parametrize("values", [{"norm": 0.0}, {"norm": math.inf}, {"noise_multiplier": -1.0}])
def test_impossible_settings_are_refused(values: dict[str, float]) -> None:
    """A norm that is no bound, noise of negative size."""
    with pytest.raises(SettingsError, match="Expected"):
        Options(**{"norm": 1.0, "noise_multiplier": 1.0, **values})

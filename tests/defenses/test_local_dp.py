"""The settings of local differential privacy, and what they are worth."""

import math

import pytest

from defenses import registry
from defenses.local_dp import Options, noise_multiplier
from task.settings import SettingsError

VALUES = {"norm": 0.5, "epsilon": 2.0, "delta": 1e-5}


def test_the_noise_is_as_large_as_the_formula_says() -> None:
    """Sensitivity 2 x 0.5; sqrt(2 ln(125000)) = 4.8448, over epsilon 2: 2.4224, and as much over 2 x norm."""
    options = Options(**VALUES)
    assert options.deviation == pytest.approx(4.844805 / 2, abs=1e-5)
    assert noise_multiplier(options) == pytest.approx(4.844805 / 2, abs=1e-5)


def test_a_sensitivity_that_is_too_small_is_worth_less() -> None:
    """Told 0.1 where two updates lie up to 1 apart, a tenth of the noise; told 0, none."""
    full = noise_multiplier(Options(**VALUES))
    assert noise_multiplier(Options(**VALUES, sensitivity=0.1)) == pytest.approx(full / 10)
    assert noise_multiplier(Options(**VALUES, sensitivity=0.0)) == 0


def test_the_registry_knows_what_a_guarantee_rests_on() -> None:
    """Half of clip-and-noise's own multiplier, since two updates lie 2 C apart; 0 without noise; None for Anti-GAN."""
    clipped = {"norm": 3.0, "noise_multiplier": 0.8}
    assert registry.noise_multiplier("clip-and-noise", clipped) == pytest.approx(0.4)
    assert registry.noise_multiplier("clip-and-noise", clipped | {"noise_multiplier": 0}) == 0
    assert registry.noise_multiplier("local-dp", VALUES) == pytest.approx(math.sqrt(2 * math.log(125000)) / 2)
    assert [registry.noise_multiplier(name, {}) for name in ("anti-gan", "fixed-noise")] == [None, None]
    assert registry.noise_multiplier("compression", {"keep": 0.1}) is None


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"norm": 0.0}, "norm > 0"),
        ({"epsilon": 0.0}, "epsilon > 0"),
        ({"epsilon": -1.0}, "epsilon > 0"),
        ({"delta": 1.0}, "delta between 0 and 1"),
        ({"sensitivity": -1.0}, "sensitivity >= 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(values: dict[str, float], text: str) -> None:
    """Flower itself takes an epsilon or a delta of 0, and divides by it."""
    with pytest.raises(SettingsError, match=text):
        Options(**(VALUES | values))

"""Compression: what is kept, what becomes of the rest, and what is refused."""

import pytest
import torch

from defenses.compression import Compression, Options
from task.seeding import generator
from task.settings import SettingsError

UPDATE = {"a": torch.tensor([4.0, -3.0, 0.5]), "b": torch.tensor([[1.0, -2.0], [0.1, 0.0]])}


def test_the_largest_weights_are_sent_as_they_are() -> None:
    """Three of seven, over all parameters together: 4, -3 and -2."""
    sent = Compression(Options(keep=3 / 7)).protect(UPDATE, generator(0))
    assert sent["a"].tolist() == [4.0, -3.0, 0.0]
    assert sent["b"].tolist() == [[0.0, -2.0], [0.0, 0.0]]


def test_steps_are_right_on_average() -> None:
    """With two levels 4, -3, 0.5 are multiples of 2; over 4,000 draws their mean is off by less than 5 errors."""
    defense, draws = Compression(Options(levels=2)), generator(1)
    sent = torch.stack([defense.protect(UPDATE, draws)["a"] for _ in range(4000)])
    assert set(sent.unique().tolist()) == {-4.0, -2.0, 0.0, 2.0, 4.0}
    assert (sent[:, 0] == 4).all()
    torch.testing.assert_close(sent.mean(0), UPDATE["a"], atol=5 * 1 / 4000**0.5, rtol=0)


def test_an_update_of_zeros_stays_one() -> None:
    """There is no step to divide by."""
    zeros = {name: torch.zeros_like(tensor) for name, tensor in UPDATE.items()}
    sent = Compression(Options(keep=0.5, levels=3)).protect(zeros, generator(0))
    assert all((tensor == 0).all() for tensor in sent.values())


@pytest.mark.parametrize(
    ("values", "text"),
    [({}, "keep below 1, or levels"), ({"keep": 0.0}, r"keep in \(0, 1\]"), ({"levels": 0}, "levels > 0")],
)
def test_what_compresses_nothing_or_everything_is_refused(values: dict[str, float], text: str) -> None:
    """Neither of the two, no weight at all, no step."""
    with pytest.raises(SettingsError, match=text):
        Options(**values)  # type: ignore[arg-type]  # that is the point

"""One draw of the loot for numbers, figures and report."""

import torch

from oleander.judge.draws import MOST_SAMPLES, drawn, evenly


def test_a_draw_takes_each_sample_once() -> None:
    """All of a small loot in another order, 200 of a large one; by seed, attacker, round and class alone."""
    small, large = torch.arange(30), torch.arange(MOST_SAMPLES + 50)
    found = drawn(small, 0, "client-5", 4, 3)
    assert sorted(found.tolist()) == small.tolist()
    assert found.tolist() != small.tolist()
    assert torch.equal(found, drawn(small, 0, "client-5", 4, 3))
    assert not torch.equal(found, drawn(small, 0, "client-5", 5, 3))
    assert len(drawn(large, 0, "client-5", 4, 3).unique()) == MOST_SAMPLES


def test_rounds_are_spread_evenly() -> None:
    """First and last are always among them; few are all kept."""
    assert evenly([3, 5, 9], 8) == [3, 5, 9]
    assert evenly(list(range(1, 101)), 4) == [1, 34, 67, 100]

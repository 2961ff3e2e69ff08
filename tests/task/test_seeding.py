"""Tests of the generators derived from a seed and a purpose."""

import hashlib

import torch
from hypothesis import given
from hypothesis import strategies as st

from task.seeding import generator

PURPOSES = st.tuples(st.integers(0, 2**31), st.lists(st.integers(0, 9) | st.text("ab1", max_size=3), max_size=3))


@given(PURPOSES, PURPOSES)
def test_different_purposes_have_different_seeds(one: tuple, two: tuple) -> None:
    """Generators agree exactly if seed and purpose do; 1 and "1" are two purposes."""
    seeds = [generator(seed, *purpose).initial_seed() for seed, purpose in (one, two)]
    assert (seeds[0] == seeds[1]) == (one == two)


def test_the_seed_is_a_hash() -> None:
    """The seed is the first 8 bytes of SHA-256 of the arguments as Python writes them, modulo 2^63."""
    digest = hashlib.sha256(b"(0, 'client', 3)").digest()
    assert generator(0, "client", 3).initial_seed() == int.from_bytes(digest[:8], "big") % 2**63


def test_streams_repeat() -> None:
    """Two generators of one purpose give the same numbers, and the global randomness is not touched."""
    before = torch.get_rng_state()
    first, second = (torch.rand(3, generator=generator(7, "x")) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)

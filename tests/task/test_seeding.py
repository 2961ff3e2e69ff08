"""Tests of the generators derived from a seed and a purpose."""

import hashlib

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from task.seeding import FIRST, WORDS, fresh, generator, numpy_from

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


def test_fresh_randomness_fills_the_whole_state() -> None:
    """It never repeats, and is the Mersenne Twister that NumPy has, from the same 624 words."""
    first, other = fresh(), fresh()
    words = [one.get_state().numpy()[FIRST : FIRST + 8 * WORDS].view(np.uint64) for one in (first, other)]
    assert len(np.intersect1d(*words)) < 10
    assert all(len(np.unique(one)) > WORDS - 10 for one in words)
    twister = np.random.MT19937()
    twister.state = {"bit_generator": "MT19937", "state": {"key": words[0].astype(np.uint32), "pos": WORDS}}
    drawn = torch.randint(2**16, (1000,), generator=first)
    assert drawn.tolist() == (twister.random_raw(1000) % 2**16).tolist()


def test_of_a_seed_pytorch_uses_32_bits() -> None:
    """If it does not any more, `fresh` may take a seed."""
    few, more = (torch.rand(9, generator=torch.Generator().manual_seed(seed)) for seed in (7, 7 + 2**32))
    assert torch.equal(few, more)


def test_numpy_s_global_randomness_repeats_with_a_generator_and_never_without() -> None:
    """And is put back."""
    before = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    drawn = []
    for draws in (generator(1), generator(1), None, None):
        with numpy_from(draws):
            drawn.append(np.random.normal(size=3).tolist())  # noqa: NPY002
    assert drawn[0] == drawn[1]
    assert len({tuple(one) for one in drawn}) == 3
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]  # noqa: NPY002

"""Randomness as explicit generators, derived from one seed and the names of what they are for, or from no seed."""

import contextlib
import hashlib
import secrets
from collections.abc import Iterator

import numpy as np
import torch

FIRST, WORDS = 24, 624  # where PyTorch's generator keeps its words, each in eight bytes


def generator(seed: int, *purpose: int | str) -> torch.Generator:
    """Return a CPU generator that depends on `seed` and `purpose` alone.

    For example (0, "client", 3, "round", 7). The same arguments give the same stream on every machine, process and
    engine; different ones give independent streams.
    """
    digest = hashlib.sha256(repr((seed, *purpose)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") % 2**63)


def fresh() -> torch.Generator:
    """Return a CPU generator that nobody can repeat: all 624 words of its state come from the operating system.

    A seed from there would not do: PyTorch uses 32 bits of it, and so many can be tried.
    """
    draws = torch.Generator()
    state = draws.get_state()
    words = np.frombuffer(secrets.token_bytes(4 * WORDS), dtype=np.uint32)
    state.numpy()[FIRST : FIRST + 8 * WORDS] = words.astype(np.uint64).view(np.uint8)
    draws.set_state(state)
    return draws


@contextlib.contextmanager
def numpy_from(draws: torch.Generator | None) -> Iterator[None]:
    """Let NumPy's global generator, which other people's code draws from, depend on `draws` alone; then put it back.

    None is for randomness of the operating system, which nobody can repeat.
    """
    before = np.random.get_state()  # noqa: NPY002 - Flower draws from nothing else
    np.random.seed(None if draws is None else int(torch.randint(2**32, (), generator=draws)))  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002

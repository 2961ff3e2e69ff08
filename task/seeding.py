"""Randomness as explicit generators, derived from one seed and the names of what they are for."""

import contextlib
import hashlib
from collections.abc import Iterator

import numpy as np
import torch


def generator(seed: int, *purpose: int | str) -> torch.Generator:
    """Return a CPU generator that depends on `seed` and `purpose` alone.

    For example (0, "client", 3, "round", 7). The same arguments give the same stream on every machine, process and
    engine; different ones give independent streams.
    """
    digest = hashlib.sha256(repr((seed, *purpose)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") % 2**63)


@contextlib.contextmanager
def numpy_from(draws: torch.Generator) -> Iterator[None]:
    """Let NumPy's global generator, which other people's code draws from, depend on `draws` alone; then put it back."""
    before = np.random.get_state()  # noqa: NPY002 - Flower draws from nothing else
    np.random.seed(int(torch.randint(2**32, (), generator=draws)))  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002

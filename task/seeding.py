"""Randomness as explicit generators, derived from one seed and the names of what they are for."""

import hashlib

import torch


def generator(seed: int, *purpose: int | str) -> torch.Generator:
    """Return a CPU generator that depends on `seed` and `purpose` alone.

    For example (0, "client", 3, "round", 7). The same arguments give the same stream on every machine, process and
    engine; different ones give independent streams.
    """
    digest = hashlib.sha256(repr((seed, *purpose)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") % 2**63)

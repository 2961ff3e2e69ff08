"""How sure: an interval for a share, and a test whether the loot knows the owner's own records."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

Z95 = 1.959963984540054


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Return the 95 % interval for a share of `hits` out of `count` (Wilson 1927); (0, 1) where count is 0.

    It covers the luck of drawing these samples. It says nothing about other seeds, and counts samples as independent.
    """
    if count == 0:
        return 0.0, 1.0
    share, square = hits / count, Z95**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = Z95 / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean of several runs' values and its 95 % interval (Student's t, runs as independent draws).

    Of one value the interval is the whole line: (value, -inf, inf). NaN of none.
    """
    count = len(values)
    if count < 2:  # noqa: PLR2004  # a spread needs two
        mean = values[0] if values else math.nan
        return mean, -math.inf, math.inf
    from scipy.stats import t  # noqa: PLC0415  # takes a second

    mean = sum(values) / count
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
    half = float(t.ppf(0.975, count - 1)) * deviation / math.sqrt(count)
    return mean, mean - half, mean + half


def share_interval(shares: Sequence[float], count: int) -> tuple[float, float, float]:
    """Return the mean of several runs' shares, each of `count`, and its 95 % interval within [0, 1].

    What `mean_interval` gives, but never narrower than `wilson` of all of them together: shares that happen to be equal
    are no more certain than that.
    """
    mean, low, high = mean_interval(shares)
    least, most = wilson(round(mean * count * len(shares)), count * len(shares)) if shares else (0.0, 1.0)
    return mean, max(0.0, min(low, least)), min(1.0, max(high, most))


def owner_test(distances: Tensor, owned: Tensor, tries: int, generator: torch.Generator) -> tuple[float, float]:
    """Test whether the loot is nearer to the owner's records than to others of the same class.

    A loot that is a good average of the class is near to everybody's images. Only if it is nearer to those which the
    owner trained on than to as many that nobody trained on does it know records. Which images the owner got was drawn
    by lot, so if the loot knows the class alone, any other lot would do as well: a permutation test, exact however
    alike the samples are. It holds only if the others were in the same lottery: free training images, no test images.

    Args:
        distances: float [N, M], of each sample to each image of the class, the owner's and the others.
        owned: bool [M], which are the owner's; about half of them.
        tries: permutations.
        generator: draws them.

    Returns:
        The mean over the samples of (nearest other - nearest owned), positive where the owner's are nearer; and the
        share of lots that give at least as much (one-sided, in (0, 1]).

    """

    def advantage(mine: Tensor) -> float:
        return (distances[:, ~mine].min(1).values - distances[:, mine].min(1).values).mean().item()

    measured = advantage(owned)
    as_much = sum(advantage(owned[torch.randperm(len(owned), generator=generator)]) >= measured for _ in range(tries))
    return measured, (as_much + 1) / (tries + 1)

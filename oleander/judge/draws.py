"""Which of the loot is looked at: one draw, for the numbers, the figures and the report alike."""

from collections.abc import Sequence

import torch
from torch import Tensor

from task.seeding import generator

MOST_SAMPLES = 200


def drawn(fakes: Tensor, seed: int, who: str, server_round: int, label: int) -> Tensor:
    """Return the samples that are judged and shown: all, in random order, MOST_SAMPLES at the most.

    Args:
        fakes: one attacker's loot of a round for a class, [N, ...].
        seed: of the run.
        who: the attacker.
        server_round: the round.
        label: the class.

    """
    draw = generator(seed, "judge", who, "round", server_round, "target", label)
    return fakes[torch.randperm(len(fakes), generator=draw)[:MOST_SAMPLES]]


def evenly(rounds: Sequence[int], most: int) -> list[int]:
    """Return at most `most` of the rounds, evenly spread, the first and the last among them."""
    if len(rounds) <= most:
        return list(rounds)
    step = (len(rounds) - 1) / (most - 1)
    return [rounds[round(index * step)] for index in range(most)]

"""What DefMIA makes small: three ways to say that members look like other records. Pure functions of answers.

All of logits [N, K] and labels int64 [N]; M members, R records that were not trained on.
"""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

from task.models import initialised
from task.training import margin


def like_the_others(margins: Tensor, others: Tensor, right: Tensor, least: float) -> Tensor:
    """Return the margin [M] that each member should have: that of the other record of the same rank.

    The map from a member's rank to the others' quantile, the least to the least and the most to the most, is the
    optimal transport in one dimension. A member that is answered rightly goes no lower than `least`, and nobody goes
    up; one that is answered wrongly stays where it is.

    Args:
        margins: of the members, [M].
        others: of the others, [R], R > 0.
        right: bool [M], which members are answered with their label.
        least: in nats of log-odds.

    """
    ranks = margins.argsort().argsort()
    quantiles = others.quantile(ranks.to(others) / max(1, len(margins) - 1))
    return torch.where(right, torch.minimum(quantiles.clamp(min=least), margins), margins)


def to_targets(answered: Tensor, labels: Tensor, targets: Tensor, right: Tensor) -> Tensor:
    """Return the mean smooth L1 distance of the rightly answered members' margins from their targets; 0 of nobody."""
    if not right.any():
        return answered.sum() * 0
    return functional.smooth_l1_loss(margin(answered, labels)[right], targets[right])


def moved(answered: Tensor, before: Tensor) -> Tensor:
    """Return the mean smooth L1 change of centred logits: what shifts all outputs alike changes no answer."""
    centred, was = (one - one.mean(1, keepdim=True) for one in (answered, before))
    return functional.smooth_l1_loss(centred, was)


def wasserstein(first: Tensor, second: Tensor) -> Tensor:
    """Return the 1-Wasserstein distance of two sets of numbers [M], [R]: the mean gap of their quantile functions.

    The exact integral: both functions are steps, which are compared on every piece where neither jumps.
    """
    sizes = (len(first), len(second))
    jumps = torch.cat([torch.arange(1, size + 1, dtype=torch.float64) / size for size in sizes]).sort().values
    widths = jumps.diff(prepend=jumps.new_zeros(1))
    middles = jumps - widths / 2
    steps = [
        one.sort().values[(middles * size).floor().long().clamp(max=size - 1)]
        for one, size in zip((first, second), sizes, strict=True)
    ]
    found: Tensor = ((steps[0] - steps[1]).abs() * widths.to(first)).sum()
    return found


class Surrogate(nn.Module):
    """An in / out network of the defender's own: from a prediction and the label to a logit, higher = a member.

    Args:
        outputs: K.
        hidden: widths of its layers.

    """

    def __init__(self, outputs: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        widths = (2 * outputs, *hidden)
        layers = [
            layer for one, next_one in itertools.pairwise(widths) for layer in (nn.Linear(one, next_one), nn.ReLU())
        ]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], 1))

    def forward(self, answered: Tensor, labels: Tensor) -> Tensor:
        """Return logits [N]; sees probabilities, as the attack models of the paper do."""
        known = functional.one_hot(labels, answered.shape[1]).to(answered)
        found: Tensor = self.layers(torch.cat([answered.softmax(1), known], dim=1))
        return found.squeeze(1)


def surrogate(
    inside: tuple[Tensor, Tensor],
    outside: tuple[Tensor, Tensor],
    hidden: tuple[int, ...],
    steps: int,
    generator: torch.Generator,
) -> Surrogate:
    """Return a surrogate that tells members from others, each kind with half of the weight.

    Args:
        inside: logits and labels of members.
        outside: the same of others.
        hidden: widths of its layers.
        steps: of Adam at 0.005, on everything at once.
        generator: of its first weights.

    """
    outputs = inside[0].shape[1]
    network = initialised(lambda: Surrogate(outputs, hidden), generator)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.005)
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        loss = functional.softplus(-network(*inside)).mean() + functional.softplus(network(*outside)).mean()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
    return network.requires_grad_(requires_grad=False)

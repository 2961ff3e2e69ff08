"""Minimisers of many independent problems at once, each in the same box.

The problems move in lock-step, one evaluation of all of them an iteration, and never look at each other: a problem goes
the same way alone and in company.

`lbfgs` stands in for L-BFGS-B (Byrd, Lu, Nocedal, Zhu: A Limited Memory Algorithm for Bound Constrained Optimization,
1995). Its treatment of the box is that of Bertsekas: Projected Newton Methods for Optimization Problems with Simple
Constraints (1982). Differences from L-BFGS-B:
1. No generalised Cauchy point: pixels at a bound that the gradient pushes outward are held, the quasi-Newton direction
   is that of the others, and the step is clipped to the box.
2. The line search only shortens (Armijo's condition, by the parabola through what is known); an iteration is one
   evaluation, whether its step is taken or not.
3. The first step has a given length; L-BFGS-B spends its first evaluation on a tiny one.
4. Several objectives one after another, where the curvature learned on one carries over to the next.
5. The first guess of the inverse Hessian need not be a multiple of the identity: `smooth`.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Objective = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Points [K, n] -> losses [K] and gradients [K, n]; the k-th of each depends on the k-th point alone."""

Phases = Sequence[tuple[Objective, int]]
"""Objectives in the order in which they are minimised, each with its iterations."""

Smooth = Callable[[Tensor], Tensor]

BOX = (-1.0, 1.0)
MEMORY = 10
ARMIJO = 1e-4
FLAT = 1e-10  # a pair whose curvature is below this share of its squared gradient change teaches nothing


def lbfgs(phases: Phases, start: Tensor, reach: Tensor, smooth: Smooth | None = None) -> Tensor:
    """Minimise by a projected L-BFGS.

    Args:
        phases: what to minimise; each takes one evaluation and another for each of its iterations.
        start: points [K, n] in the box, left alone.
        reach: root mean square change of a coordinate in the first step before the smoothing, [K].
        smooth: a symmetric positive definite linear map of vectors [K, n], each for itself, to which the first guess of
            the inverse Hessian is proportional; None for the identity.

    Returns:
        Points [K, n] in the box; under the last objective none has a larger loss than where that one's phase began.

    """
    points = start
    pairs: list[Pair] = []
    scale = torch.zeros_like(start[:, :1])
    for objective, iterations in phases:
        losses, gradients = objective(points)
        if not scale.any():
            held = _held(points, gradients)
            length = gradients.masked_fill(held, 0).square().mean(1, keepdim=True).sqrt()
            scale = reach[:, None] / length.clamp(min=torch.finfo(start.dtype).tiny)
        directions = _directions(points, gradients, pairs, scale, smooth)
        steps = torch.ones_like(scale)
        for _ in range(iterations):
            trial = (points + steps * directions).clamp(*BOX)
            trial_losses, trial_gradients = objective(trial)
            moves = trial - points
            slopes = _dot(moves, gradients)[:, 0].clamp(max=0)
            taken = (trial_losses <= losses + ARMIJO * slopes)[:, None]  # never for a loss that is no number
            shorter = steps * _shortening(trial_losses - losses, slopes)[:, None]
            moves = moves.where(taken, 0)
            changes = (trial_gradients - gradients).where(taken, 0)
            pairs = [*pairs, (moves, changes)][-MEMORY:]
            points, gradients = trial.where(taken, points), trial_gradients.where(taken, gradients)
            losses = trial_losses.where(taken[:, 0], losses)
            curved, ratio = _curvature(moves, changes)
            scale = ratio.where(curved, scale)
            directions = _directions(points, gradients, pairs, scale, smooth).where(taken, directions)
            steps = torch.ones_like(steps).where(taken, shorter)
    return points


def adam(phases: Phases, start: Tensor, lr: float) -> Tensor:
    """Minimise by Adam (Kingma and Ba 2015, decay rates 0.9 and 0.999), clipped to the box after every step.

    Args:
        phases: what to minimise; each takes one evaluation and another for each of its iterations.
        start: points [K, n] in the box, left alone.
        lr: learning rate, about the change of a coordinate in a step.

    Returns:
        Of the points [K, n] that the last objective's phase went through, each problem's best.

    """
    best = points = start
    mean, square = torch.zeros_like(start), torch.zeros_like(start)
    step = 0
    for objective, iterations in phases:
        lowest, gradients = objective(points)
        best = points
        for _ in range(iterations):
            step += 1
            mean = mean.lerp(gradients, 0.1)
            square = square.lerp(gradients.square(), 0.001)
            size = (square / (1 - 0.999**step)).sqrt() + 1e-8
            points = (points - lr * mean / (1 - 0.9**step) / size).clamp(*BOX)
            losses, gradients = objective(points)
            better = losses < lowest
            lowest, best = losses.where(better, lowest), points.where(better[:, None], best)
        points = best
    return best


Pair = tuple[Tensor, Tensor]


def _held(points: Tensor, gradients: Tensor) -> Tensor:
    """Tell which coordinates [K, n] stay at their bound."""
    low, high = BOX
    return ((points <= low) & (gradients > 0)) | ((points >= high) & (gradients < 0))


def _curvature(moves: Tensor, changes: Tensor) -> Pair:
    """Return whether a pair has positive curvature, bool [K, 1], and its inverse: the scale of a first guess."""
    along, size = _dot(moves, changes), _dot(changes, changes)
    return (along > FLAT * size) & (size > 0), along / size.clamp(min=torch.finfo(size.dtype).tiny)


def _directions(points: Tensor, gradients: Tensor, pairs: list[Pair], scale: Tensor, smooth: Smooth | None) -> Tensor:
    """Return descent directions [K, n] by the two-loop recursion over the coordinates that are not held."""
    free = ~_held(points, gradients)
    rest = gradients = gradients * free
    known = []
    for moved, changed in reversed(pairs):
        moves, changes = moved * free, changed * free
        along = _dot(moves, changes)
        weight = torch.where(along > FLAT * _dot(changes, changes), 1 / along, 0)
        share = weight * _dot(moves, rest)
        rest = torch.addcmul(rest, share, changes, value=-1)
        known.append((moves, changes, weight, share))
    rest = scale * (smooth(rest) * free if smooth else rest)
    for moves, changes, weight, share in reversed(known):
        rest = torch.addcmul(rest, share - weight * _dot(changes, rest), moves)
    return -rest.where(_dot(rest, gradients) > 0, scale * gradients)


def _dot(left: Tensor, right: Tensor) -> Tensor:
    """Return the inner products [K, 1] of two times K vectors [K, n]."""
    products: Tensor = torch.linalg.vecdot(left, right)
    return products[:, None]


def _shortening(rises: Tensor, slopes: Tensor) -> Tensor:
    """Return by what a refused step is shortened, from 0.1 to 0.5: the lowest point of the parabola."""
    factor = -slopes / (2 * (rises - slopes))
    return factor.nan_to_num(nan=0.1).clamp(0.1, 0.5)

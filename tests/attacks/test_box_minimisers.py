"""Minimisers in a box: known minima, SciPy's, and problems that go their own ways."""

import numpy as np
import pytest
import torch
from scipy import optimize
from torch import Tensor

from attacks import box_minimisers
from attacks.box_minimisers import Objective
from task.seeding import generator

COUNT, SIZE = 4, 30


def bowls(targets: Tensor, weights: Tensor) -> Objective:
    """Return sum(w (x - t)^2) / 2, whose minimum in the box is at t clipped to it."""

    def evaluate(points: Tensor) -> tuple[Tensor, Tensor]:
        return (weights * (points - targets).square()).sum(1) / 2, weights * (points - targets)

    return evaluate


def rosenbrock(points: Tensor) -> tuple[Tensor, Tensor]:
    """Return SciPy's Rosenbrock function of points [K, n], shifted so that the box cuts off its minimum."""
    shifted = (points + 0.8).numpy()
    slopes = np.stack([optimize.rosen_der(row) for row in shifted])
    return torch.from_numpy(np.array([optimize.rosen(row) for row in shifted])), torch.from_numpy(slopes)


def lbfgs(objective: Objective, start: Tensor, iterations: int) -> Tensor:
    """Minimise one objective from `start`."""
    return box_minimisers.lbfgs([(objective, iterations)], start, torch.full((len(start),), 0.3, dtype=start.dtype))


def adam(objective: Objective, start: Tensor, iterations: int) -> Tensor:
    """Minimise one objective from `start`."""
    return box_minimisers.adam([(objective, iterations)], start, 0.05)


def draw(*shape: int) -> Tensor:
    """Return points of the box."""
    return torch.rand(*shape, dtype=torch.float64, generator=generator(0)) * 2 - 1


@pytest.mark.parametrize(("minimise", "iterations", "error"), [(lbfgs, 60, 1e-6), (adam, 400, 1e-2)])
def test_a_bowl_is_minimal_at_its_target_clipped_to_the_box(
    minimise: type[lbfgs], iterations: int, error: float
) -> None:
    """Half of the targets lie outside, and the curvatures differ a hundredfold."""
    targets, weights = 2 * draw(COUNT, SIZE), 10 ** draw(COUNT, SIZE)
    found = minimise(bowls(targets, weights), torch.zeros(COUNT, SIZE, dtype=torch.float64), iterations)
    assert (found - targets.clamp(-1, 1)).abs().max() < error


def test_it_ends_where_l_bfgs_b_ends() -> None:
    """On a curved valley whose minimum lies outside the box, both find the same point."""
    start = draw(3, 6) / 2
    found = lbfgs(rosenbrock, start, 300)
    for row, point in zip(start.numpy(), found, strict=True):
        best = optimize.minimize(
            lambda x: optimize.rosen(x + 0.8),
            row,
            jac=lambda x: optimize.rosen_der(x + 0.8),
            method="L-BFGS-B",
            bounds=[(-1, 1)] * 6,
            options={"gtol": 1e-9, "ftol": 1e-15},
        )
        assert abs(optimize.rosen(point.numpy() + 0.8) - best.fun) < 1e-6


@pytest.mark.parametrize("minimise", [lbfgs, adam])
def test_a_problem_goes_the_same_way_alone_and_in_company(minimise: type[lbfgs]) -> None:
    """Four valleys at once and each for itself: equal after every number of iterations."""
    start = draw(COUNT, 6)
    for iterations in (1, 5, 40):
        together = minimise(rosenbrock, start, iterations)
        alone = [minimise(rosenbrock, start[row : row + 1], iterations) for row in range(COUNT)]
        assert torch.allclose(together, torch.cat(alone), rtol=0, atol=1e-9)


def test_curvature_carries_over_to_the_next_objective() -> None:
    """After a phase on the same bowl, five iterations come nearer to the minimum than five from a fresh start there."""
    targets, weights = draw(COUNT, SIZE) / 2, 10 ** draw(COUNT, SIZE)
    bowl, start = bowls(targets, weights), torch.zeros(COUNT, SIZE, dtype=torch.float64)
    reach = torch.full((COUNT,), 0.3, dtype=torch.float64)
    both = box_minimisers.lbfgs([(bowl, 10), (bowl, 5)], start, reach)
    fresh = lbfgs(bowl, lbfgs(bowl, start, 10), 5)
    assert bowl(both)[0].sum() < bowl(fresh)[0].sum()


@pytest.mark.parametrize("minimise", [lbfgs, adam])
def test_a_loss_that_is_no_number_is_never_kept(minimise: type[lbfgs]) -> None:
    """sqrt(x) - x / 4 from 0.5, downhill over the edge at 0: what comes out has a loss, and no larger one."""

    def edge(points: Tensor) -> tuple[Tensor, Tensor]:
        return (points.sqrt() - points / 4).sum(1), 0.5 / points.sqrt() - 0.25

    start = torch.full((1, 1), 0.5, dtype=torch.float64)
    found = minimise(edge, start, 20)
    assert edge(found)[0] <= edge(start)[0]


@pytest.mark.parametrize("minimise", [lbfgs, adam])
def test_nothing_is_done_where_nothing_slopes(minimise: type[lbfgs]) -> None:
    """A flat objective returns the start."""
    start = draw(2, 5)
    flat = minimise(lambda points: (points.sum(1) * 0, points * 0), start, 5)
    assert torch.equal(flat, start)

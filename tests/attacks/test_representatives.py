"""Client representatives: cases with a known answer, one path against the other, images against the truth."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import ratios
import torch
from local_training import SHAPE, linear, problem, step
from torch import nn

from attacks import representatives
from attacks.matching import Update
from attacks.representatives import Settings, estimate, estimate_scipy, labels, losses
from task import models
from task.datasets import load, to_float
from task.facts import Images
from task.seeding import generator
from task.settings import SettingsError

PATHS: dict[str, tuple[Callable[..., dict[int, Images]], dict[str, Any]]] = {
    "scipy": (estimate_scipy, {}),
    "lbfgs": (estimate, {}),
    "lbfgs, head first": (estimate, {"head_iterations": 20}),
    "adam": (estimate, {"solver": "adam"}),
}


def mean_loss(
    found: Mapping[int, Images], model: nn.Module, updates: Mapping[int, Update], settings: Settings
) -> float:
    """Return the objective, averaged over the clients."""
    values = losses(model, updates, found, settings)
    return sum(values.values()) / len(values)


@pytest.mark.parametrize("scale", ["unit", "least-squares"])
@pytest.mark.parametrize("path", PATHS)
def test_one_image_through_one_linear_layer_is_found_exactly(path: str, scale: str) -> None:
    """There the gradient is (p - y) x^T for the weights and p - y for the bias, so x is their ratio (Aono et al.)."""
    model, image = linear(4), torch.rand(1, *SHAPE, dtype=torch.float64, generator=generator(4)) * 2 - 1
    update = step(model, image, torch.tensor([2]))
    ratio = (update["1.weight"] / update["1.bias"][:, None]).view(4, *SHAPE)
    assert torch.allclose(ratio, image.expand(4, *SHAPE))
    solve, options = PATHS[path]
    settings = Settings(images=1, tv=0, scale=scale, iterations=200 if path == "adam" else 60, lr=0.05, **options)
    found = solve(model, {7: update}, SHAPE, settings, generator(5))[7]
    assert found.labels.tolist() == [2]
    assert (found.images - image).abs().max() < (0.05 if path == "adam" else 1e-3)


@pytest.mark.parametrize("scale", ["unit", "least-squares"])
def test_the_batched_path_and_scipy_reach_the_same_loss(scale: str) -> None:
    """Four clients of several local steps, to where little moves: neither mean is more than 5 % above the other."""
    model, updates, _ = problem(4)
    settings = Settings(images=3, iterations=60, scale=scale)
    reached = [
        mean_loss(solve(model, updates, SHAPE, settings, generator(6)), model, updates, settings)
        for solve in (estimate, estimate_scipy)
    ]
    assert max(reached) < 1.05 * min(reached)


def test_all_at_once_is_quicker_than_one_by_one() -> None:
    """Ten clients: in less time than SciPy takes for them, by a ratio, and not to a worse objective."""
    model, updates, _ = problem(10)
    ways = ((estimate, Settings(head_iterations=15, iterations=5)), (estimate_scipy, Settings()))
    seconds, reached = [], []
    for solve, settings in ways:
        solve(model, updates, SHAPE, Settings(iterations=2), generator(1))  # once without the clock
        began = time.process_time()
        found = solve(model, updates, SHAPE, settings, generator(1))
        seconds.append(time.process_time() - began)
        reached.append(mean_loss(found, model, updates, settings))
    assert reached[0] < 1.1 * reached[1]
    assert seconds[1] > seconds[0] * ratios.floor(
        "representatives of 10 clients, last layer first, beside SciPy, one by one"
    )


@pytest.mark.parametrize("path", PATHS)
def test_the_loss_falls_by_half(path: str) -> None:
    """From noise, in 60 iterations, for every client; the images are float32 in the box."""
    model, updates, _ = problem(2)
    solve, options = PATHS[path]
    settings = Settings(iterations=60, **options)
    start = solve(model, updates, SHAPE, Settings(iterations=0), generator(7))
    found = solve(model, updates, SHAPE, settings, generator(7))
    before, after = (losses(model, updates, images, settings) for images in (start, found))
    for client, images in found.items():
        assert after[client] < before[client] / 2
        assert images.images.dtype == torch.float32
        assert images.images.shape == (10, *SHAPE)
        assert images.images.abs().max() <= 1


@pytest.mark.parametrize("batch_size", [30, 5])
def test_representatives_look_like_their_clients_classes(batch_size: int) -> None:
    """After one step and after six: nearer to the mean image of the label, as the client holds it, than the noise was.

    And more often nearest to it than to another class's, where chance is a tenth.
    """
    model, updates, truth = problem(4, batch_size=batch_size, trained=0)
    found = estimate(model, updates, SHAPE, Settings(iterations=40), generator(8))
    noise = estimate(model, updates, SHAPE, Settings(iterations=0), generator(8))
    digits = load("digits", None)
    pixels, known = to_float(digits.train.images), digits.train.labels
    means = torch.stack([pixels[known == one].mean(0) for one in range(10)]).flatten(1)
    hits, total = 0, 0
    for client, images in found.items():
        own = torch.stack([truth[client].images[truth[client].labels == one].mean(0) for one in images.labels])
        assert (images.images - own).square().mean() < 0.5 * (noise[client].images - own).square().mean()
        hits += int((torch.cdist(images.images.flatten(1), means).argmin(1) == images.labels).sum())
        total += len(own)
    assert hits > 0.5 * total


def test_the_start_is_the_same_for_both_paths_and_drawn_from_the_generator() -> None:
    """Without an iteration both return the noise: uniform in [-1, 1], another one under another seed."""
    model, updates, _ = problem(2)
    first, second = (
        solve(model, updates, SHAPE, Settings(iterations=0), generator(9)) for solve in (estimate, estimate_scipy)
    )
    other = estimate(model, updates, SHAPE, Settings(iterations=0), generator(10))
    noise = torch.cat([images.images for images in first.values()])
    assert noise.mean().abs() < 0.05
    assert noise.std().item() == pytest.approx(3**-0.5, abs=0.05)
    for client, images in first.items():
        assert torch.equal(images.images, second[client].images)
        assert not torch.equal(images.images, other[client].images)


def test_a_warm_start_keeps_images_whose_label_is_still_wanted() -> None:
    """Two of the earlier labels fit, in any order; the other places and the other client begin with noise."""
    model, updates, _ = problem(2)
    settings = Settings(images=3, iterations=0)
    wanted = labels(updates[0], 3)
    earlier = torch.linspace(-1, 1, 4).view(4, 1, 1, 1).expand(4, *SHAPE)
    absent = next(one for one in range(10) if one not in wanted)
    kept = Images(earlier, torch.tensor([absent, int(wanted[2]), absent, int(wanted[0])]))
    cold = estimate(model, updates, SHAPE, settings, generator(11))
    warm = estimate(model, updates, SHAPE, settings, generator(11), start={0: kept})
    assert torch.equal(warm[0].images[0], earlier[3])
    assert torch.equal(warm[0].images[2], earlier[1])
    assert torch.equal(warm[0].images[1], cold[0].images[1])
    assert torch.equal(warm[1].images, cold[1].images)


@pytest.mark.parametrize("options", [{}, {"head_iterations": 5}, {"solver": "adam"}])
def test_chunks_change_nothing(options: dict[str, Any]) -> None:
    """One client at a time, two at a time and all at once give the same images."""
    model, updates, _ = problem(3)
    one, two, all_at_once = (
        estimate(model, updates, SHAPE, Settings(images=3, iterations=8, chunk=chunk, **options), generator(12))
        for chunk in (1, 2, 16)
    )
    for client, images in all_at_once.items():
        assert torch.allclose(one[client].images, images.images, rtol=0, atol=1e-5)
        assert torch.allclose(two[client].images, images.images, rtol=0, atol=1e-5)


@pytest.mark.parametrize("path", PATHS)
def test_it_is_determined_by_its_generator_and_leaves_its_arguments_alone(path: str) -> None:
    """Twice the same, to the last bit; weights, their need of gradients, updates and global randomness as before."""
    model, updates, _ = problem(2)
    weights = models.weights(model)
    sent = {client: {name: part.clone() for name, part in update.items()} for client, update in updates.items()}
    randomness = torch.get_rng_state()
    solve, options = PATHS[path]
    settings = Settings(images=2, iterations=4, **options)
    first, second = (solve(model, updates, SHAPE, settings, generator(13)) for _ in range(2))
    assert all(torch.equal(first[client].images, second[client].images) for client in updates)
    assert torch.equal(torch.get_rng_state(), randomness)
    assert all(torch.equal(part, weights[name]) for name, part in model.state_dict().items())
    assert not any(part.requires_grad or part.grad is not None for part in model.parameters())
    assert all(
        torch.equal(part, sent[client][name]) for client, update in updates.items() for name, part in update.items()
    )


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("scale", ["unit", "least-squares"])
def test_an_update_of_zeros_gives_images_of_every_class(path: str, scale: str) -> None:
    """It says nothing, so the labels are dealt in turn and the images stay finite and in the box."""
    model, updates, _ = problem(1)
    nothing = {name: torch.zeros_like(part) for name, part in updates[0].items()}
    solve, options = PATHS[path]
    found = solve(model, {4: nothing}, SHAPE, Settings(iterations=3, scale=scale, **options), generator(14))[4]
    assert found.labels.tolist() == list(range(10))
    assert found.images.isfinite().all()
    assert found.images.abs().max() <= 1


def test_smoothing_is_symmetric_positive_definite_and_keeps_what_is_smooth() -> None:
    """As a matrix on images of 2x3x4; inside a flat image the blur changes nothing, so 1 becomes 1.5."""
    shape = (2, 3, 4)
    matrix = representatives.smoothed(torch.eye(24, dtype=torch.float64), shape)
    assert torch.equal(matrix, matrix.T)
    assert torch.linalg.eigvalsh(matrix).min() >= 0.5
    assert representatives.smoothed(torch.ones(1, 24), shape).view(shape)[0, 1, 1].item() == pytest.approx(1.5)


@pytest.mark.parametrize(
    "wrong",
    [{"scale": "units"}, {"solver": "sgd"}, {"images": 0}, {"chunk": 0}, {"tv_beta": 0.5}, {"lr": 0.0}, {"tv": -1.0}],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    """Each by its name."""
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        Settings(**wrong)

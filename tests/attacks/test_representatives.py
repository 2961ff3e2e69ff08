"""Client representatives: cases with a known answer, one path against the other, labels against the truth."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from attacks import representatives
from attacks.matching import Update
from attacks.representatives import Settings, estimate, estimate_scipy, labels, losses
from attacks.views import Images
from task import models
from task.datasets import load, to_float
from task.seeding import generator
from task.settings import OptimizerSettings, SettingsError
from task.training import make_optimizer, train

SHAPE = (1, 8, 8)
PATHS: dict[str, tuple[Callable[..., dict[int, Images]], dict[str, Any]]] = {
    "scipy": (estimate_scipy, {}),
    "lbfgs": (estimate, {}),
    "lbfgs, head first": (estimate, {"head_iterations": 20}),
    "adam": (estimate, {"solver": "adam"}),
}
Problem = tuple[nn.Module, dict[int, Update], dict[int, Images]]


@functools.cache
def problem(clients: int, *, held: int = 3, images: int = 30, batch_size: int = 10, trained: int = 5) -> Problem:
    """Return a model that knows the digits a little, and what clients of `held` random classes made of it.

    Returns:
        The model, the clients' updates and their images.

    """
    digits = load("digits", None)
    pixels, known = to_float(digits.train.images), digits.train.labels
    model = models.build("digits-cnn", SHAPE, 10, generator(0, "model"))
    settings = OptimizerSettings(lr=0.05)
    train(
        model,
        pixels[:500],
        known[:500],
        optimizer=make_optimizer(model, settings),
        batch_size=50,
        epochs=trained,
        generator=generator(0),
    )
    before = models.weights(model)
    updates: dict[int, Update] = {}
    truth = {}
    for client in range(clients):
        draws = generator(1, client)
        classes = torch.randperm(10, generator=draws)[:held].tolist()
        own = torch.cat([(known == one).nonzero()[: images // held, 0] for one in classes])
        model.load_state_dict(before)
        optimizer = make_optimizer(model, settings)
        train(
            model, pixels[own], known[own], optimizer=optimizer, batch_size=batch_size, epochs=1, generator=generator(2)
        )
        updates[client] = {name: after - before[name] for name, after in models.weights(model).items()}
        truth[client] = Images(pixels[own], known[own])
    model.load_state_dict(before)
    model.zero_grad(set_to_none=True)
    return model.double().eval().requires_grad_(requires_grad=False), updates, truth


def mean_loss(
    found: Mapping[int, Images], model: nn.Module, updates: Mapping[int, Update], settings: Settings
) -> float:
    """Return the objective, averaged over the clients."""
    values = losses(model, updates, found, settings)
    return sum(values.values()) / len(values)


def linear(outputs: int, *, bias: bool = True) -> nn.Module:
    """Return one linear layer on the pixels, of random weights."""
    model = models.initialised(lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, outputs, bias=bias)), generator(3))
    return model.double().eval().requires_grad_(requires_grad=False)


def step(model: nn.Module, images: Tensor, known: Tensor, rate: float = 0.1) -> dict[str, Tensor]:
    """Return one step of gradient descent: -rate times the gradient of the mean cross-entropy."""
    model = model.requires_grad_()
    loss = nn.functional.cross_entropy(model(images), known)
    parts = torch.autograd.grad(loss, list(model.parameters()))
    model.requires_grad_(requires_grad=False)
    return {name: -rate * part for (name, _), part in zip(model.named_parameters(), parts, strict=True)}


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


@pytest.mark.parametrize("counts", [[12, 0, 0, 0], [7, 5, 0, 0], [4, 4, 4, 0], [0, 9, 0, 3], [0, 0, 6, 6]])
def test_labels_of_a_model_without_opinions_are_exact(counts: list[int]) -> None:
    """One step from all-zero weights moves the bias by n_c / n - 1 / C: classes above the mean are counted exactly."""
    model = linear(4)
    model.load_state_dict({name: torch.zeros_like(part) for name, part in model.state_dict().items()})
    known = torch.arange(4).repeat_interleave(torch.tensor(counts))
    update = step(model, torch.rand(12, *SHAPE, dtype=torch.float64, generator=generator(15)), known)
    assert torch.bincount(labels(update, 12), minlength=4).tolist() == counts
    assert len(labels(update, 5)) == 5


@pytest.mark.parametrize(("trained", "most"), [(0, 0.1), (5, 0.2), (20, 0.3)])
def test_labels_of_random_clients_are_mostly_right(trained: int, most: float) -> None:
    """Clients of three random classes, by a fresh model, one that learns and one that has learned.

    At most so large a share of the labels is wrong, by the counts of the truth; of labels drawn blindly it is 0.7.
    """
    _, updates, truth = problem(20, trained=trained)
    wrong = 0.0
    for client, update in updates.items():
        counted = torch.bincount(labels(update, 30), minlength=10)
        wrong += (counted - torch.bincount(truth[client].labels, minlength=10)).abs().sum().item() / 60
    assert wrong / len(updates) < most


@pytest.mark.parametrize("batch_size", [30, 5])
def test_a_client_of_one_class_is_read_without_error(batch_size: int) -> None:
    """In one step or in several, all labels are the class that it holds."""
    _, updates, truth = problem(5, held=1, batch_size=batch_size)
    for client, update in updates.items():
        assert labels(update, 10).unique().tolist() == truth[client].labels.unique().tolist()


def test_labels_are_dealt_by_largest_remainder() -> None:
    """Shares of 1/2, 1/4 and 1/4 of 3 images are 1.5, 0.75 and 0.75: one each; of 2, ties go to the lower class."""
    update = {"3.bias": torch.tensor([3.0, 1.0, 1.0, -1.0]), "3.weight": torch.zeros(4, 2)}
    assert labels(update, 3).tolist() == [0, 1, 2]
    assert labels(update, 2).tolist() == [0, 1]


def test_a_last_layer_without_bias_is_refused_with_what_is_needed() -> None:
    """The text says that labels are read from that bias."""
    update = step(linear(4, bias=False), torch.zeros(1, *SHAPE, dtype=torch.float64), torch.tensor([0]))
    with pytest.raises(SettingsError, match="last layer is linear and has a bias"):
        representatives.labels(update, 10)


def test_smoothing_is_symmetric_positive_definite_and_keeps_what_is_smooth() -> None:
    """As a matrix on images of 2x3x4; inside a flat image the blur changes nothing, so 1 becomes 1.5."""
    shape = (2, 3, 4)
    matrix = representatives.smoothed(torch.eye(24, dtype=torch.float64), shape)
    assert torch.equal(matrix, matrix.T)
    assert torch.linalg.eigvalsh(matrix).min() >= 0.5
    assert representatives.smoothed(torch.ones(1, 24), shape).view(shape)[0, 1, 1].item() == pytest.approx(1.5)


def test_the_last_layer_is_the_one_of_the_highest_number() -> None:
    """Numbers are compared as numbers: layer 10 comes after layer 9."""
    update = {"10.bias": torch.tensor([-1.0, 1.0]), "9.bias": torch.tensor([1.0, -1.0])}
    assert labels(update, 2).tolist() == [1, 1]


@pytest.mark.parametrize(
    "wrong",
    [{"scale": "units"}, {"solver": "sgd"}, {"images": 0}, {"chunk": 0}, {"tv_beta": 0.5}, {"lr": 0.0}, {"tv": -1.0}],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    """Each by its name."""
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        Settings(**wrong)

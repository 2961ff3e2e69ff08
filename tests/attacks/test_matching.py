"""The objective of representatives: its terms on cases with a known value, its gradient against plain autograd."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from attacks import matching
from task import models
from task.seeding import generator
from task.settings import SettingsError

CLIENTS, IMAGES, SHAPE = 3, 2, (1, 8, 8)


def test_total_variation_of_a_checkered_corner() -> None:
    """[[0, 1], [1, 0]]: the first pixel has two differences of 1, two others have one: 2^beta + 1 + 1."""
    image = torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]])
    assert matching.total_variation(image, 1.25).item() == pytest.approx(2**1.25 + 2)


@pytest.mark.parametrize(
    ("angle", "unit", "least"), [(180, 0, 0), (150, 2 * math.sin(math.radians(15)), 0.5), (90, 2**0.5, 1), (0, 2, 2)]
)
def test_the_mismatch_depends_on_the_angle_alone(angle: float, unit: float, least: float) -> None:
    """At an angle a from the target the chord is 2 sin(a/2), the height sin a, and beyond a right angle 1 - cos a.

    A gradient against the target is a match.
    """
    turned = 7 * torch.tensor([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
    target, gradient = {"a": torch.tensor([1.0]), "b": torch.tensor([0.0])}, {"a": turned[:1], "b": turned[1:]}
    assert matching.mismatch(target, gradient, "unit").item() == pytest.approx(unit, abs=2e-6)
    assert matching.mismatch(target, gradient, "least-squares").item() == pytest.approx(least, abs=2e-6)


def problem() -> tuple[nn.Sequential, Tensor, Tensor, list[dict[str, Tensor]]]:
    """Return a model, images and labels of three clients, and their updates: random directions."""
    model = models.build("digits-cnn", SHAPE, 10, generator(0)).double().eval().requires_grad_(requires_grad=False)
    draws = generator(1)
    images = torch.rand(CLIENTS, IMAGES, *SHAPE, dtype=torch.float64, generator=draws) * 2 - 1
    labels = torch.randint(10, (CLIENTS, IMAGES), generator=draws)
    updates = [
        {name: torch.randn(part.shape, generator=draws) for name, part in model.named_parameters()}
        for _ in range(CLIENTS)
    ]
    return model, images, labels, updates


def test_targets_have_norm_1_and_zero_stays_zero() -> None:
    """Each client's update is scaled over all of its parameters together."""
    model, _, _, updates = problem()
    targets = matching.targets(model, updates)
    sizes = torch.stack([part.flatten(1).square().sum(1) for part in targets.values()]).sum(0)
    assert sizes.tolist() == pytest.approx([1] * CLIENTS)
    nothing = {name: torch.zeros_like(part) for name, part in model.named_parameters()}
    assert not any(part.any() for part in matching.targets(model, [nothing]).values())


@pytest.mark.parametrize("scale", ["unit", "least-squares"])
@pytest.mark.parametrize("before", [0, 5, 7])
def test_all_clients_at_once_have_the_losses_and_gradients_of_each_alone(scale: str, before: int) -> None:
    """Per client, the gradient of the training loss and the gradient of the objective by plain autograd.

    Over the whole model, its last three layers, and the last one.
    """
    model, images, labels, updates = problem()
    targets = matching.targets(model[before:], updates)
    loss = matching.objective(model[:before], model[before:], scale=scale, tv=0.01, tv_beta=1.25)
    values, gradients = matching.minimised(loss, SHAPE, labels, targets)(images.flatten(1))
    for row in range(CLIENTS):
        weights = {name: part.clone().requires_grad_() for name, part in model.named_parameters()}
        shown = images[row].clone().requires_grad_()
        training = functional.cross_entropy(functional_call(model, weights, (shown,)), labels[row])
        parts = torch.autograd.grad(training, [weights[name] for name in targets], create_graph=True)
        mine = {name: part[row] for name, part in targets.items()}
        alone = matching.mismatch(mine, dict(zip(targets, parts, strict=True)), scale)
        alone = alone + 0.01 * matching.total_variation(shown, 1.25)
        assert values[row].item() == pytest.approx(alone.item(), rel=1e-12)
        expected = torch.autograd.grad(alone, shown)[0].flatten()
        assert torch.allclose(gradients[row], expected, rtol=1e-9, atol=1e-14)


def test_an_update_of_another_model_is_refused_by_name() -> None:
    """The text names the parameter that is missing."""
    model, *_ = problem()
    with pytest.raises(SettingsError, match=r"Expected an update of the parameter '0\.weight'"):
        matching.targets(model, [{"other": torch.zeros(1)}])

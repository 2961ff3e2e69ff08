"""The objective of client representatives (Wang et al. 2019, eq. 6 to 8): whose gradient looks like an update?

Gradients travel by parameter name. The objective can be that of a client who sent the update of the last layers alone.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from attacks.box_minimisers import Objective
from task.models import Shape
from task.settings import expect

Update = Mapping[str, Tensor]
Loss = Callable[[Tensor, Tensor, Update], Tensor]
"""Images [K, N, C, H, W], labels int64 [K, N] and targets [K, *] by parameter name -> losses [K]."""

ROOT = 1e-12  # under the root of every norm, which has no slope at 0


def total_variation(images: Tensor, beta: float) -> Tensor:
    """Return the total variation of images [N, C, H, W], a scalar (eq. 7); a missing neighbour adds no difference."""
    across = functional.pad(images.diff(dim=-1).square(), (0, 1))
    down = functional.pad(images.diff(dim=-2).square(), (0, 0, 0, 1))
    return (across + down).pow(beta).sum()


def mismatch(target: Update, gradient: Update, scale: str) -> Tensor:
    """Return how far a gradient's descent is from a target of norm 1, a scalar from 0 to 2 (eq. 6).

    Args:
        target: float [*] by parameter name.
        gradient: of the training loss, for the same names.
        scale: `unit`: || target + gradient / ||gradient|| ||; `least-squares`: the least || target + gamma gradient ||
            over gamma >= 0. Beyond a right angle that is 1 everywhere, with nothing to descend, so minus the cosine is
            added there.

    """
    size = torch.stack([part.square().sum() for part in gradient.values()]).sum()
    gamma, beyond = 1 / (size + ROOT).sqrt(), torch.zeros_like(size)
    if scale == "least-squares":
        fit = -torch.stack([(target[name] * part).sum() for name, part in gradient.items()]).sum()
        beyond = (-fit * gamma).clamp(min=0)
        gamma = fit.clamp(min=0) / size.clamp(min=torch.finfo(size.dtype).tiny)
    squares = [(target[name] + gamma * part).square().sum() for name, part in gradient.items()]
    return (torch.stack(squares).sum() + ROOT).sqrt() + beyond


def objective(trunk: nn.Module, rest: nn.Module, *, scale: str, tv: float, tv_beta: float) -> Loss:
    """Return eq. 8 of many clients at once, over the parameters of a model's last layers.

    Args:
        trunk: the layers before; of an nn.Sequential, `model[:n]`. None of them for the whole model.
        rest: the layers whose update is matched, `model[n:]`. Both are left alone.
        scale: see `mismatch`.
        tv: weight of the total variation ...
        tv_beta: ... and its exponent.

    """
    weights = {name: tensor.detach() for name, tensor in rest.state_dict().items()}
    chosen = {name: weights[name] for name, _ in rest.named_parameters()}

    def loss(features: Tensor, images: Tensor, labels: Tensor, target: Update) -> Tensor:
        def training(parameters: Update) -> Tensor:
            return functional.cross_entropy(functional_call(rest, {**weights, **parameters}, (features,)), labels)

        return mismatch(target, grad(training)(chosen), scale) + tv * total_variation(images, tv_beta)

    def losses(images: Tensor, labels: Tensor, targets: Update) -> Tensor:
        features = trunk(images.flatten(0, 1)).unflatten(0, labels.shape)
        return vmap(loss)(features, images, labels, targets)

    return losses


def minimised(loss: Loss, shape: Shape, labels: Tensor, targets: Update) -> Objective:
    """Return losses and gradients as a function of the images of all clients, [K, N * C * H * W].

    Args:
        loss: of many clients at once.
        shape: of an image, (C, H, W).
        labels: int64 [K, N].
        targets: [K, *] by parameter name.

    """

    def evaluate(points: Tensor) -> tuple[Tensor, Tensor]:
        images = points.view(*labels.shape, *shape).detach().requires_grad_()
        values = loss(images, labels, targets)
        (gradients,) = torch.autograd.grad(values.sum(), images)
        return values.detach(), gradients.flatten(1)

    return evaluate


def targets(rest: nn.Module, updates: Sequence[Update]) -> dict[str, Tensor]:
    """Return the updates of a model's last layers as [K, *] by name, each client's scaled to norm 1; zeros stay zeros.

    Raises:
        SettingsError: for an update without one of their parameters.

    """
    stacked = {}
    for name, parameter in rest.named_parameters():
        for update in updates:
            expect(name in update, f"an update of the parameter {name!r}", sorted(update), "It is of another model.")
        stacked[name] = torch.stack([update[name].to(parameter) for update in updates])
    size = torch.stack([part.flatten(1).square().sum(1) for part in stacked.values()]).sum(0).sqrt()
    size = size.where(size > 0, 1)
    return {name: part / size.view(-1, *[1] * (part.dim() - 1)) for name, part in stacked.items()}

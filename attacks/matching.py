"""The objective of client representatives (Wang et al. 2019, eq. 6 to 8): whose gradient looks like an update?

Gradients travel by parameter name. The objective over some of the parameters is that of a client who sent the update of
these alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, grad_and_value, vmap
from torch.nn import functional

from attacks.box_minimisers import Objective
from task.models import Shape
from task.settings import expect

Update = Mapping[str, Tensor]
Loss = Callable[[Tensor, Tensor, Update], Tensor]
"""Images [N, C, H, W], labels int64 [N] and a client's target -> its loss, a scalar."""

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
    norm = (size + ROOT).sqrt()
    fit = -torch.stack([(target[name] * part).sum() for name, part in gradient.items()]).sum()
    unit = scale == "unit"
    gamma = 1 / norm if unit else fit.clamp(min=0) / size.clamp(min=torch.finfo(size.dtype).tiny)
    squares = [(target[name] + gamma * part).square().sum() for name, part in gradient.items()]
    distance = (torch.stack(squares).sum() + ROOT).sqrt()
    return distance if unit else distance + (-fit / norm).clamp(min=0)


def objective(model: nn.Module, names: Sequence[str], *, scale: str, tv: float, tv_beta: float) -> Loss:
    """Return eq. 8 of one client over the parameters `names` of a model, which is left alone."""
    weights = {name: tensor.detach() for name, tensor in model.state_dict().items()}
    chosen = {name: weights[name] for name in names}

    def loss(images: Tensor, labels: Tensor, target: Update) -> Tensor:
        def training(part: Update) -> Tensor:
            return functional.cross_entropy(functional_call(model, {**weights, **part}, (images,)), labels)

        return mismatch(target, grad(training)(chosen), scale) + tv * total_variation(images, tv_beta)

    return loss


def batched(loss: Loss, shape: Shape, labels: Tensor, targets: Update) -> Objective:
    """Return the losses and gradients of many clients as a function of their images.

    Args:
        loss: of one client.
        shape: of an image, (C, H, W).
        labels: int64 [K, N].
        targets: [K, *] by parameter name.

    """
    each = vmap(grad_and_value(loss))

    def evaluate(points: Tensor) -> tuple[Tensor, Tensor]:
        gradients, losses = each(points.view(*labels.shape, *shape), labels, targets)
        return losses, gradients.flatten(1)

    return evaluate


def targets(model: nn.Module, updates: Sequence[Update], names: Iterable[str]) -> dict[str, Tensor]:
    """Return the named parts of updates as [K, *] by name, each client's scaled to norm 1; an update of zeros stays so.

    Raises:
        SettingsError: for an update without one of the parameters.

    """
    like = next(model.parameters())
    for update in updates:
        for name in names:
            expect(name in update, f"updates of the parameter {name!r}", sorted(update), "They are of another model.")
    stacked = {name: torch.stack([update[name].to(like) for update in updates]) for name in names}
    size = torch.stack([part.flatten(1).square().sum(1) for part in stacked.values()]).sum(0).sqrt()
    size = size.where(size > 0, 1)
    return {name: part / size.view(-1, *[1] * (part.dim() - 1)) for name, part in stacked.items()}


def all_names(model: nn.Module) -> list[str]:
    """Return the names of a model's parameters."""
    return [name for name, _ in model.named_parameters()]


def head_names(names: Iterable[str]) -> list[str]:
    """Return the names of the last layer's parameters: in an nn.Sequential those with the highest number."""
    numbers = {name: int(first) if (first := name.split(".")[0]).isdecimal() else -1 for name in names}
    return [name for name, number in numbers.items() if number == max(numbers.values())]

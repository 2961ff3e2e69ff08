"""Client representatives: images that would have caused the update that a client sent.

Zhibo Wang et al.: Beyond Inferring Class Representatives: User-Level Privacy Leakage From Federated Learning (2019),
section V-E, eq. 6 to 8; after Aono et al. 2017 (one image, one layer). For each client k the images X_k, pixels in
[-1, 1], minimise

    || u_k - u(X_k) ||_2 + tv * TV(X_k),    u(X) = -gamma dL(X; M_t) / d theta,

u_k the client's update, M_t the model that it was sent, L the mean cross-entropy, TV the sum over images and pixels of
(the squared difference to the pixel on the right + the squared difference to the pixel below) ** tv_beta.

`estimate` solves the problems of all clients at once, `estimate_scipy` one after another with SciPy's L-BFGS-B, as the
paper does; both are given the same start and minimise what `losses` returns.

What the paper leaves open:
1. gamma. `scale: unit` divides both sides by their norms; `least-squares` takes the gamma >= 0 that fits best, relative
   to the norm of u_k (attacks.matching). Either way the first term is between 0 and 2, whatever the learning rate.
2. The labels of X_k: see `labels`. They come from the update, never from the client.
3. A client of several local steps is matched by its whole update, as though it had made one large step at M_t. What
   comes out is then nearer to its classes' means than to its images.
4. How long: 20 iterations.
5. The norm is that of all parameters together, 1e-12 under each root; a pixel without a neighbour adds no difference.

Differences from the paper:
1. `solver: adam` in place of L-BFGS, with the projection to the box after every step.
2. `head_iterations`: the batched path may first match the last layer's update alone. That takes no gradient of other
   layers' weights, so an evaluation costs a quarter; and where that layer is wide, its update holds most of the squared
   norm (0.69 to 0.86 after the 6,272 features of Wang's network at half width, measured), so that the iterations on the
   whole begin far down. Not for a narrow one: with 64 features the images come to fit the last layer and look like
   nothing.
3. The batched L-BFGS takes smooth steps first: its first guess of the inverse Hessian is `smoothed`. That saves a fifth
   to a third of the iterations (measured).
4. `start`: images of an earlier round in place of noise.
"""

import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from attacks import box_minimisers, matching
from attacks.matching import Update
from task.facts import Images
from task.models import Shape
from task.settings import SettingsError, choose, expect

FRESH, WARM = 0.3, 0.05  # root mean square change of a pixel in the first step, from noise and from earlier images


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of the estimation; the defaults are Wang's where the paper has one.

    Attributes:
        images: per client, optimised jointly.
        iterations: each takes one evaluation, in SciPy a little more ...
        head_iterations: ... after so many on the last layer's update alone (not in SciPy).
        tv, tv_beta: weight and exponent of the total variation.
        scale: `unit` or `least-squares`, see the module's text.
        solver: `lbfgs` or `adam` (not in SciPy).
        lr: of Adam, in pixels of [-1, 1].
        chunk: clients that are solved at once; memory grows with it, the result stays.

    """

    images: int = 10
    iterations: int = 20
    head_iterations: int = 0
    tv: float = 0.00015
    tv_beta: float = 1.25
    scale: str = "unit"
    solver: str = "lbfgs"
    lr: float = 0.1
    chunk: int = 16

    def __post_init__(self) -> None:
        choose(self.scale, ("unit", "least-squares"), "a scale")
        choose(self.solver, ("lbfgs", "adam"), "a solver")
        for name in ("images", "chunk"):
            expect(getattr(self, name) > 0, f"{name} > 0", getattr(self, name))
        for name in ("iterations", "head_iterations", "tv"):
            expect(0 <= getattr(self, name) < math.inf, f"{name} >= 0", getattr(self, name))
        expect(0 < self.lr < math.inf, "lr > 0", self.lr)
        expect(1 <= self.tv_beta < math.inf, "tv_beta >= 1", self.tv_beta, "Below 1 a flat image has no gradient.")


def labels(update: Update, images: int) -> Tensor:
    """Return the labels of a client's representatives, int64 [images] in ascending order, read from its update.

    The rule: one step of rate eta moves the bias of output c of the last layer by eta (n_c / n - p_c), with n_c / n the
    share of class c in the batch and p_c the mean probability that the model gives it there. So a class whose bias rose
    is present, one whose bias fell is taken to be absent (n_c = 0), and the mean fall of the absent ones stands for the
    unknown eta p_c of those present: their shares are proportional to rise + mean fall. The images are dealt by largest
    remainder, ties to the lower class. A class that is rarer in the batch than the model expects is missed, so the rule
    suits clients of few classes. An update that is all zero says nothing: the labels are dealt in turn.

    Args:
        update: float [*] by parameter name, of an nn.Sequential whose last layer is linear.
        images: how many, > 0.

    Raises:
        SettingsError: if there is no bias of the last layer.

    """
    moved = update[_head_bias(update)].detach().cpu().double()
    shares = torch.where(moved > 0, moved - moved.clamp(max=0).sum() / max(1, int((moved <= 0).sum())), 0)
    if not shares.any():
        return (torch.arange(images) % len(shares)).sort().values
    quotas = images * shares / shares.sum()
    counts = quotas.floor()
    short = images - int(counts.sum())
    # Rounded, so that equal remainders are equal.
    first = torch.argsort((quotas - counts).round(decimals=9), descending=True, stable=True)[:short]
    counts[first] += 1
    return torch.arange(len(shares)).repeat_interleave(counts.long())


def estimate(
    model: nn.Module,
    updates: Mapping[int, Update],
    shape: Shape,
    settings: Settings,
    generator: torch.Generator,
    *,
    start: Mapping[int, Images] | None = None,
) -> dict[int, Images]:
    """Return representatives of every client, all clients of a chunk at once.

    Args:
        model: M_t, in evaluation mode, an nn.Sequential whose last layer is linear; left alone. The work is done on its
            device and in its precision.
        updates: of each client, float [*] by parameter name; finite.
        shape: of an image, (C, H, W).
        settings: how.
        generator: of the noise to begin with, drawn on the CPU in the order of the clients' ids.
        start: earlier representatives to begin with, where their labels still fit; noise for the rest.

    Returns:
        Images float32 [images, C, H, W] in [-1, 1] on the CPU, by client.

    Raises:
        SettingsError: for an update that lacks a parameter of the model, or a model without a bias in its last layer.

    """
    begin = _begin(updates, shape, settings, generator, start or {})
    clients, like = sorted(updates), next(model.parameters())
    found: dict[int, Images] = {}
    for first in range(0, len(clients), settings.chunk):
        some = clients[first : first + settings.chunk]
        wanted = torch.stack([begin[client].labels for client in some])
        points = torch.stack([begin[client].images for client in some]).flatten(1).to(like)
        phases = []
        for trunk, rest, iterations in _phases(model, settings):
            loss = matching.objective(trunk, rest, scale=settings.scale, tv=settings.tv, tv_beta=settings.tv_beta)
            targets = matching.targets(rest, [updates[client] for client in some])
            phases.append((matching.minimised(loss, shape, wanted.to(like.device), targets), iterations))
        if settings.solver == "adam":
            points = box_minimisers.adam(phases, points, settings.lr)
        else:
            reach = torch.tensor([WARM if start and client in start else FRESH for client in some])
            points = box_minimisers.lbfgs(phases, points, reach.to(like), partial(smoothed, shape=shape))
        images = points.float().cpu().view(*wanted.shape, *shape)
        found |= {client: Images(images[row], wanted[row]) for row, client in enumerate(some)}
    return found


def estimate_scipy(
    model: nn.Module,
    updates: Mapping[int, Update],
    shape: Shape,
    settings: Settings,
    generator: torch.Generator,
    *,
    start: Mapping[int, Images] | None = None,
) -> dict[int, Images]:
    """Return the same as `estimate`, client by client with SciPy's L-BFGS-B and plain autograd: the reference."""
    optimize = importlib.import_module("scipy.optimize")  # 40 MB that nobody needs who does not ask for the reference
    found = {}
    for client, begin in _begin(updates, shape, settings, generator, start or {}).items():
        pixels = begin.images.flatten().double().numpy()
        if settings.iterations:  # SciPy takes a step even for none
            objective = _by_autograd(model, updates[client], begin, settings)
            bounds = [box_minimisers.BOX] * len(pixels)
            limits = {"maxiter": settings.iterations, "maxfun": 10 * settings.iterations + 10}
            pixels = optimize.minimize(objective, pixels, method="L-BFGS-B", jac=True, bounds=bounds, options=limits).x
        found[client] = Images(torch.from_numpy(pixels).float().view_as(begin.images), begin.labels)
    return found


def losses(
    model: nn.Module, updates: Mapping[int, Update], images: Mapping[int, Images], settings: Settings
) -> dict[int, float]:
    """Return what both paths minimise (eq. 8), for the given images of each client."""
    like, result = next(model.parameters()), {}
    loss = matching.objective(nn.Identity(), model, scale=settings.scale, tv=settings.tv, tv_beta=settings.tv_beta)
    for client, shown in images.items():
        target = matching.targets(model, [updates[client]])
        result[client] = loss(shown.images.to(like)[None], shown.labels.to(like.device)[None], target).item()
    return result


def smoothed(points: Tensor, shape: Shape) -> Tensor:
    """Return half of the images plus the images blurred by the kernel 1-2-1, black beyond the edge.

    As a map of images it is symmetric and positive definite: the kernel's Fourier transform is nowhere negative.

    Args:
        points: images [K, N * C * H * W].
        shape: of an image, (C, H, W).

    """
    line = torch.tensor([0.25, 0.5, 0.25]).to(points)
    blurred = functional.conv2d(points.view(-1, 1, *shape[1:]), line.outer(line)[None, None], padding=1)
    return points / 2 + blurred.view_as(points)


def _phases(model: nn.Module, settings: Settings) -> list[tuple[nn.Module, nn.Module, int]]:
    """Return for each phase the layers before those whose update is matched, these, and its iterations."""
    phases: list[tuple[nn.Module, nn.Module, int]] = []
    if settings.head_iterations:
        if not isinstance(model, nn.Sequential):
            raise SettingsError(f"Expected an nn.Sequential, got {type(model).__name__}. Set head_iterations to 0.")
        phases.append((model[:-1], model[-1:], settings.head_iterations))
    if settings.iterations:
        phases.append((nn.Identity(), model, settings.iterations))
    return phases


def _by_autograd(
    model: nn.Module, update: Update, begin: Images, settings: Settings
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Return eq. 8 of one client and its gradient for SciPy, without torch.func."""
    weights = {name: tensor.detach() for name, tensor in model.state_dict().items()}
    target = {name: part[0] for name, part in matching.targets(model, [update]).items()}
    weights |= {name: weights[name].clone().requires_grad_() for name in target}
    like = next(model.parameters())
    labels = begin.labels.to(like.device)

    def objective(pixels: np.ndarray) -> tuple[float, np.ndarray]:
        images = torch.from_numpy(pixels).to(like.device, like.dtype).view_as(begin.images).requires_grad_()
        loss = functional.cross_entropy(functional_call(model, weights, (images,)), labels)
        parts = torch.autograd.grad(loss, [weights[name] for name in target], create_graph=True)
        value = matching.mismatch(target, dict(zip(target, parts, strict=True)), settings.scale)
        value = value + settings.tv * matching.total_variation(images, settings.tv_beta)
        (gradient,) = torch.autograd.grad(value, images)
        return value.item(), gradient.flatten().cpu().double().numpy()

    return objective


def _begin(
    updates: Mapping[int, Update],
    shape: Shape,
    settings: Settings,
    generator: torch.Generator,
    start: Mapping[int, Images],
) -> dict[int, Images]:
    """Return where to begin, by client in ascending order: noise, or earlier images of the labels that are wanted."""
    result = {}
    for client in sorted(updates):
        wanted = labels(updates[client], settings.images)
        images = torch.rand(settings.images, *shape, generator=generator) * 2 - 1
        if client in start:
            for label in set(wanted.tolist()):
                places = (wanted == label).nonzero()[:, 0]
                kept = start[client].images[start[client].labels == label][: len(places)]
                images[places[: len(kept)]] = kept
        result[client] = Images(images, wanted)
    return result


def _head_bias(update: Update) -> str:
    """Return the name of the last layer's bias: in an nn.Sequential the layer of the highest number."""
    numbers = {name: int(first) if (first := name.split(".")[0]).isdecimal() else -1 for name in update}
    head = [name for name, number in numbers.items() if number == max(numbers.values())]
    for name in head:
        if name.endswith(".bias"):
            return name
    remedy = "Choose a model whose last layer is linear and has a bias: labels are read from it."
    raise SettingsError(f"Expected an update of the last layer's bias, got {head}. {remedy}")

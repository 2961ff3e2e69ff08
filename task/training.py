"""One participant's local round, and the evaluation of a model. Pure PyTorch: weights and data in, weights out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from task.settings import OptimizerSettings

EVALUATION_BATCH, CPU_BATCH = 1000, 100
"""Images at a time; fewer on a CPU, where what a layer makes of them is to stay in the caches."""


@dataclass(frozen=True)
class Evaluation:
    """Metrics of one model on one test set.

    Attributes:
        accuracy: share of right answers in [0, 1].
        loss: mean cross-entropy in nats.
        precision, recall, f1: macro over the real classes of the test set; an answer that is none of them is a miss.
        precision_all, recall_all, f1_all: macro over all classes present or predicted; a class that is predicted but
            not present enters with 0.

    """

    accuracy: float
    loss: float
    precision: float
    recall: float
    f1: float
    precision_all: float
    recall_all: float
    f1_all: float


def make_optimizer(model: nn.Module, settings: OptimizerSettings) -> torch.optim.Optimizer:
    """Return the optimizer that `settings` describe, over all parameters of `model`."""
    if settings.name == "adam":
        return torch.optim.Adam(model.parameters(), lr=settings.lr, betas=settings.betas, eps=settings.eps)
    if settings.name == "rmsprop":
        return torch.optim.RMSprop(model.parameters(), lr=settings.lr, momentum=settings.momentum, eps=settings.eps)
    return torch.optim.SGD(model.parameters(), lr=settings.lr, momentum=settings.momentum)


def draw(count: int, wanted: int | None, generator: torch.Generator) -> Tensor:
    """Return `wanted` (None: all) different indices below `count` in random order, int64; fewer if there are fewer."""
    return torch.randperm(count, generator=generator)[:wanted]


def train(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    optimizer: torch.optim.Optimizer,
    batch_size: int,
    epochs: int,
    generator: torch.Generator,
    proximal_mu: float = 0.0,
) -> float:
    """Train `model` in place on images float32 [N, C, H, W] and labels int64 [N].

    `optimizer` is over all parameters of `model`. The order of the images is drawn from `generator`, anew each epoch;
    the last batch may be smaller. `proximal_mu` adds FedProx's term mu / 2 ||w - w_0||^2, w_0 the weights on entry (Li
    et al. 2020, section 3.1).

    Returns:
        The mean cross-entropy over the images of the last epoch, 0.0 where there are no images.

    """
    start = [parameter.detach().clone() for parameter in model.parameters()] if proximal_mu else []
    model.train()
    device = next(model.parameters()).device
    images, labels = images.to(device), labels.to(device)
    batches: list[tuple[Tensor, int]] = []
    for _ in range(epochs):
        batches = []
        order = torch.randperm(len(images), generator=generator).to(device)
        for first in range(0, len(order), batch_size):
            batch = order[first : first + batch_size]
            model.zero_grad(set_to_none=True)  # the optimizer's own takes as long as a small layer
            loss = functional.cross_entropy(model(images[batch]), labels[batch])
            batches.append((loss.detach(), len(batch)))  # read at the end: a GPU would have to wait for each
            if proximal_mu:
                moved = zip(model.parameters(), start, strict=True)
                loss = loss + proximal_mu / 2 * torch.stack([(now - then).square().sum() for now, then in moved]).sum()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimizer.step()
    return sum(loss.item() * count for loss, count in batches) / max(1, len(images))


@torch.no_grad()
def logits(model: nn.Module, images: Tensor) -> Tensor:
    """Return the model's answers float32 [N, outputs] on the CPU, in evaluation mode and in batches."""
    model.eval()
    device = next((one.device for one in model.parameters()), images.device)  # layers without weights have none
    size = CPU_BATCH if device.type == "cpu" else EVALUATION_BATCH
    return torch.cat([model(part.to(device)).cpu() for part in torch.split(images, size)])


def evaluate(model: nn.Module, images: Tensor, labels: Tensor) -> Evaluation:
    """Evaluate `model` on images float32 [N, C, H, W] and labels int64 [N], N > 0."""
    return score(logits(model, images), labels)


def score(answers: Tensor, labels: Tensor) -> Evaluation:
    """Return the metrics of logits [N, outputs] against labels int64 [N], N > 0 (Sun, eq. 5).

    A class that is never predicted has precision 0.
    """
    outputs = answers.shape[1]
    predicted = answers.argmax(1)
    hits = torch.bincount(labels[predicted == labels], minlength=outputs).double()
    present = torch.bincount(labels, minlength=outputs).double()
    claimed = torch.bincount(predicted, minlength=outputs).double()
    precision = hits / claimed.clamp(min=1)
    recall = hits / present.clamp(min=1)
    f1 = 2 * hits / (present + claimed).clamp(min=1)
    real = present > 0
    seen = real | (claimed > 0)

    def mean(values: Tensor, over: Tensor) -> float:
        return values[over].mean().item()

    return Evaluation(
        accuracy=(predicted == labels).double().mean().item(),
        loss=functional.cross_entropy(answers.double(), labels).item(),
        precision=mean(precision, real),
        recall=mean(recall, real),
        f1=mean(f1, real),
        precision_all=mean(precision, seen),
        recall_all=mean(recall, seen),
        f1_all=mean(f1, seen),
    )


def margin(answered: Tensor, labels: Tensor) -> Tensor:
    """Return the logit of the label minus the logsumexp of the others, [N]: the log-odds of the label."""
    own = answered.gather(1, labels[:, None]).squeeze(1)
    others = answered.scatter(1, labels[:, None], -torch.inf).logsumexp(1)
    return own - others


def optimizer_arrays(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimizer's state as named tensors, e.g. "3.exp_avg" for the fourth parameter."""
    state: Mapping[int, Mapping[str, Any]] = optimizer.state_dict()["state"]
    return {
        f"{index}.{name}": torch.as_tensor(value).detach().cpu().clone()
        for index, values in state.items()
        for name, value in values.items()
        if value is not None
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, arrays: Mapping[str, Tensor]) -> None:
    """Put back what `optimizer_arrays` returned; nothing happens for an empty mapping."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in arrays.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})

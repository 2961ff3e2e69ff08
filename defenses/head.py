"""The last layer of a shared model, what it is given, and the model with another one in its place."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from task.models import weights
from task.training import logits


@dataclass(frozen=True, kw_only=True, eq=False)
class Head:
    """The last layer (task.models: an nn.Linear) of a model, on the CPU.

    Attributes:
        model: an nn.Sequential that ends with it; not changed.
        weight: float32 [K, D].
        bias: float32 [K].

    """

    model: nn.Sequential
    weight: Tensor
    bias: Tensor

    @classmethod
    def of(cls, model: nn.Module) -> "Head":
        """Return the head of a shared model."""
        whole = cast("nn.Sequential", model)
        last = cast("nn.Linear", whole[-1])
        return cls(model=whole, weight=last.weight.detach().cpu(), bias=last.bias.detach().cpu())

    @torch.no_grad()
    def features(self, images: Tensor) -> Tensor:
        """Return what the last layer is given of images float32 [N, C, H, W], float32 [N, D]; nothing of none."""
        return logits(self.model[:-1], images) if len(images) else torch.empty(0, self.weight.shape[1])

    def replaced(self, weight: Tensor, bias: Tensor) -> dict[str, Tensor]:
        """Return the model's weights by name, on the CPU, with another last layer."""
        last = len(self.model) - 1
        return weights(self.model) | {f"{last}.weight": weight.detach().clone(), f"{last}.bias": bias.detach().clone()}

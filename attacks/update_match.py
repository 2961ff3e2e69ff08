"""Do generated images explain a client's update? The descent that they would cause, against the one that it sent."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from attacks.matching import mismatch, targets


class Sent:
    """What a client was sent and what it sent back.

    Args:
        model: that it was sent; left alone.
        update: what it added, by parameter name.
        shares: float [categories]: of its images, by category, as far as known.

    """

    def __init__(self, model: nn.Module, update: Mapping[str, Tensor], shares: Tensor) -> None:
        self.model, self.shares = model, shares
        self.target = {name: part[0] for name, part in targets(model, [update]).items()}

    def distance(self, images: Tensor, categories: Tensor) -> Tensor:
        """Return how far one step of gradient descent on these images points from the update, from 0 to 2.

        Each category weighs what it does in the client's data, not what it does in the batch. The distance has a slope
        where the images have one.
        """
        parameters = {name: one.detach().requires_grad_() for name, one in self.model.named_parameters()}
        answers = functional_call(self.model, parameters, (images,))
        counts = torch.bincount(categories, minlength=len(self.shares)).clamp(min=1)
        weights = (self.shares.to(images) / counts.to(images))[categories]
        loss = (weights * functional.cross_entropy(answers, categories, reduction="none")).sum()
        found = torch.autograd.grad(loss, list(parameters.values()), create_graph=images.requires_grad)
        return mismatch(self.target, dict(zip(parameters, found, strict=True)), "unit")

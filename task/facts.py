"""What passes between the parts: labelled images, and what everyone in a federation knows of its task."""

from dataclasses import dataclass, field

from torch import Tensor

from task.settings import OptimizerSettings


@dataclass(frozen=True)
class Images:
    """Labelled images.

    Attributes:
        images: float32 [N, C, H, W] in [-1, 1].
        labels: int64 [N].

    """

    images: Tensor
    labels: Tensor


@dataclass(frozen=True, kw_only=True)
class TaskFacts:
    """What everyone in the federation knows of the task.

    Attributes:
        shape: of an image, (C, H, W).
        classes: real classes of the data set.
        outputs: outputs of the shared model, `classes` or one more.
        model: name of the shared model (task.models).
        clients: participants, with ids 0 to clients - 1.
        optimizer, batch_size, local_epochs: of every participant's local round.
        images: that a participant holds, by the settings of the partition; None where they name no number.

    """

    shape: tuple[int, int, int]
    classes: int
    outputs: int
    model: str
    clients: int
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    batch_size: int = 32
    local_epochs: int = 1
    images: int | None = None

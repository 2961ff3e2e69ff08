"""Private properties: what is particular to the images of one participant, and nobody else's (Wang, section VI).

The victim of a malicious server has to hold something that the others do not, or the loot could be anyone's:

- `rotated`: all that the victim holds is turned by the same angle. (Wang's victim holds digits with the rotation code
  of an InfoGAN; turning its real images is a difference, and leaves nothing of its images to another network.)
- `attribute`: the victim holds the images that a table marks, such as all faces with glasses; what the others hold is
  not marked (task.partitions.held).

Everyone holds indices into the data set's training images (task.partitions); `images` turns them into what is held.
"""

import dataclasses
import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from task.datasets import Dataset
from task.settings import TaskSettings


def images(dataset: Dataset, settings: TaskSettings, client: int, indices: Tensor) -> Tensor:
    """Return what a participant really holds.

    Args:
        dataset: the public data set.
        settings: of the task.
        client: who holds them.
        indices: int64 [N] into the training images.

    Returns:
        uint8 [N, C, H, W]: the training images, turned where the participant's are.

    """
    private, chosen = settings.private, dataset.train.images[indices]
    if private is None or private.kind != "rotated" or private.client != client:
        return chosen
    return turn(chosen, private.degrees)


def as_held(dataset: Dataset, settings: TaskSettings, held: Mapping[int, Tensor]) -> Dataset:
    """Return the data set with each training image as its holder has it; that very data set where all are the same.

    Args:
        dataset: the public data set.
        settings: of the task.
        held: indices into its training images by participant (task.partitions.held).

    """
    private = settings.private
    if private is None or private.kind != "rotated" or private.client not in held:
        return dataset
    mine = held[private.client]
    changed = dataset.train.images.clone()
    changed[mine] = images(dataset, settings, private.client, mine)
    return dataclasses.replace(dataset, train=dataclasses.replace(dataset.train, images=changed))


def turn(images: Tensor, degrees: float) -> Tensor:
    """Turn images uint8 [N, C, H, W] counter-clockwise about their centre; bilinear, rounded, black where nothing was.

    The size stays, so that corners are cut off. A multiple of 90 turns square images without any blur; 0 degrees return
    the images themselves.
    """
    if degrees == 0 or not len(images):
        return images
    height, width = images.shape[2:]
    angle = math.radians(degrees)
    cosine, sine = math.cos(angle), math.sin(angle)
    # Where each pixel comes from, in coordinates from -1 to 1 on both axes, hence the sides' ratio.
    affine = torch.tensor([[cosine, -sine * height / width, 0], [sine * width / height, cosine, 0]])
    grid = functional.affine_grid(affine.expand(len(images), 2, 3), list(images.shape), align_corners=False)
    turned = functional.grid_sample(images.float(), grid, "bilinear", "zeros", align_corners=False)
    return turned.round().clamp(0, 255).byte()

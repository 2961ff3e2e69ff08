"""Private properties: what is particular to the images of one participant, and nobody else's (Wang, section VI).

The victim of a malicious server has to hold something that the others do not, or the loot could be anyone's:

- `rotated`: all that the victim holds is turned by the same angle. (Wang's victim holds digits with the rotation code
  of an InfoGAN; turning its real images is a difference, and leaves nothing of its images to another network.)
- `attribute`: the victim holds the images that a table marks, such as all faces with glasses; what the others hold is
  not marked (task.partitions.held).

Everyone holds indices into the data set's training images (task.partitions); `images` turns them into what is held.
"""

import dataclasses
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
    moved = sampled(images.float(), rotations(torch.full((len(images),), degrees), images))
    return moved.round().clamp(0, 255).byte()


def turned(images: Tensor, degrees: Tensor) -> Tensor:
    """Turn images float32 [N, C, H, W] in [-1, 1] likewise, unrounded, each by degrees of its own [N]."""
    return sampled(images + 1, rotations(degrees, images)) - 1


def rotations(degrees: Tensor, images: Tensor) -> Tensor:
    """Return where pixels come from when images [N, C, H, W] are turned by degrees [N] counter-clockwise.

    Returns:
        float32 [N, 2, 3], in coordinates from -1 to 1 on both axes, hence the sides' ratio in it; the last column, the
        shift, is 0.

    """
    height, width = images.shape[2:]
    angle = degrees.double().deg2rad()
    cosine, sine, nothing = angle.cos(), angle.sin(), torch.zeros_like(angle)
    rows = [[cosine, -sine * height / width, nothing], [sine * width / height, cosine, nothing]]
    return torch.stack([torch.stack(row, 1) for row in rows], 1).float()


def sampled(images: Tensor, places: Tensor) -> Tensor:
    """Return images float32 [N, C, H, W] read at places [N, 2, 3] (see `rotations`); bilinear, 0 outside."""
    grid = functional.affine_grid(places, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, "bilinear", "zeros", align_corners=False)

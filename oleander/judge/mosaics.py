"""Many small images as one array to draw: pixels in [0, 1], with transparent gaps between them."""

from typing import Any

import numpy as np
from torch import Tensor

Pixels = np.ndarray[Any, np.dtype[np.float32]]


def pixels(images: Tensor) -> Pixels:
    """Return images float32 [N, C, H, W] in [-1, 1] as [N, H, W, C] in [0, 1]."""
    found: Pixels = ((images.clamp(-1, 1) + 1) / 2).permute(0, 2, 3, 1).numpy()
    return found


def mosaic(images: Tensor, columns: int, gap: float = 0.12) -> Pixels:
    """Lay images float32 [N, C, H, W] out in rows, left to right.

    Args:
        images: in [-1, 1], N > 0.
        columns: images a row; empty places in the last row are left blank.
        gap: between images, as a share of their width, at least one pixel.

    Returns:
        RGBA float32 [height, width, 4]; gaps and empty places are transparent.

    """
    tiles = pixels(images)
    count, height, width, channels = tiles.shape
    space, rows = max(1, round(gap * width)), -(-count // columns)
    sheet = np.zeros((rows * (height + space) - space, columns * (width + space) - space, 4), dtype=np.float32)
    for index, tile in enumerate(tiles):
        top, left = (index // columns) * (height + space), (index % columns) * (width + space)
        colours = tile if channels == 3 else tile.mean(2, keepdims=True).repeat(3, 2)  # noqa: PLR2004  # RGB or grey
        sheet[top : top + height, left : left + width, :3] = colours
        sheet[top : top + height, left : left + width, 3] = 1
    return sheet

"""Mosaics pixel by pixel, and figures that are there."""

import torch

from oleander.judge import mosaics


def test_a_mosaic_lays_images_out_in_rows() -> None:
    """Three grey images of 2x2 in two columns: a gap of one transparent pixel, and an empty fourth place."""
    images = torch.tensor([-1.0, 0.0, 1.0]).view(3, 1, 1, 1).expand(3, 1, 2, 2)
    sheet = mosaics.mosaic(images, 2)
    assert sheet.shape == (5, 5, 4)
    assert sheet[0, 0].tolist() == [0, 0, 0, 1]
    assert sheet[0, 3].tolist() == [0.5, 0.5, 0.5, 1]
    assert sheet[3, 0].tolist() == [1, 1, 1, 1]
    assert sheet[:, 2, 3].tolist() == [0] * 5
    assert (sheet[3:, 3:, 3] == 0).all()


def test_colours_stay_colours() -> None:
    """A red image is red."""
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1)
    assert mosaics.mosaic(red, 1)[0, 0].tolist() == [1, 0, 0, 1]

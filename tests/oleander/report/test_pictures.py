"""Pictures on the page."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from oleander.report.pictures import Pixels, file_uri, image_uri, pairs


def opened(uri: str) -> Image.Image:
    """Return the picture in a data URI."""
    return Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/png;base64,"))))


def constant(*values: float) -> Pixels:
    """Return 2x2 images of one grey each."""
    return np.stack([np.full((1, 2, 2), value, dtype=np.float32) for value in values])


def test_a_pixel_is_a_pixel() -> None:
    """-1 is black, 1 white, 0 the middle; values beyond are cut, NaN is the middle."""
    image = np.array([[[-1, 1, 0], [-7, 7, np.nan]]], dtype=np.float32)
    assert np.asarray(opened(image_uri(image))).tolist() == [[0, 255, 128], [0, 255, 128]]


def test_colours_are_kept() -> None:
    """Three channels become red, green and blue."""
    image = np.array([1, -1, 0], dtype=np.float32).reshape(3, 1, 1)
    assert np.asarray(opened(image_uri(image))).tolist() == [[[255, 0, 128]]]


def test_a_pair_names_the_owner_of_the_nearest_image() -> None:
    """0.1 is nearer to participant 4's 0.0 than to participant 2's 0.5, by a tenth."""
    (pair,) = pairs(constant(0.1), {2: constant(0.5), 4: constant(-1.0, 0.0)})
    assert pair.owner == 4
    assert pair.distance is not None
    assert abs(pair.distance - 0.1) < 1e-6
    assert pair.real == image_uri(constant(0.0)[0])


def test_without_an_owner_the_loot_stands_alone() -> None:
    """A control class has no real images, and so no distance."""
    (pair,) = pairs(constant(0.1), {})
    assert (pair.real, pair.distance, pair.owner) == (None, None, None)


def test_a_figure_file_keeps_its_size(tmp_path: Path) -> None:
    """A figure comes along with its own width and height."""
    Image.fromarray(np.full((40, 60, 3), 200, dtype=np.uint8)).save(tmp_path / "figure.png")
    assert opened(file_uri(tmp_path / "figure.png")).size == (60, 40)

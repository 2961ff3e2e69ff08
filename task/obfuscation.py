"""The terms of Anti-GAN's objective, for who defends with them and for who knows that somebody does.

Luo and Zhu 2020, section 3.2 (see defenses.anti_gan). All take images float32 [N, C, H, W] in [-1, 1] and count in
pixels of [0, 1].
"""

from torch import Tensor

SIGNS = {"max": -1.0, "min": 1.0}
"""Of the log variance in the objective, which is minimised: eq. 7 and eq. 8."""
LEAST_VARIANCE = 1e-6


def unit(images: Tensor) -> Tensor:
    """Return pixels in [0, 1]."""
    return (images + 1) / 2


def log_variance(images: Tensor) -> Tensor:
    """Return L_obf (eq. 7) for each image: log(Var + 1e-6) of all its pixels and channels, float32 [N]."""
    return (unit(images).flatten(1).var(1, correction=0) + LEAST_VARIANCE).log()


def squared_distance(pixels: Tensor, means: Tensor) -> Tensor:
    """Return L_sim (eq. 6) for each image: the sum of squares of its distance to a mean image, [N]; both in [0, 1]."""
    return (pixels - means).square().flatten(1).sum(1)

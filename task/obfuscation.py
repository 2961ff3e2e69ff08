"""The terms of Anti-GAN's objective, for who defends with them and for who knows that somebody does.

Luo and Zhu 2020, section 3.2 (see defenses.anti_gan). All take images float32 [N, C, H, W] in [-1, 1] and count in
pixels of [0, 1].
"""

from torch import Tensor
from torch.nn import functional

SIMILARITIES = ("mean", "max-pool")
"""What the distance of eq. 6 is of: the pixels, or the largest of each 2x2 of them, the paper's future work."""
SIGNS = {"max": -1.0, "min": 1.0}
"""Of the log variance in the objective, which is minimised: eq. 7 and eq. 8."""
LEAST_VARIANCE = 1e-6


def unit(images: Tensor) -> Tensor:
    """Return pixels in [0, 1]."""
    return (images + 1) / 2


def log_variance(images: Tensor) -> Tensor:
    """Return L_obf (eq. 7) for each image: log(Var + 1e-6) of all its pixels and channels, float32 [N]."""
    return (unit(images).flatten(1).var(1, correction=0) + LEAST_VARIANCE).log()


def compared(images: Tensor, similarity: str) -> Tensor:
    """Return what the similarity looks at, in [0, 1]."""
    return functional.max_pool2d(unit(images), 2) if similarity == "max-pool" else unit(images)


def squared_distance(images: Tensor, means: Tensor, similarity: str) -> Tensor:
    """Return L_sim (eq. 6) for each image: the sum of squares of its distance to a mean of what is `compared`, [N]."""
    return (compared(images, similarity) - means).square().flatten(1).sum(1)


def objective(
    images: Tensor, means: Tensor, *, lambda1: float, lambda2: float, obfuscation: str, similarity: str
) -> Tensor:
    """Return eq. 9 without the GAN's own term for each image, float32 [N]: small for what the defence wants."""
    blurred = SIGNS[obfuscation] * lambda2 * log_variance(images)
    return lambda1 * squared_distance(images, means, similarity) + blurred

"""Every kind of noise keeps its promises."""

import pytest
import torch

from oleander.judge import noise

KINDS = {**noise.TRAINED, **noise.UNSEEN}


def images(count: int = 6, side: int = 8) -> torch.Tensor:
    """Images with many different pixels."""
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("shape", [(5, 1, 8, 8), (3, 3, 32, 32), (2, 1, 112, 92)])
def test_noise_has_the_shape_and_range_of_images(name: str, shape: tuple[int, ...]) -> None:
    """It follows the generator alone and leaves the images as they are."""
    real = torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
    before = real.clone()
    first, again = (KINDS[name](real, torch.Generator().manual_seed(7)) for _ in range(2))
    assert first.shape == shape
    assert first.dtype == torch.float32
    assert -1 <= first.min() <= first.max() <= 1
    assert torch.equal(first, again)
    assert torch.equal(real, before)


@pytest.mark.parametrize("name", ["shuffled", "phantoms", "drizzle"])
def test_some_kinds_keep_the_pixels_of_a_real_image(name: str) -> None:
    """The same values, in other places."""
    made = KINDS[name](images(), torch.Generator().manual_seed(0))
    assert torch.equal(made.flatten(1).sort(1).values, images().flatten(1).sort(1).values)
    assert not torch.equal(made, images())


def test_a_mixture_has_as_many_of_each_kind() -> None:
    """Sixteen images of eight kinds: two of each; the third kind in line is sparse, hence mostly black."""
    made = noise.mixture(images(16), noise.TRAINED, torch.Generator().manual_seed(0))
    assert len(made) == 16
    assert list(noise.TRAINED)[1] == "saturated"
    assert set(made[2:4].unique().tolist()) == {-1.0, 1.0}

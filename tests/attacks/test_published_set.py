"""The attack on a published set: what it learns, what the adaptive attacker keeps, and what it pulls back."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from attacks import published_set
from attacks.published_set import Options, likely_real
from attacks.views import ServerView
from defenses import anti_gan, fixed_noise
from task import models
from task.datasets import load, to_float
from task.facts import Images, TaskFacts
from task.seeding import generator
from task.settings import SettingsError, to_dict

FACTS = TaskFacts(shape=(1, 8, 8), classes=10, outputs=10, model="digits-cnn", clients=3)
QUICK: dict[str, Any] = {"network": "small", "steps": 60, "lr": 0.001}


def sixes() -> Images:
    """Return a hundred sixes."""
    digits = load("digits", None)
    chosen = (digits.train.labels == 6).nonzero()[:100, 0]
    return Images(to_float(digits.train.images[chosen]), digits.train.labels[chosen])


def view(published: Mapping[int, Images], *, last: bool = True) -> ServerView:
    """Return what the server sees; of the federation an untrained model."""
    model = models.build("digits-cnn", FACTS.shape, 10, generator(0)).eval()
    nobody = Images(torch.empty(0, *FACTS.shape), torch.empty(0, dtype=torch.int64))
    return ServerView(
        round=1,
        last=last,
        global_model=model,
        aggregate=model,
        updates={},
        accuracy=0.1,
        auxiliary=nobody,
        published=published,
    )


def stolen(shown: Images, **values: Any) -> Tensor:
    """Return the loot of a victim that publishes this."""
    attack = published_set.build(Options(victim=1, **QUICK, **values), FACTS, generator(1))
    attack.observe(view({1: shown}), generator(2))
    loot = attack.loot(50, generator(3))
    assert loot.labels.tolist() == [6] * 50
    return loot.images


def test_it_learns_what_is_published_and_not_what_is_not() -> None:
    """Of a victim that publishes its sixes it makes images near their mean; of one that publishes fives turned, not."""
    real = sixes()
    mean = real.images.mean(0)
    near, far = (
        (stolen(Images(images, real.labels)).mean(0) - mean).square().mean() for images in (real.images, -real.images)
    )
    assert near < 0.05
    assert far > 10 * near


def test_it_waits_for_its_round_and_says_what_it_lacks() -> None:
    """The last round, unless it is told `every`; without a published set it has nothing to work on."""
    attack = published_set.build(Options(victim=1, **QUICK), FACTS, generator(1))
    attack.observe(view({}, last=False), generator(2))
    assert not attack.started
    with pytest.raises(SettingsError, match="a published set of client 1, got 'none'"):
        attack.observe(view({2: sixes()}), generator(2))
    with pytest.raises(SettingsError, match="a victim from 0 to 2"):
        published_set.build(Options(victim=3), FACTS, generator(1))


def mixed(defense: str, ratio: float, **values: Any) -> tuple[Images, Tensor, dict[str, Any]]:
    """Return what is published of a hundred sixes, which of it is real, and what an adaptive attacker knows."""
    own = sixes()
    if defense == "anti-gan":
        options: Any = anti_gan.Options(**QUICK, latent_steps=3, mixing_ratio=ratio, **values)
        made = anti_gan.build(options, FACTS, generator(0))
    else:
        options = fixed_noise.Options(mixing_ratio=ratio)
        made = fixed_noise.build(options, FACTS, generator(0))
    made.fit(own, generator(1), lambda _: None)
    return made.published, made.genuine, {"defense": defense, **to_dict(options)}


@pytest.mark.parametrize(("defense", "values"), [("anti-gan", {"lambda1": 0.05, "lambda2": 40.0}), ("fixed-noise", {})])
def test_the_adaptive_attacker_tells_real_images_from_made_ones(defense: str, values: dict[str, float]) -> None:
    """At MR 0.25 it keeps twenty of a hundred, a fifth, and nearly all of them are real; by chance four would be."""
    shown, genuine, known = mixed(defense, 0.25, **values)
    kept = likely_real(shown, known)
    assert len(kept.labels) == genuine.sum() == 20
    real = {image.numpy().tobytes() for image in shown.images[genuine]}
    assert sum(image.numpy().tobytes() in real for image in kept.images) >= 18


def test_where_nothing_real_is_published_all_is_kept() -> None:
    """Also of a defence of which nothing is known that would help."""
    shown, _, known = mixed("fixed-noise", 0.0)
    assert likely_real(shown, known) is shown
    shown, _, known = mixed("anti-gan", 0.25, lambda1=0.0, lambda2=0.0)
    assert likely_real(shown, known) is shown
    assert likely_real(shown, {"defense": "undefended"}) is shown


def test_what_is_known_needs_an_attacker_who_knows() -> None:
    """Else it would be no secret."""
    with pytest.raises(SettingsError, match="knows: true"):
        Options(victim=1, known={"defense": "anti-gan"})

"""The published-set attack: a GAN learns from the very images that a defended participant trains on.

Xinjian Luo, Xiangqi Zhu: Exploiting Defenses against GAN-Based Feature Inference Attacks in Federated Learning (2020),
section 4: "a more powerful attacker [...] who has black-box access to victim's dataset. Though unable to directly get
the targeted images, this attacker can feed these images into the discriminator of a GAN". The generator of a
Wasserstein GAN with gradient penalty learns to make what the victim publishes in place of its images. Nothing of the
federation is used, neither updates nor models; no federation shows a published set to anybody. In what it sees, though
not in what a GAN can make of that, this attacker is an **upper bound**.

`knows`: the **adaptive** attacker (ours), who knows the defence and its settings (`known`, which a resolved scenario
fills in); a defence that holds only while it is secret is none. It knows how many of the published images are real, and
undoes the mixing: of each class it keeps so many, those that the defence is the least likely to have made, and learns
from these alone. Anti-GAN's look-alikes were made, and chosen, for a small value of its objective (eq. 9 without the
GAN's own term), which real images have no reason to have: kept are those with the largest. Noise is rough: kept are the
images with the least total variation. Where nothing real is published (MR 0) there is nothing to keep, and this is the
paper's attacker: it sees the victim's images through the look-alikes alone, whatever it knows of how they were made.
(A generator with the opposite of the objective was tried; it ends in flat grey, since the logarithm of the variance
has no least value.)

Differences from the paper, and what it leaves open:
1. The GAN's settings are not printed; the defaults are those of the defence here.
2. One GAN for all classes of the victim, which is told the class.
3. The mean image of a class in the objective is that of what was published; the attacker knows no other.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from attacks.regularisers import total_variation
from attacks.views import ServerView
from task import wgan
from task.facts import Images, TaskFacts
from task.obfuscation import compared, objective
from task.settings import expect

VIEW = ServerView
READS_PUBLISHED = True
WEIGHED = ("lambda1", "lambda2", "obfuscation", "similarity")


@dataclass(frozen=True, kw_only=True)
class Options(wgan.Settings):
    """Settings of the attack, beside those of the GAN.

    Attributes:
        victim: whose published images to learn from.
        every: rounds between attacks; None for the last round alone.
        knows: whether the attacker is adaptive.
        known: the victim's defence as `defense` and its options; filled in where `knows` is set.

    """

    victim: int
    every: int | None = None
    knows: bool = False
    known: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(self.every is None or self.every > 0, "every > 0", self.every)
        expect(self.knows or self.known is None, "knows: true with what is known", self.known, "Or leave it out.")


def build(options: Options, facts: TaskFacts, generator: torch.Generator) -> "PublishedSet":
    """Return the attack before its first round; the first weights are drawn from `generator`.

    Raises:
        SettingsError: for a victim that does not exist.

    """
    victim = options.victim
    expect(victim in range(facts.clients), f"a victim from 0 to {facts.clients - 1}", victim)
    return PublishedSet(options, facts, generator)


class PublishedSet:
    """See attacks.views.ServerAttack."""

    def __init__(self, options: Options, facts: TaskFacts, generator: torch.Generator) -> None:
        self.options, self.facts = options, facts
        self.gan = wgan.Wgan(options, facts.shape, facts.classes, generator)
        self.labels = torch.empty(0, dtype=torch.int64)
        self._metrics: dict[str, float] = {}

    @property
    def started(self) -> bool:
        """Whether there is loot."""
        return len(self.labels) > 0

    @property
    def isolated(self) -> tuple[int, ...]:
        """Nobody."""
        return ()

    def outgoing(self, client: int, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Send the global model."""
        del client
        return weights

    def observe(self, view: ServerView, generator: torch.Generator) -> None:
        """Learn from what the victim has published, in the last round or when it is due.

        Raises:
            SettingsError: where there is nothing published.

        """
        options = self.options
        if not (view.last or (options.every and view.round % options.every == 0)):
            return
        remedy = "What it failed with stands in the failures of rounds.jsonl."
        expect(options.victim in view.published, f"a published set of client {options.victim}", "none", remedy)
        shown = view.published[options.victim]
        kept = likely_real(shown, options.known) if options.known else shown
        device = next(view.global_model.parameters()).device
        learned = Images(kept.images.to(device), kept.labels.to(device))
        losses = self.gan.fit(learned, _nothing, generator, lambda _: None)
        self.labels = torch.tensor(sorted(set(kept.labels.tolist())))
        self._metrics = {"published": float(len(shown.labels)), "learned_from": float(len(kept.labels)), **losses}

    def loot(self, count: int, generator: torch.Generator) -> Images:
        """Return `count` images of each class that the victim has published."""
        labels = self.labels.repeat_interleave(count)
        if not len(labels):
            return Images(torch.empty(0, *self.facts.shape), labels)
        device = next(self.gan.generator.parameters()).device
        with torch.no_grad():
            images = self.gan.images(self.gan.latents(len(labels), generator).to(device), labels.to(device))
        return Images(images.cpu(), labels)

    def control(self, count: int, generator: torch.Generator) -> Images:
        """Return nothing: the attack knows no "not the victim"."""
        del count, generator
        return Images(torch.empty(0, *self.facts.shape), torch.empty(0, dtype=torch.int64))

    def not_owned(self, count: int, generator: torch.Generator) -> Images:
        """Return nothing: of other classes nothing was published."""
        return self.control(count, generator)

    def representatives(self) -> Mapping[int, Images]:
        """Return nothing: the updates are not looked at."""
        return {}

    def metrics(self) -> dict[str, float]:
        """Return how many images were published and how many of them learned from, and the GAN's last losses."""
        return dict(self._metrics)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the weights of both networks, and the classes."""
        networks = {"generator": self.gan.generator, "critic": self.gan.critic}
        weights = {f"{one}.{name}": w.cpu() for one, net in networks.items() for name, w in net.state_dict().items()}
        flat = torch.contiguous_format
        return {name: tensor.clone(memory_format=flat) for name, tensor in weights.items()} | {"labels": self.labels}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned."""
        self.labels = state["labels"]
        for one, net in (("generator.", self.gan.generator), ("critic.", self.gan.critic)):
            net.load_state_dict({key.removeprefix(one): value for key, value in state.items() if key.startswith(one)})


def _nothing(images: Tensor, labels: Tensor) -> Tensor:
    """Want nothing of made images beside what the GAN wants; see task.wgan.Objective."""
    del labels
    return images.new_zeros(len(images))


def likely_real(shown: Images, known: Mapping[str, Any]) -> Images:
    """Return of each class as many images as must be real, those that the defence is the least likely to have made.

    Args:
        shown: what was published.
        known: the defence and its options; all images are returned where it mixes in no real ones, or is another, or
            a plain GAN, whose images were made for nothing that real ones lack.

    """
    ratio, doubt = float(known.get("mixing_ratio", 0)), DOUBTS.get(str(known.get("defense")))
    plain = known.get("lambda1") == 0 and known.get("lambda2") == 0  # nothing was wanted, and nothing is to be seen
    if not ratio or doubt is None or plain:
        return shown
    chosen = []
    for label in sorted(set(shown.labels.tolist())):
        mine = (shown.labels == label).nonzero().flatten()
        count = max(1, math.floor(len(mine) * ratio / (1 + ratio) + 0.5))
        chosen.append(mine[doubt(shown.images[mine], known).argsort(stable=True)[:count]])
    taken = torch.cat(chosen)
    return Images(shown.images[taken], shown.labels[taken])


def _like_look_alikes(images: Tensor, known: Mapping[str, Any]) -> Tensor:
    """Return how much images of one class look like Anti-GAN's, [N]."""
    mean = compared(images, known["similarity"]).mean(0)
    return -objective(images, mean, **{name: known[name] for name in WEIGHED})


def _rough(images: Tensor, known: Mapping[str, Any]) -> Tensor:
    """Return the total variation of each image, [N]."""
    del known
    return torch.stack([total_variation(image[None]) for image in images])


DOUBTS = {"anti-gan": _like_look_alikes, "fixed-noise": _rough}
"""By defence, what is large for images that it has made."""

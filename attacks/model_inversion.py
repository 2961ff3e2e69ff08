"""Model inversion: images that the final model is sure of, one category after another.

Matt Fredrikson, Somesh Jha, Thomas Ristenpart: Model Inversion Attacks that Exploit Confidence Information and Basic
Countermeasures (2015), MI-FACE; the baseline of Wang et al. 2019, section VI-C. The rules and constants are those that
later accounts and implementations give of it (ART's MIFace for one); the paper itself was not at hand.

The attack has nothing but a model, here the last that the federation makes; no update, no client, no data. From a blank
image or from noise it descends the gradient of

    c(x) = 1 - f_y(x),    f_y the model's confidence in category y,

for 5,000 steps of 0.1 at most, and ends when c has not become smaller for 100 steps or the confidence has reached 0.99.
Between the steps a function PROCESS makes the image look more like an image. The answer is the image of the smallest c.
All categories, and several images of each, are solved at once, but each for itself: an image ends when it is done.

What comes out is what the *model* takes for a category. It is no image of anybody's and depends on no client, so that a
property of one client can only show in it as far as the whole federation learned it; and of a deep model it is noise or
blur that the model is sure of (Wang et al.: "blurry", inception score 1.01). It stands here as that baseline.

Differences from the paper:
1. The model is a convolutional network, not softmax regression or a perceptron. Pixels are in [0, 1] in the formulas,
   so that a step of 0.1 means what it means there, and are clipped to that after every step.
2. PROCESS: the paper has it for its autoencoder alone, whose code it inverts: non-local means, then sharpening, each
   step. Here the pixels themselves are processed, every `denoise_every` steps; with it only processed images count as
   answers, and as ends. 0 leaves it out, as the paper does for its other models; then what comes out looks like noise.
   `sharpen` is 0: without an autoencoder behind it sharpening turns what noise there is into stripes (measured).
3. "Has not become smaller" is counted from the smallest c so far; the paper compares with the largest of the last 100.
4. `cost: log` descends -log f_y in place of 1 - f_y. The latter has no slope where the model is sure of something else:
   from noise many categories never leave their start.
5. `start: noise` (Wang's account of the attack), uniform, gives as many different images as are asked for; from the
   paper's blank image there is one for each category.
6. `every` attacks the models of earlier rounds too, to show how the loot grows; each attack replaces the one before.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from attacks.denoising import non_local_means, sharpened
from attacks.views import ServerView
from task.facts import Images, TaskFacts
from task.settings import choose, expect

VIEW = ServerView
BATCH = 200  # images at once, which bounds the memory
ROUNDING = 1e-6


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of the attack; the defaults are Fredrikson's, but for the start, which is Wang's, and PROCESS.

    Attributes:
        victim: whose classes the judge looks at; the attack itself is after nobody in particular.
        classes: categories to invert; None for all.
        images: of each category, from different noise; one is enough of a blank start.
        every: rounds between attacks; None for the last round alone.
        steps: at most.
        lr: of gradient descent, in pixels of [0, 1].
        patience: steps without a smaller cost after which an image is done.
        confidence: at which an image is done, in [0, 1].
        cost: `confidence` for 1 - f_y, or `log` for -log f_y.
        start: `noise` or `blank` (black).
        denoise_every: steps between denoising; 0 for none.
        denoise: its strength in grey levels of [0, 1] (attacks.denoising).
        sharpen: how much the denoised image is sharpened then; 0 for not.

    """

    victim: int | None = None
    classes: tuple[int, ...] | None = None
    images: int = 10
    every: int | None = None
    steps: int = 5000
    lr: float = 0.1
    patience: int = 100
    confidence: float = 0.99
    cost: str = "confidence"
    start: str = "noise"
    denoise_every: int = 20
    denoise: float = 0.3
    sharpen: float = 0.0

    def __post_init__(self) -> None:
        choose(self.cost, ("confidence", "log"), "a cost")
        choose(self.start, ("noise", "blank"), "a start")
        classes = self.classes
        expect(classes is None or len(set(classes)) == len(classes) > 0, "at least one class, each once", classes)
        for name in ("images", "steps", "patience", "lr", "denoise"):
            expect(0 < getattr(self, name) < math.inf, f"{name} > 0", getattr(self, name))
        for name in ("denoise_every", "sharpen"):
            expect(0 <= getattr(self, name) < math.inf, f"{name} >= 0", getattr(self, name))
        patient = self.denoise_every <= min(self.patience, self.steps)
        limit = f"denoise_every up to patience and steps ({min(self.patience, self.steps)})"
        expect(patient, limit, self.denoise_every, "Only processed images count.")
        expect(0 < self.confidence <= 1, "a confidence above 0, up to 1", self.confidence)
        expect(self.every is None or self.every > 0, "every > 0", self.every)


def build(options: Options, facts: TaskFacts, generator: torch.Generator) -> "ModelInversion":
    """Return the attack before its first round; nothing is drawn from `generator`.

    Raises:
        SettingsError: for a category that the shared model has no output for, or a victim that does not exist.

    """
    del generator
    for label in options.classes or ():
        expect(label in range(facts.classes), f"classes from 0 to {facts.classes - 1}", label)
    victim = options.victim
    expect(victim is None or victim in range(facts.clients), f"a victim from 0 to {facts.clients - 1}", victim)
    return ModelInversion(options, facts)


class ModelInversion:
    """What the attack has found in the latest model that it looked at; see attacks.views.ServerAttack."""

    def __init__(self, options: Options, facts: TaskFacts) -> None:
        self.options, self.facts = options, facts
        self.found = torch.empty(0, 0, *facts.shape)
        self.confidences = torch.empty(0, 0)
        self.steps = torch.empty(0, 0, dtype=torch.int64)

    @property
    def _classes(self) -> tuple[int, ...]:
        return self.options.classes or tuple(range(self.facts.classes))

    @property
    def started(self) -> bool:
        """Whether there is loot."""
        return len(self.found) > 0

    @property
    def isolated(self) -> tuple[int, ...]:
        """Nobody."""
        return ()

    def outgoing(self, client: int, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Send the global model."""
        del client
        return weights

    def observe(self, view: ServerView, generator: torch.Generator) -> None:
        """Invert the model that the round has made, if it is the last or due; its updates are not looked at."""
        options, shape = self.options, self.facts.shape
        if not (view.last or (options.every and view.round % options.every == 0)):
            return
        each = options.images if options.start == "noise" else 1
        labels = torch.tensor(self._classes).repeat_interleave(each)
        start = torch.zeros(len(labels), *shape)
        if options.start == "noise":
            start = torch.rand(start.shape, generator=generator)
        batches = [slice(first, first + BATCH) for first in range(0, len(labels), BATCH)]
        parts = [invert(view.aggregate, start[batch], labels[batch], options) for batch in batches]
        images, confidences, steps = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
        self.found = (images * 2 - 1).view(-1, each, *shape)
        self.confidences, self.steps = confidences.view(-1, each), steps.view(-1, each)

    def loot(self, count: int, generator: torch.Generator) -> Images:
        """Return `count` images of each category; where fewer have been made, they repeat."""
        del generator
        if not self.started:
            return Images(torch.empty(0, *self.facts.shape), torch.empty(0, dtype=torch.int64))
        images = self.found[:, torch.arange(count) % self.found.shape[1]]
        return Images(images.flatten(0, 1), torch.tensor(self._classes).repeat_interleave(count))

    def control(self, count: int, generator: torch.Generator) -> Images:
        """Return nothing: the attack knows no "not the victim"."""
        del count, generator
        return Images(torch.empty(0, *self.facts.shape), torch.empty(0, dtype=torch.int64))

    def not_owned(self, count: int, generator: torch.Generator) -> Images:
        """Return nothing: the attack does not ask who holds what; its loot is of all categories."""
        return self.control(count, generator)

    def representatives(self) -> Mapping[int, Images]:
        """Return nothing: the updates are not looked at."""
        return {}

    def metrics(self) -> dict[str, float]:
        """Return the model's mean confidence in the images, the share that reached the goal, and their mean steps."""
        if not self.started:
            return {}
        reached = self.confidences >= self.options.confidence - ROUNDING
        return {
            "confidence": self.confidences.mean().item(),
            "reached": reached.float().mean().item(),
            "steps": self.steps.float().mean().item(),
        }

    def state_dict(self) -> dict[str, Tensor]:
        """Return the images, confidences and steps."""
        return {"found": self.found, "confidences": self.confidences, "steps": self.steps}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned."""
        self.found, self.confidences, self.steps = state["found"], state["confidences"], state["steps"]


def invert(model: nn.Module, start: Tensor, labels: Tensor, options: Options) -> tuple[Tensor, Tensor, Tensor]:
    """Invert a model, each image for itself.

    Args:
        model: in evaluation mode; left alone. The work is done on its device.
        start: float32 [N, C, H, W] in [0, 1].
        labels: int64 [N], the category of each.
        options: cost, steps and ends.

    Returns:
        The images of the smallest cost, float32 [N, C, H, W] in [0, 1]; the model's confidences in them, float32 [N];
        and the steps that each took, int64 [N]. All on the CPU.

    """
    device = next(model.parameters()).device
    best, known = start.to(device), labels.to(device)
    lowest = torch.full(labels.shape, math.inf, device=device)
    since, taken = torch.zeros_like(known), torch.zeros_like(known)  # step of the smallest cost, steps so far
    running, pixels = torch.arange(len(labels), device=device), best
    best = best.clone()
    for step in range(options.steps + 1):
        costs, gradients = _descent(model, pixels, known[running], options.cost)
        if not options.denoise_every or (step and step % options.denoise_every == 0):
            gained = costs < lowest[running]
            lowest[running[gained]], best[running[gained]] = costs[gained], pixels[gained]
            since[running[gained]] = step
        taken[running] = step
        sure = lowest[running] <= -math.log(options.confidence)
        going = ~sure & (step - since[running] < options.patience)
        running, pixels = running[going], _processed(pixels[going] - options.lr * gradients[going], step + 1, options)
        if not len(running):
            break
    return best.cpu(), (-lowest).exp().cpu(), taken.cpu()


def _descent(model: nn.Module, pixels: Tensor, labels: Tensor, cost: str) -> tuple[Tensor, Tensor]:
    """Return -log f_y [N], by which images are ranked, and the gradients of the cost [N, C, H, W]."""
    pixels = pixels.detach().requires_grad_()
    surprises = functional.cross_entropy(model(pixels * 2 - 1), labels, reduction="none")
    total = surprises.sum() if cost == "log" else -(-surprises).exp().sum()
    (gradients,) = torch.autograd.grad(total, pixels)
    return surprises.detach(), gradients


def _processed(pixels: Tensor, step: int, options: Options) -> Tensor:
    """Return what a step has led to: clipped and, every so many steps, denoised and sharpened."""
    pixels = pixels.clamp(0, 1)
    if options.denoise_every and step % options.denoise_every == 0 and len(pixels):
        pixels = sharpened(non_local_means(pixels, options.denoise), options.sharpen)
    return pixels

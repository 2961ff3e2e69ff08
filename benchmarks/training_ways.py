"""Would a participant's local training gain by fused optimizers, torch.compile or another memory format?

    python -m benchmarks.training_ways [--images 600] [--batch-size 64] [--repeats 3]

For each of some shared models and optimizers: an epoch as the federation trains it (task.training.train), and as it
would be otherwise. Prints median seconds, how many times as fast, how far the weights end from each other, and for
torch.compile what compiling took before, hence after how many such epochs it has paid. The images are random: what is
computed does not depend on them. On the GPU where there is one, else on one thread.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from task import models
from task.seeding import generator
from task.settings import OptimizerSettings
from task.training import make_optimizer, train

SHAPES = {"digits-cnn": (1, 8, 8), "sun-cnn": (1, 28, 28), "wang-cnn-half": (1, 28, 28)}
OPTIMIZERS = (OptimizerSettings(name="sgd", lr=0.05), OptimizerSettings(name="adam", lr=0.001))
OUTPUTS = 10
Way = tuple[Callable[[nn.Module], nn.Module], dict[str, bool], torch.memory_format]
WAYS: dict[str, Way] = {
    "as it is": (lambda model: model, {}, torch.contiguous_format),
    "fused optimizer": (lambda model: model, {"fused": True}, torch.contiguous_format),
    "one optimizer call for all layers": (lambda model: model, {"foreach": True}, torch.contiguous_format),
    "channels last": (lambda model: model, {}, torch.channels_last),
    "torch.compile": (torch.compile, {}, torch.contiguous_format),
}


class Local:
    """A participant's epochs in one of the ways, each from the model that was sent."""

    def __init__(self, name: str, settings: OptimizerSettings, way: Way, device: str) -> None:
        wrap, self.flags, self.layout = way
        self.settings = settings
        self.model = models.build(name, SHAPES[name], OUTPUTS, generator(0, "model"))
        self.sent = models.weights(self.model)
        self.model = self.model.to(device, memory_format=self.layout)
        self.trained = wrap(self.model)

    def epoch(self, images: Tensor, labels: Tensor, batch_size: int) -> float:
        """Train for an epoch; return the seconds."""
        self.model.load_state_dict(self.sent)
        began = time.perf_counter()
        optimizer = make_optimizer(self.model, self.settings)
        for group in optimizer.param_groups:
            group.update(self.flags)
        draws = generator(0, "order")
        images = images.to(memory_format=self.layout)
        train(self.trained, images, labels, optimizer=optimizer, batch_size=batch_size, epochs=1, generator=draws)
        return time.perf_counter() - began  # the epoch's loss is a number of Python's: a GPU has done all by then


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(1)  # as a participant does
    for name, shape in SHAPES.items():
        images = torch.rand(given.images, *shape, generator=generator(0, "images")) * 2 - 1
        labels = torch.randint(OUTPUTS, (given.images,), generator=generator(0, "labels"))
        for settings in OPTIMIZERS:
            print(f"{name}, {settings.name}, {given.images} images, on the {device}:")
            usual: float | None = None
            weights: dict[str, Tensor] = {}
            for what, way in WAYS.items():
                local = Local(name, settings, way, device)
                first = local.epoch(images, labels, given.batch_size)
                seconds = statistics.median(local.epoch(images, labels, given.batch_size) for _ in range(given.repeats))
                found = models.weights(local.model)
                usual, weights = usual or seconds, weights or found
                apart = max((part - weights[key]).abs().max().item() for key, part in found.items())
                said = f"  {what}: {seconds:.3f} s, {usual / seconds:.2f} times as fast, weights apart {apart:.0e}"
                if what == "torch.compile":
                    gain = usual - seconds
                    after = f"paid after {(first - seconds) / gain:.0f} epochs" if gain > 0 else "never paid"
                    said += f"; compiling took {first - seconds:.1f} s, {after}"
                print(said, flush=True)


if __name__ == "__main__":
    main()

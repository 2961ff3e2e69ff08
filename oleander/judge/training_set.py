"""Which public images the judge learns from, and where a judge that was trained once is kept."""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from oleander.judge import augment, classifier, noise
from oleander.judge.classifier import Judge, Settings
from task.datasets import Dataset, to_float
from task.models import weights
from task.seeding import generator

ENOUGH, MOST = 50, 1500


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """Training images that the judge learns from.

    Attributes:
        indices: int64, ascending, into the data set's training images.
        held: how many of them some participant holds.
        topped_up: classes of which too few images were free, so that held ones were taken, too.

    """

    indices: Tensor
    held: int
    topped_up: tuple[int, ...]

    def words(self, classes: tuple[str, ...]) -> str:
        """Say in a sentence what the judge was trained on."""
        text = f"{len(self.indices)} public training images"
        if not self.held:
            return f"{text} that no participant holds"
        names = ", ".join(classes[one] for one in self.topped_up)
        return (
            f"{text}; {len(self.indices) - self.held} of them no participant holds, but of these classes fewer than "
            f"{ENOUGH} were free, so that {self.held} held ones were taken, too: {names}"
        )


def together(held: Mapping[int, Tensor]) -> Tensor:
    """Return all indices that some participant holds, int64."""
    return torch.cat([torch.empty(0, dtype=torch.int64), *held.values()])


def choose(labels: Tensor, classes: int, held: Tensor, seed: int) -> TrainingSet:
    """Choose the judge's training images.

    Of each class those that no participant holds, MOST at the most; where there are fewer than ENOUGH, all images of
    that class are taken, held or not.

    Args:
        labels: int64 [N] of the training images.
        classes: real classes.
        held: int64, indices that some participant holds.
        seed: of the draw.

    """
    taken = torch.zeros(len(labels), dtype=torch.bool)
    taken[held] = True
    parts, topped = [], []
    for label in range(classes):
        mine = (labels == label).nonzero().flatten()
        free = mine[~taken[mine]]
        if len(free) < min(ENOUGH, len(mine)):
            topped.append(label)
            free = mine
        parts.append(free[torch.randperm(len(free), generator=generator(seed, "judge", "images", label))[:MOST]])
    indices = torch.cat(parts).sort().values
    return TrainingSet(indices=indices, held=int(taken[indices].sum()), topped_up=tuple(topped))


def cache_folder() -> Path:
    """Return the folder of judges that are trained already: $OLEANDER_CACHE, or ~/.cache/oleander."""
    given = os.environ.get("OLEANDER_CACHE")
    return Path(given).expanduser() if given else Path.home() / ".cache" / "oleander"


def key(dataset: Dataset, indices: Tensor, settings: Settings) -> str:
    """Return a name for a judge that changes with the data, the images it learns from, the settings and this code."""
    facts = [dataset.name, list(dataset.shape), list(dataset.classes), asdict(settings), torch.__version__]
    digest = hashlib.sha256(json.dumps(facts).encode())
    digest.update(dataset.train.images[indices].numpy().tobytes())
    digest.update(indices.numpy().tobytes())
    for module in (augment, classifier, noise):
        digest.update(Path(str(module.__file__)).read_bytes())
    return f"judge-{dataset.name}-{digest.hexdigest()[:16]}"


def trained(dataset: Dataset, indices: Tensor, settings: Settings, folder: Path) -> Judge:
    """Return a judge trained on these images; from `folder` if it is there, else it is put there.

    Args:
        dataset: the public data set.
        indices: int64 into its training images.
        settings: of the training.
        folder: of the cache; one that cannot be written costs the training each time, nothing else.

    """
    path = folder / f"{key(dataset, indices, settings)}.safetensors"
    classes = len(dataset.classes)
    if path.is_file():
        model = classifier.build(dataset.shape, classes, settings.seed)
        model.load_state_dict(load_file(path))
        return model.eval()
    images, labels = to_float(dataset.train.images[indices]), dataset.train.labels[indices]
    model = classifier.train(images, labels, classes, settings)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(weights(model), draft)
        draft.replace(path)
    except OSError:  # a read-only home is no reason not to judge
        with contextlib.suppress(OSError):
            draft.unlink()
    return model

"""Which public images the judge learns from, and where a judge that was trained once is kept."""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from oleander.judge import classifier
from oleander.judge.classifier import Judge, Settings
from task import private
from task.datasets import Dataset, to_float
from task.files import replacing
from task.models import weights
from task.seeding import generator

ENOUGH, MOST = 50, 1500
CODE = ("augment", "classifier", "noise", "properties", "marks")
"""Modules whose change makes another judge; so does task.private's, by which images are turned."""


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


def choose(
    labels: Tensor, classes: int, held: Tensor, seed: int, *, never: Tensor | None = None, most: int = MOST
) -> TrainingSet:
    """Choose the judge's training images.

    Of each class those that no participant holds, `most` at the most; where there are fewer than ENOUGH, all images of
    that class are taken, held or not.

    Args:
        labels: int64 [N] of the training images.
        classes: real classes.
        held: int64, indices that some participant holds.
        seed: of the draw.
        never: int64, indices that are not taken in any case; None for none.
        most: images of a class.

    """
    taken, kept = torch.zeros(len(labels), dtype=torch.bool), torch.ones(len(labels), dtype=torch.bool)
    taken[held] = True
    if never is not None:
        kept[never] = False
    parts, topped = [], []
    for label in range(classes):
        mine = ((labels == label) & kept).nonzero().flatten()
        free = mine[~taken[mine]]
        if len(free) < min(ENOUGH, len(mine)):
            topped.append(label)
            free = mine
        parts.append(free[torch.randperm(len(free), generator=generator(seed, "judge", "images", label))[:most]])
    indices = torch.cat(parts).sort().values
    return TrainingSet(indices=indices, held=int(taken[indices].sum()), topped_up=tuple(topped))


def cache_folder() -> Path:
    """Return the folder of judges that are trained already: $OLEANDER_CACHE, or ~/.cache/oleander."""
    given = os.environ.get("OLEANDER_CACHE")
    return Path(given).expanduser() if given else Path.home() / ".cache" / "oleander"


def key(what: str, facts: object, *arrays: Tensor) -> str:
    """Return a name for something trained that changes with the facts, the data and the code that trains it.

    Args:
        what: begins the name.
        facts: plain values.
        arrays: what it learns from.

    """
    digest = hashlib.sha256(json.dumps([facts, torch.__version__]).encode())
    for array in arrays:
        digest.update(array.numpy().tobytes())
    for path in (*(Path(__file__).parent / f"{module}.py" for module in CODE), Path(private.__file__)):
        digest.update(path.read_bytes())
    return f"judge-{what}-{digest.hexdigest()[:16]}"


def cached(folder: Path, name: str, train: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return what was trained under that name; from `folder` if it is there, else it is put there.

    A folder that cannot be written costs the training each time, nothing else.
    """
    path = folder / f"{name}.safetensors"
    if path.is_file():
        return load_file(path)
    arrays = train()
    with contextlib.suppress(OSError, SafetensorError):  # a read-only home, or a full one, is no reason not to judge
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as draft:
            save_file(arrays, draft)
    return arrays


def trained(dataset: Dataset, indices: Tensor, settings: Settings, folder: Path) -> Judge:
    """Return a judge of categories trained on these images, see `cached`.

    Args:
        dataset: the public data set.
        indices: int64 into its training images.
        settings: of the training.
        folder: of the cache.

    """
    classes, chosen, labels = len(dataset.classes), dataset.train.images[indices], dataset.train.labels[indices]
    facts = [dataset.name, list(dataset.shape), list(dataset.classes), asdict(settings)]
    name = key(dataset.name, facts, chosen, labels, indices)
    arrays = cached(folder, name, lambda: weights(classifier.train(to_float(chosen), labels, classes, settings)))
    model = classifier.build(dataset.shape, classes, settings.seed)
    model.load_state_dict(arrays)
    return model.eval()

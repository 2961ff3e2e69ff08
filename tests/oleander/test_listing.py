"""What `oleander list` prints."""

import subprocess
import sys

from attacks import registry
from defenses import registry as defences
from oleander import listing
from strategies.named import STRATEGIES
from strategies.private import WRAPPERS
from task.datasets import DATASETS
from task.models import MODELS


def test_no_two_scenarios_are_described_alike() -> None:
    """Each says what it reproduces, and what tells it from the others."""
    texts = [text for _, text in listing.scenarios()]
    assert all(texts)
    assert len(set(texts)) == len(texts)


def test_defences_are_listed_with_what_they_act_on() -> None:
    """And with their file's first line."""
    listed = dict(listing.defenses())
    assert listed["anti-gan"].startswith("data         Anti-GAN: ")
    assert listed["clip-and-noise"].startswith("update       Clip and noise: ")


def test_what_is_read_is_what_the_modules_are() -> None:
    """Nothing is imported to be listed; imported, it is the same."""
    views = {name: registry.WHO[registry.module(name).VIEW] for name in registry.names()}
    assert {name: text.split()[0] for name, text in listing.attacks()} == views
    acts = {name: defences.module(name).ACTS_ON for name in defences.names()}
    assert {name: text.split()[0] for name, text in listing.defenses()} == acts
    for found, made in ((listing.datasets(), DATASETS), (listing.models(), MODELS)):
        assert found == [(name, (function.__doc__ or "").splitlines()[0]) for name, function in made.items()]
    kinds = {**STRATEGIES, **WRAPPERS}
    assert listing.strategies() == [(name, f"flwr.serverapp.strategy.{kind.__name__}") for name, kind in kinds.items()]


def test_torch_is_not_imported_to_list() -> None:
    """Nor is Flower, which takes a second."""
    code = "import sys; from oleander.cli import main; main(['list']); print({'torch', 'flwr'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"

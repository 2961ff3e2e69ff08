"""A defence that acts on the data, fitted to a participant's images: what it publishes waits in Flower's context."""

import hashlib
import json
from collections.abc import Callable

import torch
from flwr.app import ConfigRecord, Context
from torch import Tensor

from client_app.state import load_state, save_state
from defenses.protocols import DataDefense
from task.facts import Images
from task.settings import expect

STATE = "defense"
READ = "defense-read"
"""Name of the record that is in a context from when an app asks for what is published until its answer."""


def fit(
    defense: DataDefense,
    own: Images,
    settings: object,
    context: Context,
    *,
    device: str,
    draws: Callable[[], torch.Generator],
    progress: Callable[[str], None],
) -> bool:
    """Fit a defence, or go on from an earlier fit where neither settings nor images have changed since.

    Args:
        defense: before its fit.
        own: all of the participant's images, on the CPU.
        settings: plain values, all that the fit depends on beside the images.
        context: keeps the fit.
        device: to compute on.
        draws: gives the fit's randomness.
        progress: told a line now and then.

    Returns:
        Whether it was fitted now.

    Raises:
        SettingsError, FloatingPointError: as DataDefense.fit; nothing is kept then.

    """
    key, state = _digest(json.dumps(settings, sort_keys=True), own), load_state(context, STATE)
    if "key" in state and torch.equal(state.pop("key"), key):
        defense.load_state_dict(state)
        return False
    if "images" in state:  # so that the real images among them are those that were shown before, and no others
        defense.load_state_dict({name: tensor for name, tensor in state.items() if name != "key"})
    defense.fit(Images(own.images.to(device), own.labels.to(device)), draws(), progress)
    save_state(context, STATE, {"key": key, **defense.state_dict()})
    return True


def published(context: Context) -> Images:
    """Return what a participant may train on in place of its images, on the CPU, in random order.

    The context notes that it was asked for: client_app.mods.PublishImages lets no answer pass without.

    Raises:
        SettingsError: where no defence was fitted.

    """
    state = load_state(context, STATE)
    remedy = "Put PublishImages into the mods of the ClientApp."
    expect("images" in state, "what a defence publishes in the context", "none", remedy)
    context.state[READ] = ConfigRecord()
    return Images(state["images"], state["labels"])


def _digest(settings: str, held: Images) -> Tensor:
    """Return a digest of settings and images, uint8 [32]."""
    digest = hashlib.sha256(settings.encode())
    for tensor in (held.images, held.labels):
        digest.update(tensor.contiguous().numpy().data)
    return torch.tensor(list(digest.digest()), dtype=torch.uint8)

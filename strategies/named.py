"""Flower's own strategies by name, with the options that Flower gives them."""

import inspect
from collections.abc import Mapping
from typing import Any

from flwr.serverapp.strategy import FedAdam, FedAvg, FedMedian, FedProx, Strategy

from task.settings import choose, expect

STRATEGIES: dict[str, type[FedAvg]] = {"fedavg": FedAvg, "fedprox": FedProx, "fedadam": FedAdam, "fedmedian": FedMedian}
OURS = {"fraction_evaluate", "min_train_nodes", "min_evaluate_nodes", "min_available_nodes", "weighted_by_key"}
"""Options that the server sets itself."""


def check(name: str, options: Mapping[str, Any]) -> None:
    """Raise SettingsError for an unknown strategy, or an option that it does not have or that the server sets."""
    choose(name, STRATEGIES, "a strategy")
    known = set(inspect.signature(STRATEGIES[name]).parameters) - OURS
    for key in options:
        choose(key, known, f"an option of {name}")
    expect(name != "fedprox" or "proximal_mu" in options, "fedprox to have proximal_mu", dict(options))


def build(name: str, options: Mapping[str, Any], min_replies: int) -> Strategy:
    """Return Flower's strategy `name`: every connected participant trains, the weights' mean is taken by "weight"."""
    check(name, options)
    return STRATEGIES[name](
        fraction_evaluate=0.0,
        min_train_nodes=min_replies,
        min_available_nodes=min_replies,
        weighted_by_key="weight",
        **options,
    )

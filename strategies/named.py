"""Flower's own strategies by name, with the options that Flower gives them."""

import inspect
from collections.abc import Mapping
from typing import Any

from flwr.serverapp.strategy import FedAdam, FedAvg, FedMedian, FedProx, Strategy

from task.settings import choose, expect

STRATEGIES: dict[str, type[FedAvg]] = {"fedavg": FedAvg, "fedprox": FedProx, "fedadam": FedAdam, "fedmedian": FedMedian}
OURS = {
    "fraction_train",
    "fraction_evaluate",
    "min_train_nodes",
    "min_evaluate_nodes",
    "min_available_nodes",
    "weighted_by_key",
}
"""Options that the server sets itself; federation.fraction and federation.min_replies stand for the first ones."""


def check(name: str, options: Mapping[str, Any]) -> None:
    """Raise SettingsError for an unknown strategy, or an option that it does not have or that the server sets."""
    choose(name, STRATEGIES, "a strategy")
    known = set(inspect.signature(STRATEGIES[name]).parameters) - OURS
    for key, value in options.items():
        choose(key, known, f"an option of {name}")
        expect(isinstance(value, int | float), f"server.options.{key} to be a number", value)
    expect(name != "fedprox" or "proximal_mu" in options, "fedprox to have proximal_mu", dict(options))


def build(name: str, options: Mapping[str, Any]) -> Strategy:
    """Return Flower's strategy `name`: it asks everyone whom it is shown, and weighs by the metric "weight"."""
    check(name, options)
    return STRATEGIES[name](
        fraction_evaluate=0.0,
        min_train_nodes=1,
        min_available_nodes=1,
        weighted_by_key="weight",
        **options,
    )

"""What there is to choose from: `oleander list`."""

from collections.abc import Callable

from rich.console import Console

from oleander.shelf import find, names, read
from task.settings import choose


def scenarios() -> list[tuple[str, str]]:
    """Return the scenarios that ship, each with what it reproduces."""
    return [(name, str(read(find(name)).get("paper", ""))) for name in names()]


def matrices() -> list[tuple[str, str]]:
    """Return the matrices that ship, each with what it is about, for `oleander matrix`."""
    return [(name, str(read(find(name)).get("paper", ""))) for name in names(matrices=True)]


def attacks() -> list[tuple[str, str]]:
    """Return the attacks, each with who stands behind it (a participant or the server) and its file's first line."""
    from attacks import registry  # noqa: PLC0415 - it imports torch

    modules = {name: registry.module(name) for name in registry.names()}
    return [
        (name, f"{registry.WHO[found.VIEW]:12} {(found.__doc__ or '').splitlines()[0]}")
        for name, found in modules.items()
    ]


def defenses() -> list[tuple[str, str]]:
    """Return the defences, each with what it acts on (the data or the update) and its file's first line."""
    from defenses import registry  # noqa: PLC0415 - it imports torch

    modules = {name: registry.module(name) for name in registry.names()}
    return [(name, f"{found.ACTS_ON:12} {(found.__doc__ or '').splitlines()[0]}") for name, found in modules.items()]


def datasets() -> list[tuple[str, str]]:
    """Return the data sets, each with its loader's first line."""
    from task.datasets import DATASETS  # noqa: PLC0415

    return [(name, (loader.__doc__ or "").splitlines()[0]) for name, loader in DATASETS.items()]


def models() -> list[tuple[str, str]]:
    """Return the models, each with its first line."""
    from task.models import MODELS  # noqa: PLC0415

    return [(name, (make.__doc__ or "").splitlines()[0]) for name, make in MODELS.items()]


def strategies() -> list[tuple[str, str]]:
    """Return the strategies, and what may be put around them for privacy, each with Flower's class."""
    from strategies.named import STRATEGIES  # noqa: PLC0415
    from strategies.private import WRAPPERS  # noqa: PLC0415

    known = {**STRATEGIES, **WRAPPERS}
    return [(name, f"flwr.serverapp.strategy.{kind.__name__}") for name, kind in known.items()]


KINDS: dict[str, Callable[[], list[tuple[str, str]]]] = {
    "scenarios": scenarios,
    "matrices": matrices,
    "attacks": attacks,
    "defenses": defenses,
    "datasets": datasets,
    "models": models,
    "strategies": strategies,
}


def show_list(console: Console, what: str) -> None:
    """Print one kind of thing, or all.

    Raises:
        SettingsError: for an unknown kind.

    """
    for kind in KINDS if what == "all" else [choose(what, KINDS, "something to list")]:
        if what == "all":
            console.print(f"{kind}:", style="bold")
        for name, text in KINDS[kind]():
            console.print(f"  {name:28} {text}", highlight=False, markup=False, soft_wrap=True)

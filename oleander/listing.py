"""What there is to choose from: `oleander list`."""

import ast
import importlib
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from oleander.shelf import find, names, read
from task.settings import choose

WHO = {"ParticipantView": "participant", "ServerView": "server", "RecordView": "membership"}
"""By the name of an attack's view, who stands behind it."""


def scenarios() -> list[tuple[str, str]]:
    """Return the scenarios that ship, each with what it reproduces."""
    return [(name, str(read(find(name)).get("paper", ""))) for name in names()]


def matrices() -> list[tuple[str, str]]:
    """Return the matrices that ship, each with what it is about, for `oleander matrix`."""
    return [(name, str(read(find(name)).get("paper", ""))) for name in names(matrices=True)]


def attacks() -> list[tuple[str, str]]:
    """Return the attacks, each with who stands behind it (a participant or the server) and its file's first line."""
    return [(name, f"{WHO[view]:12} {text}") for name, view, text in _plugins("attacks", "VIEW")]


def defenses() -> list[tuple[str, str]]:
    """Return the defences, each with what it acts on (the data or the update) and its file's first line."""
    return [(name, f"{acts_on:12} {text}") for name, acts_on, text in _plugins("defenses", "ACTS_ON")]


def datasets() -> list[tuple[str, str]]:
    """Return the data sets, each with its loader's first line."""
    return _functions(_source("task", "datasets"), "DATASETS")


def models() -> list[tuple[str, str]]:
    """Return the models, each with its first line."""
    return _functions(_source("task", "models"), "MODELS")


def strategies() -> list[tuple[str, str]]:
    """Return the strategies, and what may be put around them for privacy, each with Flower's class."""
    known = _table(_source("strategies", "named"), "STRATEGIES") | _table(_source("strategies", "private"), "WRAPPERS")
    return [(name, f"flwr.serverapp.strategy.{kind}") for name, kind in known.items()]


def _source(package: str, stem: str) -> ast.Module:
    """Return a module as it is written: to list it need not be imported, which takes seconds where torch is."""
    return ast.parse((_folder(package) / f"{stem}.py").read_text(encoding="utf-8"))


def _folder(package: str) -> Path:
    """Return the folder of a package."""
    (folder,) = importlib.import_module(package).__path__
    return Path(folder)


def _assigned(source: ast.Module, name: str) -> ast.expr | None:
    """Return what a module assigns to a name."""
    for line in source.body:
        targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return getattr(line, "value", None)
    return None


def _table(source: ast.Module, name: str) -> dict[str, str]:
    """Return a dictionary of a module, from texts to names."""
    table = _assigned(source, name)
    assert isinstance(table, ast.Dict)  # noqa: S101 - for the type checker; a test compares it with the module's own
    return {
        ast.literal_eval(key): ast.unparse(value) for key, value in zip(table.keys, table.values, strict=True) if key
    }


def _functions(source: ast.Module, name: str) -> list[tuple[str, str]]:
    """Return the names in a dictionary of functions, each with its function's first line."""
    written = {line.name: line for line in source.body if isinstance(line, ast.FunctionDef)}
    return [(key, _first_line(written[made])) for key, made in _table(source, name).items()]


def _plugins(package: str, mark: str) -> list[tuple[str, str, str]]:
    """Return a package's modules that define a constant: name, the constant as it is written, and the first line."""
    found = []
    for path in sorted(_folder(package).glob("*.py")):
        source = _source(package, path.stem)
        value = _assigned(source, mark)
        if value is not None:
            plain = value.value if isinstance(value, ast.Constant) else ast.unparse(value)
            found.append((path.stem.replace("_", "-"), str(plain), _first_line(source)))
    return found


def _first_line(of: ast.Module | ast.FunctionDef) -> str:
    """Return the first line of a docstring."""
    return (ast.get_docstring(of) or "").partition("\n")[0]


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

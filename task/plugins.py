"""Attacks and defences by name: the module `a_name` of a package is `a-name`, found by a constant that it defines."""

import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from task.settings import parse


def names(package: str, mark: str, value: object = None) -> list[str]:
    """Return the names of the modules of a package that define the constant `mark`.

    Args:
        package: that holds the modules.
        mark: name of the constant.
        value: only those in which it has this value; None for all.

    """
    path = importlib.import_module(package).__path__
    found = [(info.name, importlib.import_module(f"{package}.{info.name}")) for info in pkgutil.iter_modules(path)]
    chosen = [stem for stem, one in found if hasattr(one, mark) and value in (None, getattr(one, mark))]
    return [stem.replace("_", "-") for stem in sorted(chosen)]


def module(package: str, name: str) -> ModuleType:
    """Return the module of a package that has a name, which is known to be there."""
    return importlib.import_module(f"{package}.{name.replace('-', '_')}")


def options(found: ModuleType, values: Mapping[str, Any], where: str) -> Any:
    """Return the checked options of a module, an object of its class `Options`.

    A module may have RECIPES, sets of options by name: the option `recipe` then says what is not given.

    Args:
        found: the module.
        values: of its options.
        where: a scenario has them.

    """
    recipe = getattr(found, "RECIPES", {}).get(values.get("recipe"), {})
    return parse(found.Options, {**recipe, **values}, where)

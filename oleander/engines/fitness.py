"""Whether the installed Flower has the inner names that the engines build on, which may change with any release."""

import importlib
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from operator import attrgetter

TESTED = ("1.39.",)


def missing(names: Mapping[str, Iterable[str]]) -> str:
    """Return which of Flower's inner names is missing, in words; empty where all are there.

    Args:
        names: of each module the attributes that are used; dotted for an attribute's attribute.

    """
    flower = f"this Flower {version('flwr')}"
    for name, attributes in names.items():
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            return f"{flower} has no module {name} ({error})."
        for attribute in attributes:
            try:
                attrgetter(attribute)(module)
            except AttributeError:
                return f"{flower} has no {name}.{attribute}."
    return ""


def unfit(names: Mapping[str, Iterable[str]], what: str) -> str:
    """Return why `what` cannot be used with the installed Flower, which it builds on; empty where it can."""
    flower = version("flwr")
    if not flower.startswith(TESTED):
        return f"{what} is tested with Flower {', '.join(TESTED)}x, this is {flower}."
    return missing(names)

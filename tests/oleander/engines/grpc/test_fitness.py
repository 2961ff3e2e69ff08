"""Whether the installed Flower suits the warm fleet."""

import pytest

from oleander.engines import fitness as engines_fitness
from oleander.engines.grpc import fitness
from oleander.engines.ray import simulation


def test_the_installed_flower_is_fit() -> None:
    """The pinned version has every inner name that is used, by the warm fleet and by the simulation."""
    assert fitness.check() == ""
    assert engines_fitness.missing(simulation.NAMES | simulation.INNER) == ""


def test_another_version_and_a_missing_name_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing stands in the reason."""
    monkeypatch.setitem(fitness.NAMES, "flwr.cli.run", ("run", "gone_tomorrow"))
    assert "has no flwr.cli.run.gone_tomorrow" in fitness.check()
    monkeypatch.setitem(fitness.NAMES, "flwr.nowhere", ())
    monkeypatch.delitem(fitness.NAMES, "flwr.cli.run")
    assert "has no module flwr.nowhere" in fitness.check()
    monkeypatch.setattr(engines_fitness, "version", lambda _: "1.36.0")
    assert "this is 1.36.0" in fitness.check()


def test_an_attribute_of_an_attribute_is_looked_for() -> None:
    """Of a class, the method that is called has to be there."""
    assert engines_fitness.missing({"flwr.supercore.run": ("Run.create_empty",)}) == ""
    assert "no flwr.supercore.run.Run.create_full" in engines_fitness.missing(
        {"flwr.supercore.run": ("Run.create_full",)}
    )


def test_only_checked_modules_can_be_used() -> None:
    """A module that the start does not look at is refused, so that the table stays complete."""
    with pytest.raises(LookupError, match=r"flwr\.app"):
        fitness.inner("flwr.app")

"""Whether the installed Flower suits the warm fleet."""

import pytest

from oleander.engines.grpc import fitness


def test_the_installed_flower_is_fit() -> None:
    """The pinned version has every inner name that is used."""
    assert fitness.check() == ""


def test_another_version_and_a_missing_name_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing stands in the reason."""
    monkeypatch.setitem(fitness.NAMES, "flwr.cli.run", ("run", "gone_tomorrow"))
    assert "has no flwr.cli.run.gone_tomorrow" in fitness.check()
    monkeypatch.setitem(fitness.NAMES, "flwr.nowhere", ())
    monkeypatch.delitem(fitness.NAMES, "flwr.cli.run")
    assert "has no module flwr.nowhere" in fitness.check()
    monkeypatch.setattr(fitness, "version", lambda _: "1.36.0")
    assert "this is 1.36.0" in fitness.check()


def test_only_checked_modules_can_be_used() -> None:
    """A module that the start does not look at is refused, so that the table stays complete."""
    with pytest.raises(LookupError, match=r"flwr\.app"):
        fitness.inner("flwr.app")

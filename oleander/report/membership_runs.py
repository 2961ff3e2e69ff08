"""Runs whose attackers were asked about records, attacker by attacker."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from oleander.report.metrics import inquiries_of
from oleander.report.ranking import Run
from oleander.scenario import Scenario


class Asked(NamedTuple):
    """One attacker of one run: the scenario, its seed, where it stands, its options, and what it was found to know."""

    scenario: Scenario
    seed: int
    attack: str
    place: str
    options: Mapping[str, Any]
    said: Mapping[str, Any]

    def of(self, protocol: str, method: str = "") -> Mapping[str, Any]:
        """Return a method's numbers by a protocol, the attack's own unless another is named; empty where none are."""
        found: Mapping[str, Any] = self.said["methods"].get(method or self.attack, {}).get(protocol) or {}
        return found


def every(runs: Sequence[Run]) -> list[Asked]:
    """Return every attacker that was asked about records and left scores."""
    found = []
    for scenario, verdict in runs:
        for who, attacker in inquiries_of(verdict):
            place = str(attacker["membership"]["place"])
            number = int(who.removeprefix("client-")) if place == "participant" else None
            entry = next((one for one in scenario.clients if number in one.ids), None)
            options = entry.options if entry is not None else scenario.server.attack_options
            said = attacker["membership"]
            found.append(Asked(scenario, scenario.federation.seed, str(attacker["attack"]), place, options, said))
    return found


def is_defended(scenario: Scenario) -> bool:
    """Say whether anybody defends itself."""
    return any(one.defense is not None for one in scenario.clients)

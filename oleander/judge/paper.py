"""The numbers that a paper prints, beside ours."""

from collections.abc import Iterable, Mapping
from typing import Any

# Sun's "average Euclidean distance" (Fig. 8), in the only reading that moves as far as the paper's numbers do.
READINGS = {
    "distance_first": ("first_round", "mse_of_means"),
    "distance_minimum": ("paper_style_minimum", "mse_of_means", "value"),
}


def beside(values: Mapping[str, Any], verdict: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Put our numbers beside a paper's.

    Args:
        values: the paper's numbers by name: of a target's number ("recognised", "first_round.mse_of_means"), an
            attacker's ("start_round"), the global model's ("final.accuracy"), or of READINGS.
        verdict: ours, all but this table.

    Returns:
        {"paper": x, "ours": y} by name, y the mean over the targets that are no controls, None where we have none. A
        name of READINGS also has "reading", our number's own name.

    """
    table = {}
    for name, theirs in values.items():
        path = READINGS.get(name, tuple(name.split(".")))
        found = [value for place in _places(verdict) if (value := _at(place, path)) is not None]
        ours = found[0] if len(found) == 1 else sum(found) / len(found) if found else None
        table[name] = {"paper": theirs, "ours": ours}
        if name in READINGS:
            table[name]["reading"] = ".".join(path)
    return table


def _places(verdict: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Yield the mappings in which a name is looked up."""
    for attacker in verdict["attackers"].values():
        yield attacker
        yield from (target for target in attacker["targets"].values() if not target["control"])
    yield verdict["global_model"]


def _at(place: Any, path: tuple[str, ...]) -> float | None:
    """Return the number at the end of the path, None where there is none."""
    for key in path:
        place = place.get(key) if isinstance(place, Mapping) else None
    return place if isinstance(place, int | float) and not isinstance(place, bool) else None

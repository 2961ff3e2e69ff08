"""The three numbers of a run."""

from typing import Any

from oleander.report.key_numbers import key_numbers


def target(name: str, recognised: float, *, control: bool = False, defenses: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a target's numbers."""
    return {"name": name, "recognised": recognised, "control": control, "defenses": list(defenses)}


def test_a_target_behind_a_defence_is_not_the_weakest_theft() -> None:
    """Two undefended targets count, 90 % the weaker; what the defences left stands beside them."""
    rows = [target("3", 1.0), target("1", 0.9), target("9", 0.1, control=True)]
    rows += [target("6", 0.0, defenses=("anti-gan",)), target("4", 0.5, defenses=("anti-gan",))]
    stolen, control, _ = key_numbers({"attackers": {"client-5": {"targets": {row["name"]: row for row in rows}}}})
    assert (stolen.value, control.value) == ("90 %", "10 %")
    assert stolen.note.endswith(
        "the weakest of 2 targets that nobody defends. Of those behind a defence: 6 0 %, 4 50 %."
    )


def test_where_all_targets_are_defended_the_weakest_of_them_counts() -> None:
    """Then there is nothing else to say."""
    rows = [target("6", 0.2, defenses=("anti-gan",)), target("4", 0.5, defenses=("anti-gan",))]
    stolen, _, _ = key_numbers({"attackers": {"client-5": {"targets": {row["name"]: row for row in rows}}}})
    assert (stolen.value, stolen.note) == ("20 %", "By a classifier that took no part; the weakest of 2 targets.")

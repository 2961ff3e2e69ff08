"""DefMIA beside no defence: every attacker's area, on runs that are alike but for the defence."""

from collections.abc import Sequence

from oleander.report.membership_runs import Asked, is_defended, settings_of
from oleander.report.ranking import NOT_JUDGED, Judged, apart, area, values

FLOOR = "label-only"
"""Below which no defence that keeps labels can get: it is told nowhere, and falls nowhere."""
DEFENSE, WELL_POSED = "def-mia", "well-posed"
NOT_ALIKE = "not judged (not alike for all attackers)"


def against(asked: Sequence[Asked]) -> Judged:
    """Write every attacker's clean AUC without a defence and behind each form of DefMIA; judge the well-posed one.

    Only runs of the same task and federation are compared, and what each attacker is asked at each place.
    """
    lines, falls = [], []
    for group in settings_of(asked, "clients", "membership.defended"):
        without = [one for one in group if not is_defended(one.scenario)]
        forms = {form: [one for one in group if form == _form(one)] for form in map(_form, group) if form}
        if not without or not forms:
            continue
        for place in sorted({one.place for one in without}):
            for method in sorted({name for one in without for name in one.said["methods"]} - {FLOOR}):
                before = _areas(without, place, method)
                after = {form: _areas(some, place, method) for form, some in sorted(forms.items())}
                told = [f"{form} {area(areas)}" for form, areas in after.items() if areas]
                if before and told:
                    dataset = without[0].scenario.task.dataset
                    lines.append(f"{dataset}, {place}, {method}: {area(before)}; {'; '.join(told)}")
                    falls += [apart(before, after[WELL_POSED])] if after.get(WELL_POSED) else []
    return "\n".join(lines), falls[0] if len(set(falls)) == 1 else NOT_ALIKE if falls else NOT_JUDGED


def _form(one: Asked) -> str:
    """Return the objective of DefMIA, if that and nothing else is what defends a run; else nothing."""
    entries = [entry for entry in one.scenario.clients if entry.defense is not None]
    if not entries or any(entry.defense != DEFENSE for entry in entries):
        return ""
    return "/".join(sorted({str(entry.options.get("objective", WELL_POSED)) for entry in entries}))


def _areas(some: Sequence[Asked], place: str, method: str) -> list[float]:
    """Return a method's areas by the clean protocol, at one place."""
    return values([one.of("clean", method) for one in some if one.place == place], "auc")

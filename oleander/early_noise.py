"""Whether an attacker disturbs the federation before it begins to steal. Then no round of the run is an honest one."""

from oleander.scenario import Scenario
from oleander.sections import ClientSettings


def sends_early_noise(entry: ClientSettings) -> bool:
    """Say whether these participants train the shared model on noise from the first round on."""
    options = entry.options
    return bool(options.get("poison") and options.get("noise_images") and options.get("noise_early"))


def disturbed(scenario: Scenario) -> bool:
    """Say whether any participant does, so that the honest federation's accuracy is unknown from a run."""
    return any(sends_early_noise(entry) for entry in scenario.clients)

"""Scenarios of Wang's attack and of its rivals, for tests of what stands beside the paper."""

from oleander import scenario as scenarios

LITERAL = (
    "server.attack_options.recipe=paper",
    "server.attack_options.network=wang",
    "server.attack_options.judge_model=null",
    "server.attack_options.turned=0",
    "server.attack_options.start_round=1",
    "server.attack_options.steps=25",
    "task.model=wang-cnn",
)
FACES = (
    "server.attack_options.recipe=paper",
    "server.attack_options.network=wang-faces",
    "server.attack_options.judge_model=null",
    "server.attack_options.start_round=1",
    "server.attack_options.steps=25",
    "server.attack_options.batch_size=64",
    "server.attack_options.representatives_every=1",
    "server.attack_options.representatives.images=10",
    "server.attack_options.representatives.iterations=20",
    "task.model=wang-faces-cnn",
)
UPRIGHT = "task.private.degrees=0"


def mnist(seed: int, *overrides: str) -> scenarios.Scenario:
    """Return a passive run's scenario."""
    return scenarios.load("mgan-ai-passive-mnist", overrides, seed)


def faces(name: str, *overrides: str, seed: int = 0, clients: int = 20) -> scenarios.Scenario:
    """Return a scenario of faces with as many participants."""
    return scenarios.load(name, [f"federation.clients={clients}", *overrides], seed)


def gan(clients: int, seed: int) -> scenarios.Scenario:
    """Return the participant's attack with the attack's own settings; it is one of the participants."""
    usual = {"network": "wang-faces", "steps": 500, "batch_size": 16, "lr": 0.0002, "poison_images": 50}
    options = [f"clients.0.options.{name}={value}" for name, value in usual.items()]
    ids = f"clients.0.ids=[{clients - 1}]"
    return faces("gan-attack-faces", *options, ids, "task.model=wang-faces-cnn", seed=seed, clients=clients)


def inversion(seed: int) -> scenarios.Scenario:
    """Return model inversion with the attack's own settings."""
    usual = ("server.attack_options={}", "task.model=wang-faces-cnn")
    return faces("model-inversion-faces", *usual, seed=seed)

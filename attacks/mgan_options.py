"""The settings of mGAN-AI, and the recipes that set many of them at once; see attacks.mgan_ai."""

import math
from dataclasses import dataclass, field
from typing import Any

from attacks import generators
from attacks.representatives import Settings as Representatives
from task import models
from task.settings import choose, expect

REPAIRED: dict[str, Any] = {
    "judges": "own",
    "critic": "projection",
    "blurred": True,
    "shift": 2,
    "representative_noise": 0.3,
    "match": True,
    "owned_only": True,
    "isolate_on": "aggregate",
    "update_match": 3.0,
    "turn_match": 0.02,
    "warm_start": True,
    "discriminator_steps": 2,
    "lr": 0.0005,
    "input_noise": 0.2,
    "condition_scale": 3.0,
    "diversity": 0.2,
    "average": 0.98,
    "representatives_every": 4,
}
RECIPES: dict[str, dict[str, Any]] = {"paper": {}, "repaired": REPAIRED}


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of the attack; the defaults are the paper's, and ours where the paper is silent.

    Attributes:
        victim: the client to learn about.
        mode: `passive` or `active`.
        recipe: `paper` or `repaired`; the latter gives the options of REPAIRED other defaults.
        start_round: the attack begins in this round ...
        start_accuracy: ... or in the first whose global model has reached this, whichever comes first.
        stop_accuracy: the generator is left alone once the shared model assigns this share of its samples to their
            category in three rounds running; the federation goes on.
        network: of the generator (attacks.generators).
        steps: generator steps a round; `discriminator_steps` before each, None for the paper's growing number.
        batch_size: images a step.
        lr, discriminator_lr, betas: of the two Adams.
        judges: `shared`: one body, overwritten each round, as printed; `own`: a network each, persistent.
        judge_model: of `own` judges (task.models); None for one like the shared model.
        critic: `plain`, or `projection`: real or fake is judged together with the category.
        turned: degrees by which auxiliary images are turned at random, either way; 0 for none.
        turn_match: turns are drawn in proportion to exp(-distance / turn_match), where distance is that of auxiliary
            images turned so from the victim's update (attacks.update_match); with an identity head half of them are,
            since somebody else's images may be turned otherwise. 0 for all turns alike.
        blurred: whether the identity head sees blurred, standardised images.
        shift: representatives are moved by up to so many pixels before the identity head sees them.
        representative_noise: representatives get noise of a random deviation up to this before the identity head.
        owned_only: the generator learns only the categories that the victim's update gives away.
        match: identity is learnt on categories that the victim and others both have, as far as there are any.
        identify: whether there is an identity head; None: for a passive attack alone.
        isolate_on: what an active attack's victim is sent: `own`, the discriminator's body, or `aggregate`, the global
            model, of which it stays no part.
        identity_condition: `both`: the generator learns the victim and the others; `victim`: the victim alone.
        update_match: weight of how far the update that the victim's images would give is from the one that it sent.
        input_noise: standard deviation of noise on what the judges see.
        condition_scale: factor on the generator's conditions.
        diversity: weight of attacks.regularisers.sameness.
        average: decay a step of a running mean of the generator, which then makes the loot; 0 for none.
        representatives: how they are estimated; every `representatives_every` rounds, from the last ones if
            `warm_start`, else from noise.

    """

    victim: int
    mode: str = "passive"
    recipe: str = "paper"
    start_round: int | None = 1
    start_accuracy: float | None = None
    stop_accuracy: float | None = None
    network: str = "wang"
    steps: int = 25
    discriminator_steps: int | None = None
    batch_size: int = 64
    lr: float = 0.0002
    discriminator_lr: float = 0.0002
    betas: tuple[float, float] = (0.5, 0.999)
    judges: str = "shared"
    judge_model: str | None = None
    critic: str = "plain"
    turned: float = 0.0
    turn_match: float = 0.0
    blurred: bool = False
    shift: int = 0
    owned_only: bool = False
    representative_noise: float = 0.0
    match: bool = False
    identify: bool | None = None
    isolate_on: str = "own"
    identity_condition: str = "both"
    update_match: float = 0.0
    input_noise: float = 0.0
    condition_scale: float = 1.0
    diversity: float = 0.0
    average: float = 0.0
    representatives: Representatives = field(default_factory=Representatives)
    representatives_every: int = 1
    warm_start: bool = False

    def __post_init__(self) -> None:
        choose(self.mode, ("passive", "active"), "a mode")
        choose(self.recipe, RECIPES, "a recipe")
        choose(self.network, generators.GENERATORS, "a generator network")
        choose(self.judges, ("shared", "own"), "judges")
        choose(self.critic, ("plain", "projection"), "a critic")
        if self.judge_model is not None:
            choose(self.judge_model, models.MODELS, "judge_model to be a model")
        choose(self.isolate_on, ("own", "aggregate"), "isolate_on")
        choose(self.identity_condition, ("both", "victim"), "identity_condition")
        starts = self.start_accuracy is not None or self.start_round is not None
        expect(starts, "start_accuracy or start_round", "neither", "Give one of them.")
        for name in ("start_accuracy", "stop_accuracy"):
            share = getattr(self, name)
            expect(share is None or 0 <= share <= 1, f"{name} from 0 to 1", share)
        for name in ("start_round", "discriminator_steps"):
            value = getattr(self, name)
            expect(value is None or value > 0, f"{name} > 0", value)
        expect(0 <= self.average < 1, "0 <= average < 1", self.average)
        expect(self.batch_size > 1, "batch_size > 1", self.batch_size)
        expect(all(0 <= beta < 1 for beta in self.betas), "betas in [0, 1)", list(self.betas))
        for name in ("steps", "lr", "discriminator_lr", "condition_scale", "representatives_every"):
            expect(0 < getattr(self, name) < math.inf, f"{name} > 0", getattr(self, name))
        for name in (
            "victim",
            "turned",
            "turn_match",
            "shift",
            "representative_noise",
            "update_match",
            "input_noise",
            "diversity",
        ):
            expect(0 <= getattr(self, name) < math.inf, f"{name} >= 0", getattr(self, name))

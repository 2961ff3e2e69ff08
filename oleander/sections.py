"""The sections of a scenario that say how the federation runs, and what participants and server do in it."""

import math
from dataclasses import dataclass, field
from typing import Any

from task.settings import choose, expect

ROLES = ("honest", "malicious", "defended")
ENGINES = ("grpc", "ray", "inline")
DEVICES = ("auto", "cpu")
MOST = 100_000
"""Participants of one federation: more are a slip of the keyboard, and would fill the memory before anything is run."""


@dataclass(frozen=True, kw_only=True)
class FederationSettings:
    """How the federation runs.

    Attributes:
        clients: participants, with ids 0 to clients - 1 (Flower's partition ids).
        rounds: rounds of training.
        seed: of everything that is drawn.
        engine: what runs it where the command names none, one of ENGINES.
        devices: `auto` (a GPU for each participant where there are any) or `cpu`.
        weighting: `uniform` (the plain mean) or `examples` (n_k / n).
        fraction: share of the participants that is asked in a round, drawn anew each time.
        round_timeout: seconds after which a reply counts as missing.
        join_timeout: seconds that the first round waits for all participants.
        min_replies: usable replies without which the run ends; None for half of those asked, rounded up.
        keep_global: rounds after which the global model is kept, beside the initial and the final one; filled in with
            the rounds at which an attack starts.
        keep_accuracy: the first global model that reaches one of these is kept, too; filled in likewise.

    """

    clients: int
    rounds: int
    seed: int = 0
    engine: str = "grpc"
    devices: str = "auto"
    weighting: str = "uniform"
    fraction: float = 1.0
    round_timeout: float = 600.0
    join_timeout: float = 120.0
    min_replies: int | None = None
    keep_global: tuple[int, ...] = ()
    keep_accuracy: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        expect(self.clients > 0, "clients > 0", self.clients)
        expect(self.clients <= MOST, f"at most {MOST} clients", self.clients)
        expect(self.rounds > 0, "rounds > 0", self.rounds)
        expect(self.seed >= 0, "seed >= 0", self.seed)
        expect(0 < self.round_timeout < math.inf, "round_timeout > 0", self.round_timeout)
        expect(0 < self.join_timeout < math.inf, "join_timeout > 0", self.join_timeout)
        expect(0 < self.fraction <= 1, "fraction in (0, 1]", self.fraction)
        choose(self.engine, ENGINES, "an engine")
        choose(self.devices, DEVICES, "devices")
        choose(self.weighting, ("uniform", "examples"), "a weighting")
        low = self.min_replies
        expect(low is None or 1 <= low <= self.clients, f"min_replies from 1 to {self.clients}", low)


@dataclass(frozen=True, kw_only=True)
class ClientSettings:
    """What some participants do; everyone who is not named is honest.

    Attributes:
        ids: participants.
        role: `honest`, `malicious` or `defended`.
        attack: module name in `attacks`, with hyphens; for a malicious participant.
        defense: module name in `defenses`, with hyphens; for a defended participant.
        options: of the attack or defence; a resolved scenario has them all, also those left at their defaults.
        refresh: a defence that acts on the data is fitted anew every so many rounds; None for once and for all.
        loot_every: a malicious participant keeps its loot in every so many rounds (and in the last).
        loot_images: images it keeps then for each target.

    """

    ids: tuple[int, ...]
    role: str = "honest"
    attack: str | None = None
    defense: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    refresh: int | None = None
    loot_every: int = 1
    loot_images: int = 100

    def __post_init__(self) -> None:
        choose(self.role, ROLES, "a role")
        defended = (self.role == "defended") == (self.defense is not None)
        remedy = "Set the role to defended, or leave the defence out."
        expect(defended, "a defence for a defended participant, and only there", self.defense, remedy)
        fits = self.refresh is None or (self.defense is not None and self.refresh > 0)
        expect(fits, "refresh > 0, for a defended participant only", self.refresh)
        matches = (self.role == "malicious") == (self.attack is not None)
        remedy = "Set the role to malicious, or leave the attack out."
        expect(matches, "an attack for a malicious participant, and only there", self.attack, remedy)
        expect(self.loot_every > 0, "loot_every > 0", self.loot_every)
        expect(self.loot_images > 0, "loot_images > 0", self.loot_images)


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """What the server does.

    Attributes:
        strategy: by Flower's name.
        options: of the strategy, as Flower spells them.
        privacy: one of Flower's wrappers for central differential privacy around it, see strategies.private; or None.
        privacy_options: of the wrapper, as Flower spells them.
        attack: module name in `attacks`, with hyphens, of a malicious server; None for an honest one.
        attack_options: of the attack; a resolved scenario has them all, also those left at their defaults.
        loot_every: a malicious server keeps its loot in every so many rounds (and in the last).
        loot_images: images it keeps then for each category.

    """

    strategy: str = "fedavg"
    options: dict[str, Any] = field(default_factory=dict)
    privacy: str | None = None
    privacy_options: dict[str, Any] = field(default_factory=dict)
    attack: str | None = None
    attack_options: dict[str, Any] = field(default_factory=dict)
    loot_every: int = 1
    loot_images: int = 100

    def __post_init__(self) -> None:
        named = self.attack is not None or not self.attack_options
        expect(named, "an attack for server.attack_options", self.attack_options, "Name it in server.attack.")
        private = self.privacy is not None or not self.privacy_options
        expect(private, "a wrapper for server.privacy_options", self.privacy_options, "Name it in server.privacy.")
        expect(self.loot_every > 0, "loot_every > 0", self.loot_every)
        expect(self.loot_images > 0, "loot_images > 0", self.loot_images)


@dataclass(frozen=True, kw_only=True)
class AccountingSettings:
    """What is asked of the run's differential privacy (see oleander.accounting).

    Attributes:
        delta: that epsilon is stated for, over all rounds.
        max_epsilon: a run that does not guarantee as much is refused; None to take what comes.

    """

    delta: float = 1e-5
    max_epsilon: float | None = None

    def __post_init__(self) -> None:
        expect(0 < self.delta < 1, "accounting.delta between 0 and 1", self.delta)
        most = self.max_epsilon
        expect(most is None or 0 < most < math.inf, "accounting.max_epsilon > 0", most)

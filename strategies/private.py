"""Flower's central differential privacy by name: a wrapper around any of its strategies, held to what it promises.

Each clips what the participants send, lets the inner strategy aggregate, and adds Gaussian noise to the result: McMahan
et al. 2018 (arXiv:1710.06963) with a fixed norm, Andrew et al. 2021 (arXiv:1905.03871) with one that adapts. On the
server's side, or asked of the participants (client_app.flower_mods).

The wrappers do the work as they are; what Flower 1.39 gets wrong or leaves to its user is seen to around them:
1. Their noise is for `num_sampled_clients`, their mean is of the replies that came: with fewer of them there is too
   little noise. Here the number is that of the replies.
2. They clip by position, and a reply may have its arrays in another order: it is put in the global model's.
3. An update of norm 0 (a participant without data, a thief who waits) is a ZeroDivisionError that ends the run. A NumPy
   number in place of the norm divides by it.
4. The adaptive norm moves the wrong way: Andrew et al. count who is *not* clipped, Flower who is, with the same sign,
   so that a norm which clips everybody falls for ever. Here it rises.
5. It moves before the noise is added, whose size is then that of the next round's norm. Here it moves afterwards.
6. They draw from NumPy's global generator; for their time it is the run's own, or, with the option `secret: true` that
   is added here, one that the operating system has seeded.
"""

import inspect
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord
from flwr.serverapp import Grid
from flwr.serverapp.strategy import (
    DifferentialPrivacyClientSideAdaptiveClipping,
    DifferentialPrivacyClientSideFixedClipping,
    DifferentialPrivacyServerSideAdaptiveClipping,
    DifferentialPrivacyServerSideFixedClipping,
    FedAvg,
    Strategy,
)

from strategies.delegating import Delegating
from task.seeding import generator, numpy_from
from task.settings import SettingsError, choose, expect

WRAPPERS: dict[str, Any] = {
    "server-side-fixed-clipping": DifferentialPrivacyServerSideFixedClipping,
    "client-side-fixed-clipping": DifferentialPrivacyClientSideFixedClipping,
    "server-side-adaptive-clipping": DifferentialPrivacyServerSideAdaptiveClipping,
    "client-side-adaptive-clipping": DifferentialPrivacyClientSideAdaptiveClipping,
}
OURS = {"strategy", "num_sampled_clients", "accountant"}
"""Options that are set here. Flower's accountant is in its newest version only, and takes another number of replies."""
REPORTED = {"client-side-adaptive-clipping": ("norm_bit",)}
"""Metrics that participants send beside their update for a wrapper's sake: whether they had to clip, 0 or 1."""


def check(name: str, options: Mapping[str, Any], clients: int) -> None:
    """Refuse an unknown wrapper, and options that it does not have or cannot work with.

    Args:
        name: of WRAPPERS.
        options: as Flower spells them, and `secret`.
        clients: that are asked in a round.

    Raises:
        SettingsError: expected, got and remedy.

    """
    choose(name, WRAPPERS, "a wrapper for server.privacy")
    options = dict(options)
    hidden = options.pop("secret", False)
    expect(isinstance(hidden, bool), "server.privacy_options.secret to be true or false", hidden)
    parameters = {key: one for key, one in inspect.signature(WRAPPERS[name]).parameters.items() if key not in OURS}
    for key, value in options.items():
        choose(key, parameters, f"an option of {name}")
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        expect(number, f"server.privacy_options.{key} to be a number", value)
    for key, one in parameters.items():
        expect(one.default is not one.empty or key in options, f"server.privacy_options.{key}", dict(options))
    try:
        WRAPPERS[name](FedAvg(), num_sampled_clients=clients, **options)
    except ValueError as error:
        raise SettingsError(f"Expected server.privacy_options for {name}, got {dict(options)}: {error}") from error


def wrap(inner: Strategy, name: str, options: Mapping[str, Any], *, clients: int, seed: int) -> "Private":
    """Return `inner` inside Flower's wrapper `name`; see `check`.

    All noise depends on `seed` and the round alone, unless it is to be secret.
    """
    check(name, options, clients)
    options = dict(options)
    hidden = bool(options.pop("secret", False))
    wrapper = WRAPPERS[name](inner, num_sampled_clients=clients, **options)
    if name.startswith("server-side"):
        wrapper.clipping_norm = np.float64(wrapper.clipping_norm)  # difference 3
    return Private(wrapper, None if hidden else seed, adaptive="adaptive" in name)


class Private(Delegating):
    """Delegates to one of Flower's wrappers; see the module's text.

    Args:
        inner: the wrapper.
        seed: of the noise; None for noise that nobody can repeat.
        adaptive: whether its norm adapts.

    """

    inner: Any

    def __init__(self, inner: Strategy, seed: int | None, *, adaptive: bool) -> None:
        super().__init__(inner)
        self.seed, self.adaptive = seed, adaptive
        self._names: list[str] = []
        self._clipped: list[float] = []
        if adaptive:
            self.inner._geometric_update = self._clipped.append  # noqa: SLF001 - differences 4 and 5

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Delegate."""
        self._names = list(arrays)
        messages: Iterable[Message] = self.inner.configure_train(server_round, arrays, config, grid)
        return messages

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        """Let the wrapper clip, aggregate and add its noise.

        Raises:
            RuntimeError: if Flower's adaptive wrapper does not say any more how many were clipped.

        """
        given = [self._in_order(reply) for reply in replies]
        self.inner.num_sampled_clients = len(given)
        seed = self.seed
        draws = None if seed is None else generator(seed, "server", "central privacy", server_round)
        with numpy_from(draws), np.errstate(divide="ignore"):
            result: tuple[ArrayRecord | None, MetricRecord | None] = self.inner.aggregate_train(server_round, given)
        if self.adaptive:
            self._adapt()
        return result

    def _in_order(self, reply: Message) -> Message:
        """Return a reply with its arrays in the order of the global model's."""
        ((key, record),) = reply.content.array_records.items()
        reply.content[key] = ArrayRecord({name: record[name] for name in self._names})
        return reply

    def _adapt(self) -> None:
        """Move the norm: up where more than the wanted share was clipped."""
        if len(self._clipped) != 1:
            raise RuntimeError(
                "Expected Flower's adaptive wrapper to say once a round how many were clipped, got another version of "
                "it. Install the Flower that this is tested with (1.39), or use fixed clipping."
            )
        excess = self._clipped.pop() - self.inner.target_clipped_quantile
        self.inner.clipping_norm *= math.exp(self.inner.clip_norm_lr * excess)

"""Ray actors that each answer many virtual clients at a call: Flower's own answer one, and pay for each call."""

import contextlib
import copy
import gc
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ray
from flwr.app import Context, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.clientapp.client_app import ClientAppException
from flwr.server.superlink.fleet.vce.backend.raybackend import RayBackend
from flwr.simulation.ray_transport.ray_actor import pool_size_from_resources

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_FLIGHT = 2
"""Calls at a time to an actor: while it computes for one, the next is on its way."""
START_SECONDS = 300
"""That actors may take to be there, with all that they import."""
GONE = (
    ray.exceptions.RayActorError,
    ray.exceptions.OutOfMemoryError,  # Ray's memory monitor ended it
    ray.exceptions.WorkerCrashedError,
    ray.exceptions.NodeDiedError,
    ray.exceptions.ObjectLostError,  # the answer was on a node that is no more
)
"""What Ray raises where an actor is no more; their common base is that of an error in an actor that lives, too."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a virtual client did with a message.

    Attributes:
        reply: None where it failed.
        state: what it keeps until the next message; None where it failed.
        seconds: that it took.
        error: what it failed with.

    """

    reply: Message | None = None
    state: RecordDict | None = None
    seconds: float = 0.0
    error: Exception | None = None


class Clients:
    """Virtual clients, one after the other, in an actor's process; data sets and models stay there in between."""

    def __init__(self, app: Callable[[], ClientApp]) -> None:
        """Load the app, and take what is loaded out of the garbage collector's rounds."""
        self._app = app()
        gc.collect()
        gc.freeze()

    def ready(self) -> None:
        """Return once the process is there."""

    def answer(self, jobs: Sequence[tuple[Message, Context]]) -> list[Answer]:
        """Answer messages; those of a call may share their content, so that each client gets a copy of its own."""
        return [self._answer(message, context) for message, context in jobs]

    def _answer(self, message: Message, context: Context) -> Answer:
        """Answer one."""
        began = time.perf_counter()
        message.content = copy.deepcopy(message.content)
        try:
            reply = self._app(message=message, context=context)
        except Exception as error:  # noqa: BLE001 - as Flower's actor does: it is the client's failure, not the run's
            return Answer(seconds=time.perf_counter() - began, error=ClientAppException(str(error)))
        return Answer(reply=reply, state=context.state, seconds=time.perf_counter() - began)


class BatchBackend(RayBackend):
    """Flower's backend with `Clients` for actors; one that dies or hangs is replaced, if the cluster has room for it.

    A client that ends its actor loses its reply, and nobody else does. One that hangs loses those of its call too: when
    that is found out, the round's time is up.

    Attributes:
        patience: seconds after which a call is given up, and its actor ended; the time of a round.

    """

    patience: float

    def build(self, app_fn: Callable[[], ClientApp]) -> None:
        """Start an actor for each core (or share of a GPU) of the cluster."""
        self._app = ray.put(app_fn)  # held: an actor that is started later reads it, too
        self._most = pool_size_from_resources(self.client_resources)
        self._actors: list[Any] = []  # without those that are being replaced
        self._calls: Counter[Any] = Counter()  # that are in flight, or wait to be, by actor
        self._hung: set[Any] = set()  # actors that were ended since they did not answer in time
        self._changed, self._suspects, self._replacing = threading.Condition(), threading.Lock(), threading.Lock()
        self._actors = self._start(self._most)
        gc.collect()
        gc.freeze()

    @property
    def num_workers(self) -> int:
        """Calls at a time, while no node is lost."""
        return IN_FLIGHT * self._most

    def answer(self, jobs: Sequence[tuple[Message, Context]]) -> list[Answer]:
        """Return the clients' answers, in the order of the messages.

        Where the actor dies, each client is asked once more, alone in its actor: the one that kills it has an error.
        """
        with self._lent() as actor:
            try:
                answers: list[Answer] = ray.get(actor.answer.remote(jobs), timeout=self.patience)
            except ray.exceptions.GetTimeoutError as error:
                self._hung.add(actor)
                self._replace(actor)
                return [Answer(error=error)] * len(jobs)
            except GONE as error:
                self._replace(actor)
                if actor in self._hung:  # it was the call before this one that hung: the round's time is up here, too
                    return [Answer(error=error)] * len(jobs)
            else:
                return answers
        answers = []
        with self._suspects:
            while len(answers) < len(jobs):
                with self._lent(alone=True) as actor:
                    answers += self._answer_alone(actor, jobs[len(answers) :])
        return answers

    def terminate(self) -> None:
        """End all actors, and leave the cluster."""
        for actor in getattr(self, "_actors", []):
            ray.kill(actor)
        ray.shutdown()

    def _answer_alone(self, actor: Any, jobs: Sequence[tuple[Message, Context]]) -> list[Answer]:
        """Return answers until the actor dies, the last of them an error; none if it was dead before it was asked."""
        answers: list[Answer] = []
        lost = 0
        try:
            ray.get(actor.ready.remote(), timeout=START_SECONDS)
            lost = 1
            for job in jobs:
                answers += ray.get(actor.answer.remote([job]), timeout=self.patience)
        except (*GONE, ray.exceptions.GetTimeoutError) as error:
            self._replace(actor)
            if actor in self._actors:  # there is no other to ask
                lost = len(jobs) - len(answers)
            answers += [Answer(error=error)] * lost
        return answers

    def _missing(self) -> int:
        """Return how many actors there is room for, beside those that there are; a lost node takes its room along."""
        return min(self._most, pool_size_from_resources(self.client_resources)) - len(self._actors)

    def _start(self, count: int) -> list[Any]:
        """Start actors, and wait for them: the patience is for what they are asked."""
        started: list[Any] = [
            ray.remote(Clients).options(**self.client_resources).remote(self._app) for _ in range(count)
        ]
        ready = [actor.ready.remote() for actor in started]
        for _ in range(START_SECONDS):
            # Ray hears of a lost node late, and would look for a place for ever.
            if not ray.wait(ready, num_returns=len(ready), timeout=1)[1] or self._missing() < count:
                break
        ray.get(ready, timeout=0)
        return started

    def _replace(self, actor: Any) -> None:
        """End a broken actor, and start as many as are missing, unless that was done after the other call in flight.

        Where none can be started, the others do its work. The last one stays, broken as it is, so that calls fail
        rather than wait, and is replaced after the next.
        """
        with self._changed:
            if actor not in self._actors:
                return
            self._actors.remove(actor)
        with self._replacing:
            started: list[Any] = []
            with contextlib.suppress(ray.exceptions.RayError, ValueError):  # the latter where there is room for none
                ray.kill(actor)
                started = self._start(self._missing())
            with self._changed:
                self._actors += started or ([] if self._actors else [actor])
                self._changed.notify_all()

    @contextmanager
    def _lent(self, *, alone: bool = False) -> "Iterator[Any]":
        """Lend an actor for a call; alone, once nothing else is in flight there. One at a time may ask for that."""
        slots = IN_FLIGHT if alone else 1
        with self._changed:
            self._changed.wait_for(lambda: any(alone or self._calls[actor] < IN_FLIGHT for actor in self._actors))
            freest = min(self._actors, key=self._calls.__getitem__)
            self._calls[freest] += slots  # at once: who wants it alone would never have it if others came in between
            self._changed.wait_for(lambda: self._calls[freest] <= IN_FLIGHT)
        try:
            yield freest
        finally:
            with self._changed:
                self._calls[freest] -= slots
                self._changed.notify_all()

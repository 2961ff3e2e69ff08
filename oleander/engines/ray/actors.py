"""Ray actors that each answer many virtual clients at a call: Flower's own answer one, and pay for each call."""

import contextlib
import copy
import gc
import threading
import time
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
START_SECONDS = 300.0
"""That actors may take to be there, with all that they import."""


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
    """Flower's backend with `Clients` for actors; one that dies or hangs is replaced.

    A client that ends its actor loses its reply, and nobody else does. One that hangs loses those of its call too: when
    that is found out, the round's time is up.

    Attributes:
        patience: seconds after which a call is given up, and its actor ended; the time of a round.

    """

    patience: float

    def build(self, app_fn: Callable[[], ClientApp]) -> None:
        """Start an actor for each core (or share of a GPU) of the cluster."""
        self._app = ray.put(app_fn)  # held: an actor that is started later reads it, too
        self._actors = self._start(pool_size_from_resources(self.client_resources))
        self._free = [IN_FLIGHT] * len(self._actors)
        self._closed: set[int] = set()  # places that are being cleared or whose actor is being replaced
        self._hung: set[Any] = set()  # actors that were ended since they did not answer in time
        self._changed, self._suspects, self._replacing = threading.Condition(), threading.Lock(), threading.Lock()
        gc.collect()
        gc.freeze()

    @property
    def num_workers(self) -> int:
        """Calls at a time."""
        return IN_FLIGHT * len(self._actors)

    def answer(self, jobs: Sequence[tuple[Message, Context]]) -> list[Answer]:
        """Return the clients' answers, in the order of the messages.

        Where the actor dies, each client is asked once more, alone in its actor: the one that kills it has an error.
        """
        with self._lent() as place:
            actor = self._actors[place]
            try:
                answers: list[Answer] = ray.get(actor.answer.remote(jobs), timeout=self.patience)
            except ray.exceptions.GetTimeoutError as error:
                self._hung.add(actor)
                self._replace(place, actor)
                return [Answer(error=error)] * len(jobs)
            except ray.exceptions.RayActorError as error:
                self._replace(place, actor)
                if actor in self._hung:  # it was the call before this one that hung: the round's time is up here, too
                    return [Answer(error=error)] * len(jobs)
            else:
                return answers
        with self._suspects, self._lent(alone=True) as place:
            return [self._answer_alone(place, job) for job in jobs]

    def terminate(self) -> None:
        """End all actors, and leave the cluster."""
        for actor in getattr(self, "_actors", []):
            ray.kill(actor)
        ray.shutdown()

    def _answer_alone(self, place: int, job: tuple[Message, Context]) -> Answer:
        """Return a client's answer; an error if the actor, which lives and has nothing else to do, does not give it."""
        try:
            ray.get(self._actors[place].ready.remote(), timeout=START_SECONDS)
        except (ray.exceptions.RayActorError, ray.exceptions.GetTimeoutError):
            self._replace(place, self._actors[place])
        try:
            answers: list[Answer] = ray.get(self._actors[place].answer.remote([job]), timeout=self.patience)
        except (ray.exceptions.RayActorError, ray.exceptions.GetTimeoutError) as error:
            self._replace(place, self._actors[place])
            return Answer(error=error)
        return answers[0]

    def _start(self, count: int) -> list[Any]:
        """Start actors, and wait for them: the patience is for what they are asked."""
        started: list[Any] = [
            ray.remote(Clients).options(**self.client_resources).remote(self._app) for _ in range(count)
        ]
        ray.get([actor.ready.remote() for actor in started], timeout=START_SECONDS)
        return started

    def _replace(self, place: int, actor: Any) -> None:
        """Replace a broken actor, unless that was done after the other call in flight.

        Where none can be started, the broken one stays, and is replaced after the next call.
        """
        with self._changed:
            self._closed.add(place)
        with self._replacing, contextlib.suppress(ray.exceptions.RayError):
            if self._actors[place] is actor:
                ray.kill(actor)
                [self._actors[place]] = self._start(1)
        with self._changed:
            self._closed.discard(place)
            self._changed.notify_all()

    @contextmanager
    def _lent(self, *, alone: bool = False) -> "Iterator[int]":
        """Lend an actor's place for a call; alone, once nothing else is in flight there. One at a time may ask for it.

        The broken actor of a place is replaced before the place is given back.
        """
        slots = IN_FLIGHT if alone else 1
        with self._changed:
            place = self._clear() if alone else self._wait()
            self._free[place] -= slots
        try:
            yield place
        finally:
            with self._changed:
                self._free[place] += slots
                self._changed.notify_all()

    def _wait(self) -> int:
        """Return the place that has the most room, once there is any."""

        def room(place: int) -> int:
            return 0 if place in self._closed else self._free[place]

        places = range(len(self._actors))
        self._changed.wait_for(lambda: any(map(room, places)))
        return max(places, key=room)

    def _clear(self) -> int:
        """Return a place where nothing is in flight, once there is one."""
        place = max(range(len(self._actors)), key=self._free.__getitem__)
        self._closed.add(place)
        self._changed.wait_for(lambda: self._free[place] == IN_FLIGHT)
        self._closed.discard(place)
        return place

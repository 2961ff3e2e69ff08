"""A Grid that calls the real ClientApp in this process: Flower's messages without its processes."""

import copy
import logging
from collections.abc import Callable, Iterable
from typing import Any

import torch
from flwr.app import Context, Error, Message, RecordDict
from flwr.serverapp import Grid

from client_app.app import app as client_app
from oleander.rundir import RunDirectory
from oleander.scenario import Scenario

FIRST = 100  # the first participant's node id
log = logging.getLogger("flwr")


class Nodes(Grid):
    """One node for each participant, FIRST + its id; each keeps its context from round to round.

    Args:
        scenario: resolved.
        run: its run directory.
        data: folder of the data sets; empty where the scenario needs none.
        tick: called after each reply.

    """

    def __init__(
        self, scenario: Scenario, run: RunDirectory, data: str = "", tick: Callable[[], None] = lambda: None
    ) -> None:
        self.config = scenario.run_config(data=data, out=str(run.path), roles=True)
        self.contexts = {
            FIRST + client: Context(
                run_id=1,
                node_id=FIRST + client,
                node_config={"partition-id": client, "num-partitions": scenario.federation.clients},
                state=RecordDict(),
                run_config=self.config,
            )
            for client in range(scenario.federation.clients)
        }
        self._tick = tick
        self._run: Any = None

    def set_run(self, run: Any) -> None:
        """Remember the run."""
        self._run = run

    @property
    def run(self) -> Any:
        """The run."""
        return self._run

    def create_message(self, *args: Any, **kwargs: Any) -> Message:
        """Refuse: Flower's strategies make their messages themselves."""
        raise NotImplementedError

    def get_node_ids(self) -> Iterable[int]:
        """Return all nodes."""
        return list(self.contexts)

    def get_nodes(self) -> Iterable[Any]:
        """Refuse: strategies ask for ids."""
        raise NotImplementedError

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """Refuse: strategies send and receive at once."""
        raise NotImplementedError

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """Refuse, likewise."""
        raise NotImplementedError

    def send_and_receive(self, messages: Iterable[Message], *, timeout: float | None = None) -> Iterable[Message]:
        """Call the ClientApp for each message, one after the other; nobody is late.

        In the reverse of the order sent: nothing may depend on the order in which replies arrive.
        """
        del timeout
        threads = torch.get_num_threads()  # the server's; the ClientApp takes one
        try:
            return [self._call(message) for message in reversed(list(messages))]
        finally:
            torch.set_num_threads(threads)

    def _call(self, message: Message) -> Message:
        """Return a node's reply; an exception of its app becomes an error reply, as Flower makes of it."""
        node = message.metadata.dst_node_id
        message.metadata.__dict__["_message_id"] = f"{node}"
        sent = copy.deepcopy(message)
        try:
            reply = client_app(sent, self.contexts[node])
        except Exception as error:
            log.exception("Client %d failed", node - FIRST)
            reply = Message(Error(code=2, reason=str(error)), reply_to=message)
        self._tick()
        return reply

"""A Grid that calls the real ClientApp in this process: Flower's messages without its processes, for quick tests."""

import copy
from collections.abc import Iterable
from typing import Any

from flwr.app import Context, Error, Message, RecordDict
from flwr.serverapp import Grid
from flwr.supercore.task_identity import TaskIdentity

from client_app.app import app as client_app
from oleander.rundir import RunDirectory
from oleander.scenario import Scenario
from server_app.app import app as server_app


class InProcessGrid(Grid):
    """Nodes 100 + client; each keeps its context from round to round."""

    def __init__(self, scenario: Scenario, run: RunDirectory, data: str) -> None:
        """Prepare one context for each participant."""
        config = scenario.run_config(data=data, out=str(run.path), roles=True)
        self.contexts = {
            100 + client: Context(
                run_id=1,
                node_id=100 + client,
                node_config={"partition-id": client, "num-partitions": scenario.federation.clients},
                state=RecordDict(),
                run_config=config,
            )
            for client in range(scenario.federation.clients)
        }
        self.lost: set[int] = set()
        self._run: Any = None

    def set_run(self, run: Any) -> None:
        """Remember the run."""
        self._run = run

    @property
    def run(self) -> Any:
        """The run."""
        return self._run

    def create_message(self, *args: Any, **kwargs: Any) -> Message:
        """Nobody needs it."""
        raise NotImplementedError

    def get_node_ids(self) -> Iterable[int]:
        """Return the nodes that are connected."""
        return [node for node in self.contexts if node not in self.lost]

    def get_nodes(self) -> Iterable[Any]:
        """Nobody needs it."""
        raise NotImplementedError

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """Nobody needs it."""
        raise NotImplementedError

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """Nobody needs it."""
        raise NotImplementedError

    def send_and_receive(self, messages: Iterable[Message], *, timeout: float | None = None) -> Iterable[Message]:
        """Call the ClientApp for each message, in the reverse of the order sent."""
        del timeout
        return [self._call(message) for message in reversed(list(messages))]

    def _call(self, message: Message) -> Message:
        node = message.metadata.dst_node_id
        message.metadata.__dict__["_message_id"] = f"{node}"
        sent = copy.deepcopy(message)
        try:
            reply = client_app(sent, self.contexts[node])
        except Exception as error:  # noqa: BLE001 - as Flower does: any exception of the app becomes an error reply
            reply = Message(Error(code=2, reason=str(error)), reply_to=message)
        return reply


def run_in_process(scenario: Scenario, run: RunDirectory, data: str = "") -> InProcessGrid:
    """Run a whole scenario, server and clients, in this process."""
    TaskIdentity.run_id = TaskIdentity.node_id = TaskIdentity.task_id = 1  # a Message reads them when it is made
    grid = InProcessGrid(scenario, run, data)
    config = scenario.run_config(data=data, out=str(run.path), roles=True)
    server_app(grid, Context(run_id=1, node_id=0, node_config={}, state=RecordDict(), run_config=config))
    return grid

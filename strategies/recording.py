"""A strategy that wraps any of Flower's, keeps a record of every round, and lets no broken update through.

The inner strategy decides whom to ask and how to aggregate. This one knows which node is which participant, hands the
replies on in the order of the participants' ids (so that the order of arrival never changes the result), refuses what
cannot be aggregated, and tells a callback what happened.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.serverapp import Grid
from flwr.serverapp.strategy import Strategy

from strategies.delegating import Delegating
from strategies.roll_call import Node, RollCall
from strategies.updates import Refused, Update, read, size
from task.seeding import generator
from task.strangers import printable
from task.training import Evaluation


class TooFewReplies(RuntimeError):  # noqa: N818 - it names what happened
    """A round got fewer usable replies than the federation asks for."""


@dataclass(kw_only=True)
class Round:
    """What is known of one round while it runs.

    `seconds` are the participants' own and `norms` the L2 distances of their updates from the global model, in the
    order of `clients`; the bytes those of the arrays sent to all who were asked, and of the usable replies.
    """

    number: int
    began: float
    sent: dict[int, int] = field(default_factory=dict)
    clients: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    bytes_down: int = 0
    bytes_up: int = 0
    failures: list[dict[str, Any]] = field(default_factory=list)

    def line(self, metrics: Evaluation) -> dict[str, Any]:
        """Return the round's line of rounds.jsonl."""
        return {
            "round": self.number,
            **asdict(metrics),
            "seconds": round(time.monotonic() - self.began, 4),
            "client_seconds": round(max(self.seconds), 4),
            "replies": len(self.clients),
            "clients": self.clients,
            "seconds_each": [round(seconds, 4) for seconds in self.seconds],
            "update_norms": [round(norm, 4) for norm in self.norms],
            "bytes_down": self.bytes_down,
            "bytes_up": self.bytes_up,
            "failures": self.failures,
        }


class Chosen:
    """A grid with the round's participants and nobody else: a strategy of Flower's asks all that it finds."""

    def __init__(self, grid: Grid, nodes: list[int]) -> None:
        self._grid, self._nodes = grid, nodes

    def get_node_ids(self) -> list[int]:
        """Return the chosen nodes."""
        return self._nodes

    def __getattr__(self, name: str) -> Any:
        """Delegate everything else."""
        return getattr(self._grid, name)


class Recording(Delegating):
    """Delegates to `inner`; see the module's text.

    Args:
        inner: any strategy of Flower's that weighs by the metric "weight".
        roll_call: which node is which participant.
        weighting: `uniform` or `examples`.
        fraction: share of the participants that is asked in a round.
        seed: of that draw.
        min_replies: usable replies without which the run ends with TooFewReplies.
        timeout: of a round in seconds, for the text of a failure.
        evaluate: metrics of a global model.
        record: called after each round with its line of rounds.jsonl and the new global model.
        reported: metrics, each 0 or 1, that the inner strategy wants of every participant.

    """

    def __init__(
        self,
        inner: Strategy,
        *,
        roll_call: RollCall,
        weighting: str,
        fraction: float,
        seed: int,
        min_replies: int,
        timeout: float,
        evaluate: Callable[[ArrayRecord], Evaluation],
        record: Callable[[dict[str, Any], ArrayRecord], None],
        reported: tuple[str, ...] = (),
    ) -> None:
        super().__init__(inner)
        self.roll_call = roll_call
        self.weighting, self.fraction, self.seed = weighting, fraction, seed
        self.min_replies, self.timeout = min_replies, timeout
        self.evaluate, self.record, self.reported = evaluate, record, reported
        self._round = Round(number=0, began=time.monotonic())
        self._accuracy = 0.0
        self._sent = ArrayRecord()

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Let the inner strategy choose whom to ask; announce the accuracy of the model that is sent."""
        self._round = Round(number=server_round, began=time.monotonic())
        self.roll_call.update(grid)
        self._round.failures += self.roll_call.failures()
        present = self.roll_call.present()
        self._require(len(present))
        chosen = self._sample(present)
        self._sent = arrays
        config["accuracy"] = self._accuracy
        known = Chosen(grid, [node.node_id for node in chosen])
        messages = list(self.inner.configure_train(server_round, arrays, config, known))  # type: ignore[arg-type]  # as much as it uses
        self._round.sent = {node.node_id: node.client for node in chosen}
        self._round.bytes_down = sum(size(message) for message in messages)
        return messages

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        """Aggregate the usable replies in the order of the participants' ids.

        Raises:
            TooFewReplies: if fewer than `min_replies` are usable; everything up to the last round is on record.

        """
        usable: dict[int, tuple[Message, Update]] = {}
        silent = dict(self._round.sent)
        sent = {name: array.numpy() for name, array in self._sent.items()}
        shapes = {name: values.shape for name, values in sent.items()}
        for reply in replies:
            client = silent.pop(reply.metadata.src_node_id, None)
            if client is None:
                continue
            try:
                usable[client] = reply, read(reply, shapes, self.reported, server_round)
            except Refused as refusal:
                self._round.failures.append({"client": client, "reason": printable(str(refusal))})
        late = time.monotonic() - self._round.began >= self.timeout
        reason = f"no reply within {self.timeout:g} s" if late else "lost before it replied"
        self._round.failures += [{"client": client, "reason": reason} for client in silent.values()]
        self._round.failures.sort(key=lambda failure: str(failure["client"]))
        self._round.clients = sorted(usable)
        self._require(len(usable))
        ordered = [usable[client] for client in self._round.clients]
        self._round.seconds = [update.seconds for _, update in ordered]
        self._round.norms = [update.distance(sent) for _, update in ordered]
        self._round.bytes_up = sum(update.size for _, update in ordered)
        for reply, update in ordered:
            reply.content = update.content(update.examples if self.weighting == "examples" else 1.0)
        made = self.inner.aggregate_train(server_round, [reply for reply, _ in ordered])
        for reply, _ in ordered:
            reply.content = RecordDict()  # Flower holds the replies until the next round's are all there
        return made

    def _sample(self, present: list[Node]) -> list[Node]:
        """Draw the round's participants from those present, by the seed and the round alone."""
        count = max(self.min_replies, round(self.fraction * self.roll_call.clients))
        drawn = torch.randperm(len(present), generator=generator(self.seed, "participants", self._round.number))
        return [present[index] for index in sorted(drawn[:count].tolist())]

    def after_round(self, server_round: int, arrays: ArrayRecord) -> MetricRecord:
        """Evaluate the global model and put the round on record; give this to `start` as its evaluate_fn."""
        metrics = self.evaluate(arrays)
        self._accuracy = metrics.accuracy
        if server_round > 0:
            self.record(self._round.line(metrics), arrays)
        return MetricRecord({"accuracy": metrics.accuracy, "loss": metrics.loss})

    def _require(self, count: int) -> None:
        """End the run if there are too few participants to go on."""
        if count < self.min_replies:
            lost = "; ".join(f"client {one['client']}: {one['reason']}" for one in self._round.failures)
            raise TooFewReplies(
                f"Expected at least {self.min_replies} usable replies in round {self._round.number}, got {count} "
                f"({lost}). Mend those clients, or lower federation.min_replies."
            )

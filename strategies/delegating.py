"""What strategies that wrap another have in common: everything but the training is the inner strategy's."""

from collections.abc import Iterable

from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord
from flwr.serverapp import Grid
from flwr.serverapp.strategy import Strategy


class Delegating(Strategy):
    """Delegates evaluation and summary to `inner`; a subclass says what it does about the training.

    Args:
        inner: any strategy of Flower's.

    """

    def __init__(self, inner: Strategy) -> None:
        self.inner = inner

    def configure_evaluate(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Delegate; by default nobody is asked, since the server has a test set of its own."""
        return self.inner.configure_evaluate(server_round, arrays, config, grid)

    def aggregate_evaluate(self, server_round: int, replies: Iterable[Message]) -> MetricRecord | None:
        """Delegate."""
        return self.inner.aggregate_evaluate(server_round, replies)

    def summary(self) -> None:
        """Delegate."""
        self.inner.summary()

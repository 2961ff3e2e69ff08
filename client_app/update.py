"""What a participant receives, and the update that it sends."""

from collections.abc import Mapping
from dataclasses import dataclass

from flwr.app import Array, ArrayRecord, Message, MetricRecord, RecordDict
from torch import Tensor, from_numpy, nn

from client_app.participant import Participant
from task.arrays import decode, encode
from task.facts import Images
from task.models import weights
from task.training import make_optimizer, optimizer_arrays, restore_optimizer, train


@dataclass(frozen=True, kw_only=True)
class Received:
    """One train message.

    Attributes:
        round: from 1.
        accuracy: of the global model, as the server announced it.
        proximal_mu: FedProx's, 0 under other strategies.
        weights: of the global model, by name.

    """

    round: int
    accuracy: float
    proximal_mu: float
    weights: dict[str, Tensor]

    @classmethod
    def read(cls, message: Message) -> "Received":
        """Read a train message of Flower's strategies."""
        config = message.content.config_records["config"]
        return cls(
            round=int(str(config["server-round"])),
            accuracy=float(str(config["accuracy"])),
            proximal_mu=float(str(config.get("proximal-mu", 0.0))),
            weights=unpack(message.content.array_records["arrays"]),
        )

    def model(self, participant: Participant) -> nn.Module:
        """Return the global model on the participant's device."""
        model = participant.model()
        model.load_state_dict(self.weights)
        return model


@dataclass(frozen=True, kw_only=True)
class Update:
    """What goes back to the server.

    Attributes:
        weights: by name.
        examples: that the participant claims to have trained on.
        loss: mean of its local training.
        optimizer: state to keep, empty where none is kept.

    """

    weights: dict[str, Tensor]
    examples: int
    loss: float
    optimizer: dict[str, Tensor]

    def reply(self, message: Message, seconds: float) -> Message:
        """Return the reply to a train message."""
        number = int(str(message.content.config_records["config"]["server-round"]))
        metrics = MetricRecord({"round": number, "num-examples": self.examples, "loss": self.loss, "seconds": seconds})
        content = RecordDict({"arrays": pack(self.weights), "metrics": metrics})
        return Message(content, reply_to=message)


def local_round(
    participant: Participant, received: Received, images: Images, optimizer_state: Mapping[str, Tensor]
) -> Update:
    """Train the global model on `images`; without any, return it unchanged."""
    task = participant.task
    model = participant.bench()
    model.load_state_dict(received.weights)
    optimizer = make_optimizer(model, task.optimizer)
    if task.optimizer.keep_state:
        restore_optimizer(optimizer, optimizer_state)
    loss = train(
        model,
        images.images,
        images.labels,
        optimizer=optimizer,
        batch_size=task.batch_size,
        epochs=task.local_epochs,
        generator=participant.randomness("train", received.round),
        proximal_mu=received.proximal_mu,
    )
    kept = optimizer_arrays(optimizer) if task.optimizer.keep_state else {}
    return Update(weights=weights(model), examples=max(1, len(images.images)), loss=loss, optimizer=kept)


def pack(weights: Mapping[str, Tensor]) -> ArrayRecord:
    """Return what `ArrayRecord(weights)` does, to the byte."""
    arrays = {name: tensor.detach().cpu().numpy() for name, tensor in weights.items()}
    return ArrayRecord(
        {
            name: Array(dtype=str(array.dtype), shape=array.shape, stype="numpy.ndarray", data=encode(array))
            for name, array in arrays.items()
        }
    )


def unpack(record: ArrayRecord) -> dict[str, Tensor]:
    """Return the tensors of a record, in memory of their own; what is no array raises ValueError."""
    return {name: from_numpy(decode(array.data).copy()) for name, array in record.items()}

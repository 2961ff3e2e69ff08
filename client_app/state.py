"""State that a participant keeps from round to round, in Flower's context: named tensors as one safetensors text."""

from collections.abc import Mapping

from flwr.app import ConfigRecord, Context
from safetensors.torch import load, save
from torch import Tensor


def load_state(context: Context, name: str) -> dict[str, Tensor]:
    """Return the tensors kept under `name`; empty before the first round."""
    record = context.state.config_records.get(name)
    return load(record["safetensors"]) if record is not None else {}  # type: ignore[arg-type]  # it is bytes


def save_state(context: Context, name: str, tensors: Mapping[str, Tensor]) -> None:
    """Keep tensors under `name`; no tensors, no record."""
    if tensors:
        data = save({key: tensor.contiguous() for key, tensor in tensors.items()})
        context.state[name] = ConfigRecord({"safetensors": data})

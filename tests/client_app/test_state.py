"""A participant's state in Flower's context."""

import torch
from flwr.app import Context, RecordDict

from client_app.state import load_state, save_state


def context() -> Context:
    """Return an empty context."""
    return Context(run_id=1, node_id=2, node_config={}, state=RecordDict(), run_config={})


def test_tensors_come_back_with_their_names_types_and_shapes() -> None:
    """Also an empty one, a scalar, and one that is not contiguous."""
    kept = {
        "step": torch.tensor(3.0),
        "empty": torch.empty(0, 1, 8, 8),
        "label": torch.tensor([1, 2]),
        "turned": torch.arange(6.0).view(2, 3).t(),
    }
    where = context()
    save_state(where, "attack", kept)
    back = load_state(where, "attack")
    assert back.keys() == kept.keys()
    for name, tensor in kept.items():
        assert torch.equal(back[name], tensor)
        assert back[name].dtype == tensor.dtype


def test_nothing_kept_is_nothing() -> None:
    """Before the first round, and for an optimizer without state."""
    where = context()
    assert load_state(where, "optimizer") == {}
    save_state(where, "optimizer", {})
    assert "optimizer" not in where.state

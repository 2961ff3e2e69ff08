"""Clients that send nonsense, an old reply, nothing, or too late, over gRPC: the run goes on without them."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from oleander import engines
from oleander.engines import Job

TIMEOUT = 10
BIAS = "7.bias"
REASONS = {
    2: "expected finite numbers in .*, got NaN or infinity",
    3: "expected finite numbers in .*, got NaN or infinity",
    4: r"expected .* of shape \[11\], got \[22\]",
    5: "expected arrays .*",
    6: "expected arrays .*'surprise'.*",
    7: "expected a reply of round 7, got one of round 1",
    8: "expected one record of arrays and one of metrics in the update",
    9: "no reply within 10 s|the client failed: .*",
    11: "the client failed: Its reply cannot be read: .*",
}


def test_broken_replies_cost_their_client_the_round(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Client 1 breaks ten replies in ways of its own, see breaking_client.

    Nine are refused by name, and the reply that is too late does not turn up in the round after. A hundredfold update
    counts, as in any mean, and shows in its norm.
    """
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "breaking_client"))
    monkeypatch.setenv("OLEANDER_BREAKS", BIAS)
    monkeypatch.setenv("OLEANDER_TIMEOUT", str(TIMEOUT))
    job = make_job(3, 12, "federation.min_replies=2", f"federation.round_timeout={TIMEOUT}")
    engines.run("grpc", job)
    rounds = {line["round"]: line for line in job.run.rounds()}
    assert list(rounds) == list(range(1, 13))
    for number, line in rounds.items():
        reasons = [failure["reason"] for failure in line["failures"] if failure["client"] == 1]
        assert line["clients"] == ([0, 2] if number in REASONS else [0, 1, 2])
        assert [bool(re.fullmatch(REASONS[number], one)) for one in reasons] == [True] * (number in REASONS), reasons
    norms = rounds[10]["update_norms"]
    assert norms[1] > 20 * max(norms[0], rounds[1]["update_norms"][1])
    final = job.run.global_model()
    assert final is not None
    assert all(torch.isfinite(tensor).all() for tensor in final.values())

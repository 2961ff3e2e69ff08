"""What a client is told that a server does not let in."""

import json
import re

import pytest

from oleander.engines.grpc.plan import Node
from oleander.engines.grpc.supernode import refusal


def said(code: int, words: str = "No.") -> str:
    """Return what a SuperLink of Flower 1.39 answers."""
    return json.dumps({"code": code, "public_message": words, "public_details": None})


@pytest.mark.parametrize(
    ("key", "status", "details", "words"),
    [
        ("client.key", "FAILED_PRECONDITION", said(2004), "a key that the server knows as client 3's, got client.key"),
        ("", "FAILED_PRECONDITION", said(2004), "Expected to be let in as client 3, got this from the server: No."),
        ("", "FAILED_PRECONDITION", said(23), "a key that nobody has joined with"),
        ("client.key", "FAILED_PRECONDITION", said(1001), "the Flower of this host"),
        ("client.key", "FAILED_PRECONDITION", "\x1b[2Jno", r"from the server:  \[2Jno"),
        (
            "client.key",
            "UNAUTHENTICATED",
            "Invalid timestamp\x07",
            "timestamp . An invalid timestamp is a clock",
        ),
        (
            "client.key",
            "PERMISSION_DENIED",
            "That is the key of client 1.",
            "client 1. The key is client.key",
        ),
        ("client.key", "UNAVAILABLE", "later", None),
    ],
)
def test_each_refusal_is_told_by_its_code_and_cannot_steer_a_terminal(
    key: str, status: str, details: str, words: str | None
) -> None:
    """A key that nobody knows, one that is in use, another Flower, a wrong clock; what may pass is none."""
    node = Node(client=3, role="honest", port=1, gpu=None, config="", key=key)
    told = refusal(node, status, details)
    assert told.isprintable()
    assert len(told) < 1200
    if words is None:
        assert told == ""
    else:
        assert re.search(words, told)

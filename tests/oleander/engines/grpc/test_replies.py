"""Replies that Flower would put together into an error, into more than memory holds, or into somebody else's."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from flwr.app import Message
from flwr.app.metadata import Metadata
from flwr.common.serde_utils import metadata_to_proto
from flwr.proto.message_pb2 import Message as ProtoMessage
from flwr.supercore.inflatable.inflatable_object import get_all_nested_objects
from messages import failed, reply_from, take_identity

from oleander.engines.grpc import replies


@pytest.fixture(autouse=True)
def identity() -> None:
    """Give messages the identity that a running Flower app has."""
    take_identity()


class Objects(dict[str, bytes]):
    """Objects as they travel: bytes by their digests."""

    def put(self, kind: str, body: Any, *children: str) -> str:
        """Add an object by hand, and return its id."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        content = f"{kind} {','.join(dict.fromkeys(children))} {len(data)}".encode() + b"\x00" + data
        name = hashlib.sha256(content).hexdigest()
        self[name] = content
        return name

    def message(self, kind: str = "", body: Any = None, *children: str) -> str:
        """Add a message whose content is such an object; without one, it has none."""
        proto = ProtoMessage(metadata=metadata_to_proto(known("")))
        return self.put("Message", proto.SerializeToString(), *([self.put(kind, body, *children)] if kind else []))


def known(message_id: str) -> Metadata:
    """Return what the SuperLink knows of a reply: node 7 has answered the message `asked` of run 5."""
    return Metadata(5, message_id, 7, 1, "asked", "", 0.0, 60.0, "train")


def travelled(reply: Message) -> tuple[str, dict[str, bytes]]:
    """Return the id and the objects of a reply that Flower has made."""
    return reply.object_id, {name: one.deflate() for name, one in get_all_nested_objects(reply).items()}


def test_a_sound_reply_comes_as_it_was_sent_from_whom_the_superlink_says() -> None:
    """The arrays and metrics are the client's; it says to be node 103, and is node 7."""
    reply = reply_from(3)
    name, contents = travelled(reply)
    read = replies.read(known(name), contents)
    assert np.array_equal(read.content["arrays"]["w"].numpy(), [3.0, 1.0])
    assert read.content["metrics"] == reply.content["metrics"]
    said = (read.metadata.run_id, read.metadata.src_node_id, read.metadata.reply_to_message_id)
    assert reply.metadata.src_node_id == 103
    assert said == (5, 7, "asked")


def test_a_client_s_own_error_is_kept() -> None:
    """With its reason, from whom the SuperLink says."""
    name, contents = travelled(failed(2))
    read = replies.read(known(name), contents)
    assert (read.error.reason, read.metadata.src_node_id) == ("out of memory", 7)


def malformed() -> Mapping[str, tuple[str, Objects]]:
    """Return replies that are none, each with its first object's id."""
    made: dict[str, tuple[str, Objects]] = {}

    def add(what: str, objects: Objects, root: str) -> None:
        made[what] = (root, objects)

    objects = Objects()
    add("neither content nor error", objects, objects.message())
    objects = Objects()
    add("a record of settings in place of the message", objects, objects.put("ConfigRecord", b""))
    objects = Objects()
    chunk = objects.put("ArrayChunk", b"0")
    add("bytes in place of the content", objects, objects.message("ArrayChunk", b"1"))
    objects = Objects()
    add("an object that did not come", objects, objects.put("Message", b"", "0" * 64))
    objects = Objects()
    root = objects.put("RecordDict", {})
    for _ in range(5000):
        root = objects.put("RecordDict", {}, root)
    add("five thousand floors", objects, objects.put("Message", b"", root))
    objects = Objects()
    chunk = objects.put("ArrayChunk", bytes(2**20))
    array = objects.put("Array", described([0] * 10**5), chunk)
    record = objects.put("ArrayRecord", {"w": array}, array)
    add("a hundred gigabytes of one", objects, objects.message("RecordDict", {"arrays": record}, record))
    objects = Objects()
    chunk = objects.put("ArrayChunk", bytes(2**20))
    arrays = [objects.put("Array", described([0], number), chunk) for number in range(1000)]
    record = objects.put("ArrayRecord", {array: array for array in arrays}, *arrays)
    add("a thousand arrays of the same bytes", objects, objects.message("RecordDict", {"arrays": record}, record))
    objects = Objects()
    pair = [objects.put("ArrayChunk", bytes([number])) for number in range(2)]
    for floor in range(40):  # each made of both of the floor below
        pair = [objects.put("Array", described([0, 1], floor, number), *pair) for number in range(2)]
    record = objects.put("ArrayRecord", {"w": pair[0]}, pair[0])
    add("arrays of arrays", objects, objects.message("RecordDict", {"arrays": record}, record))
    return made


def described(parts: list[int], *shape: int) -> dict[str, Any]:
    """Return what Flower writes of an array."""
    return {"dtype": "float32", "shape": shape, "stype": "numpy.ndarray", "arraychunk_ids": parts}


@pytest.mark.parametrize("what", malformed())
def test_a_malformed_reply_is_a_failure_of_its_client(what: str) -> None:
    """Nothing is raised and no memory taken, whatever the bytes are: the round goes on."""
    root, objects = malformed()[what]
    read = replies.read(known(root), objects)
    assert read.has_error()
    assert read.error.reason.startswith("Its reply cannot be read: ")
    assert len(read.error.reason) <= 1000
    assert (read.metadata.src_node_id, read.metadata.reply_to_message_id) == (7, "asked")


def test_equal_parts_of_a_large_array_may_be_sent_once() -> None:
    """As Flower does with 32 MiB of zeros, of which seven parts of 5 MiB are two different ones and a rest."""
    zeros = np.zeros(2**23, dtype=np.float32)
    reply = reply_from(1, {"w": zeros})
    name, contents = travelled(reply)
    assert sum(map(len, contents.values())) < 20 * 2**20
    assert np.array_equal(replies.read(known(name), contents).content["arrays"]["w"].numpy(), zeros)

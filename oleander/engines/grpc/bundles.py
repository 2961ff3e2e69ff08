"""Carry the objects of a message together: Flower makes two requests for each tensor and hop, a bundle makes one.

Flower cuts a message into objects (an array, its bytes, a record ...) and pushes or pulls each with a request of its
own, on each of four hops. On one machine the requests cost more than the training. Both ends here know bundles: ids
joined by a comma, contents one after the other, each behind its length. What arrives is what stock Flower would have
brought.
"""

import struct
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from oleander.engines.grpc.fitness import inner

LIMIT = 64 * 2**20
"""Bytes after which a bundle is closed; an object is never cut, so one of any size still fits."""
RETRY_SECONDS, GIVE_UP_SECONDS = 0.02, 60.0
_LENGTH = struct.Struct("<Q")


def pack(contents: Iterable[bytes]) -> bytes:
    """Return the contents as one text of bytes."""
    return b"".join(_LENGTH.pack(len(content)) + content for content in contents)


def unpack(packed: bytes) -> list[bytes]:
    """Return the contents that `pack` put together."""
    contents, at = [], 0
    while at < len(packed):
        (length,) = _LENGTH.unpack_from(packed, at)
        at += _LENGTH.size
        contents.append(packed[at : at + length])
        at += length
    return contents


def push(contents: Iterable[tuple[str, bytes]], push_object_fn: Callable[[str, bytes], None], **_: Any) -> None:
    """Push objects in bundles; has the signature of Flower's `push_object_contents_from_iterable`."""
    bundle: dict[str, bytes] = {}
    size = 0
    for name, content in contents:
        bundle[name] = content
        size += len(content)
        if size > LIMIT:
            push_object_fn(",".join(bundle), pack(bundle.values()))
            bundle, size = {}, 0
    if bundle:
        push_object_fn(",".join(bundle), pack(bundle.values()))


def pull(object_ids: Sequence[str], pull_object_fn: Callable[[str], bytes], **_: Any) -> dict[str, bytes]:
    """Pull objects in bundles; has the signature of Flower's `pull_objects`.

    Raises:
        ObjectPullError: if an object is not known, or is not there after a minute without any other.

    """
    objects = inner("flwr.supercore.inflatable.inflatable_utils")
    found: dict[str, bytes] = {}
    wanted = list(dict.fromkeys(object_ids))
    patience = time.monotonic() + GIVE_UP_SECONDS
    while wanted:
        try:
            contents = unpack(pull_object_fn(",".join(wanted)))
        except objects.ObjectUnavailableError as error:
            if time.monotonic() > patience:
                raise objects.ObjectPullError(wanted[0], "it has not been uploaded") from error
            time.sleep(RETRY_SECONDS)
            continue
        found |= dict(zip(wanted, contents, strict=False))
        wanted = wanted[len(contents) :]
        patience = time.monotonic() + GIVE_UP_SECONDS
    return found


def install() -> None:
    """Teach this process, and those forked from it, both ends of it."""
    objects = inner("flwr.supercore.inflatable.inflatable_utils")
    node_loop = inner("flwr.supernode.start_client_internal")
    state_class = inner("flwr.supercore.corestate.in_memory_corestate").InMemoryCoreState
    store_one, get_one = state_class.store_object, state_class.get_object

    def store_object(state: Any, run_id: int, session_id: str, object_id: str, object_content: bytes) -> bool:
        names = object_id.split(",")
        contents = unpack(object_content)
        return all(
            store_one(state, run_id, session_id, name, content) for name, content in zip(names, contents, strict=True)
        )

    def get_object(state: Any, run_id: int, object_id: str) -> bytes | None:
        contents: list[bytes] = []
        for name in object_id.split(","):
            content = get_one(state, run_id, name)
            if content is None:
                return None
            if not content or sum(map(len, contents)) > LIMIT:
                break
            contents.append(content)
        return pack(contents)

    state_class.store_object, state_class.get_object = store_object, get_object
    for module in (objects, node_loop):
        module.push_object_contents_from_iterable = push
    for module in (objects, node_loop):
        module.pull_objects = pull

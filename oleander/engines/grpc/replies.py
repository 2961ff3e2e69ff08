"""Take replies from the SuperLink so that a malformed one costs its client the round, and nobody else anything.

Stock Flower puts a reply together from its objects with what its sender wrote in them: what does not fit raises an
error that ends the run, an array may name the same bytes a thousand times, a reply another node as its sender.
Here the first becomes an error reply, the second is refused, and who sent what in answer to which message is taken from
the SuperLink, which has checked it.
"""

import json
from collections.abc import Mapping
from typing import Any

from oleander.engines.grpc import bundles
from oleander.engines.grpc.fitness import inner

SLACK = 64 * 2**20
"""Bytes by which a reply may grow when it is put together: equal parts of a large array are sent once."""


def install() -> None:
    """Teach this process, and those forked from it, to take replies so."""
    inner("flwr.superlink.grid.http_grid").HttpGrid.pull_messages = pull_messages


def pull_messages(grid: Any, message_ids: Any) -> list[Any]:
    """Return the replies to these messages that are there; stands in for Flower's `HttpGrid.pull_messages`."""
    request = inner("flwr.proto.runtime_pb2").PullAppMessagesRequest(message_ids=message_ids)
    answer = grid._runtime_client.PullMessages(request)  # noqa: SLF001 - inner names, hence `inner`
    return [
        _take(grid, inner("flwr.common.serde_utils").metadata_from_proto(head.metadata), tree)
        for head, tree in zip(answer.messages_list, answer.message_object_trees, strict=True)
    ]


def _take(grid: Any, metadata: Any, tree: Any) -> Any:
    """Fetch a reply's objects, and put it together."""
    names, objects = inner("flwr.superlink.grid.http_grid"), inner("flwr.supercore.inflatable.inflatable_utils")
    client, run = grid._runtime_client, metadata.run_id  # noqa: SLF001
    pull_one = names.make_pull_object_fn_protobuf(pull_object_protobuf=client.PullObject, node=grid.node, run_id=run)
    try:
        contents = bundles.pull([one.object_id for one in names.iterate_object_tree(tree)], pull_one)
    except objects.ObjectPullError as error:
        return _failure(metadata, f"Its reply did not arrive: {error}")
    received = names.ConfirmMessageReceivedRequest(node=grid.node, run_id=run, message_object_id=metadata.message_id)
    client.ConfirmMessageReceived(received)
    return read(metadata, contents)


def read(metadata: Any, contents: dict[str, bytes]) -> Any:
    """Put a reply together.

    Args:
        metadata: of the reply, as the SuperLink knows it.
        contents: its objects by their ids; emptied on the way.

    Returns:
        A Flower message, an error in place of what cannot be read.

    """
    objects, messages = inner("flwr.supercore.inflatable.inflatable_utils"), inner("flwr.app.message")
    try:
        _bound(contents)
        said = objects.inflate_object_from_contents(metadata.message_id, contents)
        readable = said.has_error() or isinstance(said.content, messages.RecordDict)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's bytes lead to in Flower
        return _failure(metadata, f"Its reply cannot be read: {error!r}"[:1000])
    if not readable:
        return _failure(metadata, "Its reply cannot be read: it is no message with records or an error")
    if said.has_error():
        return messages.make_message(metadata=metadata, error=said.error)
    return messages.make_message(metadata=metadata, content=said.content)


def _failure(metadata: Any, reason: str) -> Any:
    """Return Flower's own error reply for a message that is not there."""
    names = inner("flwr.superlink.grid.http_grid")
    error = names.Error(code=names.ErrorCode.MESSAGE_UNAVAILABLE, reason=reason)
    return inner("flwr.app.message").make_message(metadata=metadata, error=error)


def _bound(contents: Mapping[str, bytes]) -> None:
    """Refuse a reply whose arrays would take far more memory than has come.

    Raises:
        ValueError: if so, or if an array is made of anything but bytes.

    """
    heads = inner("flwr.supercore.inflatable.inflatable_object")
    kinds = {name: heads.get_object_head_values_from_object_content(content) for name, content in contents.items()}
    size = 0
    for name, (kind, children, _) in kinds.items():
        if kind != "Array":
            continue
        if any(kinds[child][0] != "ArrayChunk" for child in children):
            raise ValueError("an array is made of bytes")
        parts = json.loads(heads.get_object_body(contents[name], inner("flwr.app.message").Array))["arraychunk_ids"]
        size += sum(len(contents[children[part]]) for part in parts)
    came = sum(map(len, contents.values()))
    if size > came + SLACK:
        raise ValueError(f"its arrays would take {size} bytes, of which {came} have come")

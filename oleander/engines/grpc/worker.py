"""A worker: takes one task of one SuperNode, runs the stock `flwr-clientapp` for it, and ends: a fork a message."""

import os
import time
from collections.abc import Callable
from typing import Any

from oleander.engines.grpc.fitness import inner
from oleander.engines.grpc.pipes import Bell
from task.strangers import printable

ACQUIRE_SECONDS = 5.0


def main(address: str, reply: Bell, refused: Callable[[str], None]) -> None:
    """Answer one message.

    Args:
        address: of the SuperNode's Runtime API.
        reply: rung when the reply and the client's new state are with the SuperNode.
        refused: called with the reason if the server takes the node for another participant.

    """
    from client_app.app import Stranger, app  # noqa: PLC0415 - it imports torch

    def known_app(*arguments: Any, **options: Any) -> Any:
        try:
            return app(*arguments, **options)
        except Stranger as error:
            refused(printable(str(error)))  # it quotes the server
            raise

    runtime = inner("flwr.supernode.runtime.run_clientapp")
    push_task_output = runtime.push_task_output

    def push_and_ring(**arguments: Any) -> None:
        push_task_output(**arguments)
        reply.ring()
        os._exit(0)  # all is handed over; stock's leisurely exit would only cost time

    runtime.push_task_output = push_and_ring
    # A host runs its own code, never what came over the network.
    runtime.install_from_fab = lambda *_, **__: None
    runtime.get_load_client_app_fn = lambda *_, **__: lambda *_, **__: known_app
    token = acquire(address, "CLIENT_APP", ACQUIRE_SECONDS)
    runtime.run_clientapp(runtime_api_address=address, token=token, insecure=True)
    os._exit(1)  # it came back without an output


def acquire(address: str, kind: str, seconds: float, authority: bytes | None = None) -> str:
    """Return the token of a task of a kind, waiting for one.

    Args:
        address: of the Runtime API.
        kind: CLIENT_APP or SERVER_APP.
        seconds: to wait.
        authority: certificate that the API is checked against; None for plain text.

    Raises:
        TimeoutError: if there is none in time.

    """
    kinds = [inner("flwr.supercore.constant").TaskType[kind]]
    request = inner("flwr.proto.runtime_pb2").AcquireTaskRequest(supported_task_types=kinds, agentapp_fab_hashes=[])
    interceptor = inner("flwr.supercore.interceptors").RuntimeVersionHttpInterceptor(component_name="SuperExec")
    client = inner("flwr.supercore.runtime").RuntimeHttpClient.from_server_address(
        server_address=address,
        insecure=authority is None,
        root_certificates=authority,
        interceptors=[interceptor],
        retry_invoker=None,
    )
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = client.AcquireTask(request)
        if answer.HasField("task") and answer.token:
            client.close()
            token: str = answer.token
            return token
        time.sleep(0.05)
    raise TimeoutError(f"Expected a task at {address}, got none in {seconds} s.")

"""Whether the installed Flower has the inner names that the warm fleet builds on."""

import importlib
from typing import Any

from oleander.engines.fitness import unfit

# module: attributes that are called or replaced
NAMES = {
    "flwr.superlink.cli": ("flower_superlink",),
    "flwr.supernode.cli": ("flower_supernode",),
    "flwr.supernode.start_client_internal": (
        *("_push_messages", "pull_objects", "push_object_contents_from_iterable", "time"),
    ),
    "flwr.supernode.nodestate.in_memory_nodestate": ("InMemoryNodeState", "CLIENT_APP_CRASHED_ERROR"),
    "flwr.supernode.runtime.run_clientapp": (
        *("run_clientapp", "push_task_output", "install_from_fab", "get_load_client_app_fn"),
    ),
    "flwr.superlink.runtime.run_serverapp": ("run_serverapp", "run_"),
    "flwr.superlink.grid.http_grid": (
        *("HttpGrid.pull_messages", "HttpGrid._runtime_client", "time", "make_pull_object_fn_protobuf"),
        *("iterate_object_tree", "ConfirmMessageReceivedRequest", "Error", "ErrorCode.MESSAGE_UNAVAILABLE"),
    ),
    "flwr.supercore.inflatable.inflatable_utils": (
        *("push_object_contents_from_iterable", "pull_objects", "inflate_object_from_contents"),
        *("ObjectPullError", "ObjectUnavailableError"),
    ),
    "flwr.supercore.inflatable.inflatable_object": (
        *("get_object_head_values_from_object_content", "get_object_body"),
    ),
    "flwr.app.message": ("Array", "Message", "RecordDict", "make_message"),
    "flwr.common.serde_utils": ("metadata_from_proto",),
    "flwr.supercore.corestate.in_memory_corestate": ("InMemoryCoreState",),
    "flwr.server.superlink.linkstate.in_memory_linkstate": (
        *("InMemoryLinkState.get_message_ins", "InMemoryLinkState.create_node", "InMemoryLinkState.activate_node"),
        *("InMemoryLinkState.get_message_res", "InMemoryLinkState.deactivate_node"),
    ),
    "flwr.client.grpc_rere_client.connection": ("generate_key_pairs", "wrap_stub"),
    "flwr.client.grpc_rere_client.node_auth_client_interceptor": ("NodeAuthClientInterceptor.intercept_unary_unary",),
    "flwr.server.superlink.fleet.grpc_rere.node_auth_server_interceptor": (
        "NodeAuthServerInterceptor._wrap_method_handler",
    ),
    "flwr.supercore.grpc": ("create_channel",),
    "flwr.supercore.runtime": ("RuntimeHttpClient",),
    "flwr.supercore.interceptors": ("RuntimeVersionClientInterceptor", "RuntimeVersionHttpInterceptor"),
    "flwr.supercore.primitives.asymmetric": ("generate_key_pairs",),
    "flwr.proto.runtime_pb2": ("AcquireTaskRequest", "PullAppMessagesRequest"),
    "flwr.proto.fleet_pb2": ("DeactivateNodeRequest",),
    "flwr.proto.fleet_pb2_grpc": ("FleetStub",),
    "flwr.supercore.constant": ("TaskType",),
    "flwr.supercore.error": (
        *("FlowerError.from_json", "ApiErrorCode.FLEET_NODE_ACTIVATION_FAILED"),
        *("ApiErrorCode.PUBLIC_KEY_ALREADY_IN_USE", "ApiErrorCode.RUNTIME_VERSION_INCOMPATIBLE"),
    ),
    "flwr.common.constant": ("NOOP_FLWR_AID", "NOOP_ACCOUNT_NAME"),
    "flwr.cli.run": ("run",),
}


def inner(name: str) -> Any:
    """Return one of Flower's inner modules; only those in the table, so that `check` has looked at it."""
    if name not in NAMES:
        raise LookupError(f"Expected a module that is checked at the start, got {name}. Add it to NAMES.")
    return importlib.import_module(name)


def check() -> str:
    """Return why the warm fleet cannot be used; empty where it can."""
    return unfit(NAMES, "the warm fleet")

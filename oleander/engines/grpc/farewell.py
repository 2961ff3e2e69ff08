"""Tell the SuperLink that a node is gone: whoever waits for it gets an error at once, not after missing heartbeats."""

from oleander.engines.grpc import gate
from oleander.engines.grpc.fitness import inner
from oleander.engines.grpc.nodes import Client
from oleander.engines.grpc.pipes import Bell
from oleander.engines.grpc.plan import Plan

TIMEOUT_SECONDS = 5.0


def main(plan: Plan, client: Client, sent: Bell) -> None:
    """Take a node offline in its own name.

    It stays registered, so that a message which is sent to it later is answered at once with an error that names it.

    Args:
        plan: the fleet.
        client: whose SuperNode is dead.
        sent: rung afterwards, since the Grid may be waiting for it.

    """
    gate.introduce(client.process, lambda: None)  # whoever has taken its place stays
    interceptors = [
        inner("flwr.supercore.interceptors").RuntimeVersionClientInterceptor(component_name="SuperNode"),
        inner("flwr.client.grpc_rere_client.node_auth_client_interceptor").NodeAuthClientInterceptor(*client.keys),
    ]
    channel = inner("flwr.supercore.grpc").create_channel(
        server_address=plan.fleet,
        insecure=not plan.ca,
        root_certificates=plan.authority(),
        interceptors=interceptors,
    )
    fleet = inner("flwr.proto.fleet_pb2_grpc").FleetStub(channel)
    request = inner("flwr.proto.fleet_pb2").DeactivateNodeRequest(node_id=client.node_id)
    fleet.DeactivateNode(request, timeout=TIMEOUT_SECONDS)
    sent.ring()

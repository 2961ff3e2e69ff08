"""The stock SuperLink in this process."""

import sys

from oleander.engines.grpc.fitness import inner
from oleander.engines.grpc.plan import Plan
from oleander.engines.ports import HOST


def arguments(plan: Plan, isolation: str) -> list[str]:
    """Return the command line of `flower-superlink`."""
    return [
        "flower-superlink",
        "--insecure",
        *("--host", HOST, "--port", str(plan.control)),
        *("--fleet-api-type", "grpc-rere", "--fleet-api-address", plan.fleet_address),
        *("--isolation", isolation, "--disable-runtime-dependency-installation"),
    ]


def main(plan: Plan) -> None:
    """Serve until this process is ended."""
    sys.argv = arguments(plan, "process")
    inner("flwr.superlink.cli").flower_superlink()

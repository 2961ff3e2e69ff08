"""The stock SuperLink in this process."""

import logging
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
    # Each message takes several requests: the log is for those that failed.
    logging.getLogger("uvicorn.access").addFilter(_failed)
    inner("flwr.superlink.cli").flower_superlink()


def _failed(record: logging.LogRecord) -> bool:
    """Return whether a line of uvicorn's access log, whose last argument is the HTTP status, is of a failed request."""
    status = record.args[-1] if isinstance(record.args, tuple) and record.args else None
    return not isinstance(status, int) or status >= 400  # noqa: PLR2004 - HTTP

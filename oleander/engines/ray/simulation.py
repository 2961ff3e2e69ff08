"""The simulation's program: Flower's Simulation Runtime on Ray, quickened where this Flower allows it.

Run as `python -m oleander.engines.ray.simulation PLAN`.
"""

import contextlib
import json
import os
import select
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from oleander.engines.fitness import missing, unfit
from oleander.engines.lifeline import Lifeline
from oleander.engines.logs import why
from oleander.engines.processes import die_with_parent
from oleander.engines.ray import LOG

POLL_SECONDS = 0.1
# module: what is called or set below, none of it promised by Flower
NAMES = {
    "flwr.common.config": ("get_fused_config_from_dir",),
    "flwr.simulation.run_simulation": ("_run_simulation",),
    "flwr.supercore.constant": ("NOOP_FEDERATION_ID",),
    "flwr.supercore.run": ("Run.create_empty",),
    "flwr.supercore.task_identity": ("TaskIdentity",),
    "flwr.supercore.telemetry": ("EventType.PYTHON_API_RUN_SIMULATION_LEAVE",),
}
INNER = {  # of `oleander.engines.ray.quickening`
    "flwr.server.superlink.fleet.vce.vce_api": ("add_messages_to_queue", "worker", "ThreadPoolExecutor"),
    "flwr.server.superlink.fleet.vce.backend.raybackend": ("RayBackend",),
    "flwr.simulation.ray_transport.ray_actor": ("pool_size_from_resources",),
    "flwr.compat.client.run_info_store": ("get_fused_config_from_dir",),
    "flwr.clientapp.client_app": ("ClientAppException",),
    "flwr.common.constant": ("ErrorCode",),
    "flwr.app.error": ("Error",),
    "flwr.supercore.date": ("now",),
    "flwr.supercore": ("log",),
}
REMEDY = "Install the Flower that this is tested with (pip install 'flwr[simulation]==1.39.*'), or use --engine grpc."


def simulate(plan: dict[str, Any], scratch: str) -> None:
    """Run the app of a plan; raises what its ServerApp raises.

    Args:
        plan: home, app, roles by client, cpus, gpus, stock, patience.
        scratch: folder for Ray's own files; its path must be short, since there are sockets in it.

    """
    # Ray takes long to import, and only this program needs it.
    from flwr.app import Context, RecordDict  # noqa: PLC0415
    from flwr.common.config import get_fused_config_from_dir  # noqa: PLC0415
    from flwr.simulation.run_simulation import _run_simulation  # noqa: PLC0415
    from flwr.supercore.constant import NOOP_FEDERATION_ID  # noqa: PLC0415
    from flwr.supercore.run import Run  # noqa: PLC0415
    from flwr.supercore.task_identity import TaskIdentity  # noqa: PLC0415
    from flwr.supercore.telemetry import EventType  # noqa: PLC0415

    from oleander.engines.app import COMPONENTS  # noqa: PLC0415

    if not plan["stock"]:
        from oleander.engines.ray.quickening import install  # noqa: PLC0415

        install(plan["patience"])
    app = Path(plan["app"])
    sys.path.insert(0, str(app))
    run = Run.create_empty(run_id=1)
    run.primary_task_id, run.federation_id = 1, NOOP_FEDERATION_ID
    TaskIdentity.task_id, TaskIdentity.run_id, TaskIdentity.node_id = 1, 1, 1
    config = get_fused_config_from_dir(app, {})
    context = Context(run_id=1, node_id=0, node_config={}, state=RecordDict(), run_config=config)
    gpus, cpus = plan["gpus"], plan["cpus"]
    own = {"address": "local", "num_cpus": cpus, "num_gpus": gpus, "_temp_dir": scratch}
    cluster = {} if "RAY_ADDRESS" in os.environ else own  # Ray reads that itself
    _run_simulation(
        num_supernodes=len(plan["roles"]),
        exit_event=EventType.PYTHON_API_RUN_SIMULATION_LEAVE,
        client_app_attr=COMPONENTS["clientapp"],
        server_app_attr=COMPONENTS["serverapp"],
        server_app_context=context,
        app_dir=str(app),
        is_app=True,
        run=run,
        backend_config={
            "init_args": {"log_to_driver": True, **cluster},
            "client_resources": {"num_cpus": 1, "num_gpus": min(1.0, gpus / cpus)},
        },
    )


def drive(plan: dict[str, Any], scratch: str, lifeline: Lifeline) -> None:
    """Simulate, say why if it fails, and leave this process."""
    code = 1
    lacking = missing(NAMES)
    if lacking:
        lifeline.tell("failed", reason=f"Flower's simulation cannot be used: {lacking} {REMEDY}")
        os._exit(code)
    try:
        strange = "" if plan["stock"] else unfit(INNER, "the quickened simulation")
        if strange:
            lifeline.tell("unsupported", reason=strange)
            return
        simulate(plan, scratch)
        code = 0
    except Exception as error:  # noqa: BLE001 - the last frame of a process: the log gets all of it
        with contextlib.suppress(OSError):  # a full disk takes no log
            traceback.print_exc()
            sys.stderr.flush()  # before it is told: who hears of it reads the log at once
        lifeline.tell("failed", reason=why(error), log=LOG)
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(code)


def main(path: str) -> None:
    """Run a plan to its end."""
    plan = json.loads(Path(path).read_text(encoding="utf-8"))
    lifeline = Lifeline(plan["home"])
    for client, role in enumerate(plan["roles"]):
        lifeline.tell("node", client=client, node_id=None, role=role, pid=None)
    scratch = tempfile.mkdtemp(prefix="oleander-")
    lifeline.folders.append(scratch)
    parent = os.getpid()
    driver = os.fork()
    if not driver:
        # Ray ends its driver at once when its other processes are gone, so that this one must tidy up.
        die_with_parent(parent)
        drive(plan, scratch, lifeline)
    ended = 0
    while not ended:
        if select.select([lifeline.descriptor], [], [], POLL_SECONDS)[0]:
            lifeline.end(1)
        ended, status = os.waitpid(driver, os.WNOHANG)
    code = os.waitstatus_to_exitcode(status)
    lifeline.end(code if code >= 0 else 128 - code)  # ended by a signal: its number as shells give it


if __name__ == "__main__":
    main(sys.argv[1])

"""The simulation's program: Flower's stock Simulation Runtime on Ray.

Run as `python -m oleander.engines.ray.simulation PLAN`.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from oleander.engines.lifeline import Lifeline


def simulate(plan: dict[str, Any], scratch: str) -> None:
    """Run the app of a plan; raises what its ServerApp raises.

    Args:
        plan: home, app, roles by client, cpus, gpus.
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

    app = Path(plan["app"])
    sys.path.insert(0, str(app))
    run = Run.create_empty(run_id=1)
    run.primary_task_id, run.federation_id = 1, NOOP_FEDERATION_ID
    TaskIdentity.task_id, TaskIdentity.run_id, TaskIdentity.node_id = 1, 1, 1
    config = get_fused_config_from_dir(app, {})
    context = Context(run_id=1, node_id=0, node_config={}, state=RecordDict(), run_config=config)
    gpus, cpus = plan["gpus"], plan["cpus"]
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
            "init_args": {"num_cpus": cpus, "num_gpus": gpus, "log_to_driver": True, "_temp_dir": scratch},
            "client_resources": {"num_cpus": 1, "num_gpus": min(1.0, gpus / cpus)},
        },
    )


def main(path: str) -> None:
    """Run a plan to its end."""
    plan = json.loads(Path(path).read_text(encoding="utf-8"))
    lifeline = Lifeline(plan["home"])
    lifeline.watch()
    for client, role in enumerate(plan["roles"]):
        lifeline.tell("node", client=client, node_id=None, role=role, pid=None)
    try:
        scratch = tempfile.mkdtemp(prefix="oleander-")
        lifeline.folders.append(scratch)
        simulate(plan, scratch)
    except Exception as error:
        lifeline.tell("failed", reason=str(error), log="simulation.log")
        raise
    finally:
        lifeline.end(0)


if __name__ == "__main__":
    main(sys.argv[1])

"""What the forked processes share: modules and data that are loaded once, copy-on-write."""

import gc
import importlib

from oleander.engines.grpc import bundles, replies
from oleander.engines.grpc.plan import Plan

MODULES = (
    "torch.optim",
    "torch._dynamo",  # the first optimizer imports it, which takes as long as torch itself
    "torch.nn.functional",
    "flwr.superlink.main",
    "flwr.supernode.main",
    "flwr.serverapp.strategy",
    "flwr.clientapp.mod",
    "numpy.ctypeslib",  # PyTorch's, for what comes from NumPy
    "client_app.app",
    "server_app.app",
)


def everything(plan: Plan) -> None:
    """Import the modules, load the data set, and make what each worker would make.

    Then the garbage collector is kept off the pages that hold them.

    Raises:
        SettingsError: if the data set is missing or broken.

    """
    import httpx  # noqa: PLC0415 - Flower's
    import torch  # noqa: PLC0415 - seconds; only the fleet's program needs it

    from client_app import participant  # noqa: PLC0415
    from oleander.engines import gpus  # noqa: PLC0415
    from task.datasets import load_task  # noqa: PLC0415
    from task.settings import TaskSettings, parse  # noqa: PLC0415

    torch.set_num_threads(1)  # a pool of threads would not survive a fork
    for name in MODULES:
        importlib.import_module(name)
    httpx.Client().close()  # imports what it does its work with
    bundles.install()
    replies.install()
    task, data = parse(TaskSettings, plan.task, "task"), plan.data or None
    load_task(task, data)
    if plan.nodes:
        participant.prepare(task, data, plan.clients, plan.seed, step=not gpus.visible())
    gc.collect()
    gc.freeze()

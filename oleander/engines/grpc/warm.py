"""The warm fleet's program: import torch and Flower once, fork every process from here, and watch over them.

Run as `python -m oleander.engines.grpc.warm PLAN`. This process stays single-threaded, runs no torch operation on a GPU
and opens no gRPC channel, so that what it forks is sound.
"""

import contextlib
import sys
import traceback

from oleander.engines.grpc import LOG, fitness
from oleander.engines.grpc.host import Host
from oleander.engines.grpc.nodes import FleetError
from oleander.engines.grpc.plan import Plan
from oleander.engines.grpc.supervisor import Supervisor
from oleander.engines.lifeline import Lifeline
from task.settings import SettingsError


def main(plan: Plan) -> None:
    """Run a host's part of a fleet to its end."""
    lifeline = Lifeline(plan.home)
    try:
        unfit = fitness.check()
        if unfit:
            lifeline.tell("unsupported", reason=unfit)
            lifeline.end(0)
        from oleander.engines.grpc import preload  # noqa: PLC0415 - it needs what `check` found

        preload.everything(plan)
        (Supervisor(plan, plan.server, lifeline) if plan.server else Host(plan, lifeline)).run()
    except SettingsError as error:
        lifeline.tell("refused", reason=str(error))
    except FleetError as error:
        lifeline.tell("failed", reason=str(error), log=error.log)
    except BaseException:
        with contextlib.suppress(OSError):  # a full disk takes no log
            traceback.print_exc()  # into fleet.log; `end` leaves before Python would print it
        lifeline.tell("failed", reason="The fleet's own program failed.", log=LOG)
        raise
    finally:
        lifeline.end(0)


if __name__ == "__main__":
    main(Plan.load(sys.argv[1]))

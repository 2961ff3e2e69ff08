"""Free TCP ports of this machine."""

import random
import socket
from collections.abc import Iterable

from task.settings import expect

HOST = "127.0.0.1"
# Below the ports that Linux gives to outgoing connections, one of which could otherwise take a port before we do.
RANGE = range(20000, 32000)


def free_ports(count: int, among: range = RANGE) -> list[int]:
    """Return `count` different ports on which nobody listens.

    Raises:
        SettingsError: if there are not as many.

    """
    found: list[int] = []
    for port in random.SystemRandom().sample(among, len(among)):
        if len(found) == count:
            break
        with socket.socket() as candidate:  # closed at once: the number of open files is limited
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind((HOST, port))
            except OSError:
                continue
        found.append(port)
    wanted = f"{count} free TCP ports on {HOST} from {among.start} to {among.stop - 1}"
    expect(len(found) == count, wanted, f"{len(found)}", "End what listens there, or use --engine ray.")
    return found


def listening(ports: Iterable[int]) -> bool:
    """Return whether somebody takes connections on every one of the ports."""
    for port in ports:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)):
                return False
    return True

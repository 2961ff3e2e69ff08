"""Free TCP ports of this machine."""

import ipaddress
import random
import socket
from collections.abc import Iterable

from task.settings import SettingsError, expect

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


def check_free(address: str) -> None:
    """Refuse an address that this host cannot listen on.

    Raises:
        SettingsError: if it is not this host's, or taken.

    """
    host, port = split(address)
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
        taken = listening([address])  # by a socket that shares its port, as gRPC's do
    except OSError as error:
        wanted = f"an address of this host that is free, got {address} ({error.strerror})"
        raise SettingsError(f"Expected {wanted}. 0.0.0.0 stands for all addresses of this host.") from error
    expect(not taken, "an address where nobody listens", address, "End what has it, or take another port.")


def listening(addresses: Iterable[str]) -> bool:
    """Return whether somebody takes connections at every one of the addresses."""
    for address in addresses:
        try:
            socket.create_connection(split(address), timeout=1).close()
        except OSError:
            return False
    return True


def split(address: str) -> tuple[str, int]:
    """Return host and port of HOST:PORT; an IPv6 address stands in brackets.

    Raises:
        SettingsError: where it is neither.

    """
    host, _, port = address.rpartition(":")
    fits = bool(host) and port.isascii() and port.isdigit() and 0 < int(port) < 65536  # noqa: PLR2004 - TCP
    fits = fits and (":" not in host or (host[0] == "[" and host[-1] == "]"))
    expect(fits, "an address HOST:PORT, such as 192.0.2.1:9092 or [2001:db8::1]:9092", address)
    return host.strip("[]"), int(port)


def is_everywhere(host: str) -> bool:
    """Return whether a host stands for all addresses of this one: to listen on, and not to be reached by."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False

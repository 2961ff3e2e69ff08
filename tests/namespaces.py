"""Hosts of a small network of their own: network namespaces, joined by virtual cables to a bridge. Needs root."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest

NEEDS_NAMESPACES = "needs root, network namespaces and the commands ip and tc"


class Network:
    """Hosts 192.0.2.1, 192.0.2.2 and so on, by number from 1."""

    def __init__(self) -> None:
        """Name the hosts after this process, so that they are nobody else's; nothing is made yet."""
        self._made: list[str] = []
        self._prefix = f"olea{os.getpid()}"
        self._switch = f"{self._prefix}-switch"

    def open(self, hosts: int) -> None:
        """Make the hosts and their cables."""
        self._add(self._switch)
        self._ip(self._switch, "link", "add", "bridge", "type", "bridge")
        self._ip(self._switch, "link", "set", "bridge", "up")
        for number in range(1, hosts + 1):
            host = f"{self._prefix}-{number}"
            self._add(host)
            cable = ("link", "add", f"port{number}", "type", "veth", "peer", "name", "eth0", "netns", host)
            self._ip(self._switch, *cable)
            self._ip(self._switch, "link", "set", f"port{number}", "master", "bridge", "up")
            self._ip(host, "address", "add", f"{self.address(number)}/24", "dev", "eth0")
            self._ip(host, "link", "set", "eth0", "up")

    def address(self, number: int) -> str:
        """Return a host's address (from those for documentation, RFC 5737)."""
        return f"192.0.2.{number}"

    def on(self, number: int, *command: str) -> list[str]:
        """Return the command that runs a command on a host."""
        return ["ip", "netns", "exec", f"{self._prefix}-{number}", *command]

    def shape(self, number: int, *settings: str) -> None:
        """Let a host's cable delay or lose packets, in both directions."""
        for place, device in ((self._switch, f"port{number}"), (f"{self._prefix}-{number}", "eth0")):
            netem = ("tc", "-n", place, "qdisc", "replace", "dev", device, "root", "netem", *settings)
            subprocess.run(netem, check=True, capture_output=True)

    @contextlib.contextmanager
    def cut(self, number: int) -> Iterator[None]:
        """Cut a host's cable, and mend it afterwards."""
        self._ip(self._switch, "link", "set", f"port{number}", "down")
        try:
            yield
        finally:
            self._ip(self._switch, "link", "set", f"port{number}", "up")

    def close(self) -> None:
        """End what still runs on the hosts, and take them down."""
        for name in reversed(self._made):
            listed = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False)
            for pid in listed.stdout.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)

    def _add(self, host: str) -> None:
        """Make a host without a cable."""
        subprocess.run(["ip", "netns", "add", host], check=True, capture_output=True)
        self._made.append(host)
        self._ip(host, "link", "set", "lo", "up")

    @staticmethod
    def _ip(host: str, *settings: str) -> None:
        """Change a host's network."""
        subprocess.run(["ip", "-n", host, *settings], check=True, capture_output=True)


@contextlib.contextmanager
def network(hosts: int) -> Iterator[Network]:
    """Give a network for a test, which is skipped where there can be none."""
    if os.geteuid() or not shutil.which("ip") or not shutil.which("tc"):
        pytest.skip(NEEDS_NAMESPACES)
    made = Network()
    try:
        made.open(hosts)
        made.shape(1, "delay", "0ms")
    except subprocess.CalledProcessError as error:
        made.close()
        pytest.skip(f"{NEEDS_NAMESPACES} ({error.cmd[0]}: {error.stderr.decode().strip()})")
    try:
        yield made
    finally:
        made.close()

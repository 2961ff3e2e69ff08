"""Hosts of a small network of their own: network namespaces, joined by virtual cables to a bridge. Needs root."""

import collections
import contextlib
import fcntl
import os
import random
import select
import shutil
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

NEEDS_NAMESPACES = "needs root, network namespaces and the commands ip and tc"


class Network:
    """Hosts 192.0.2.1, 192.0.2.2 and so on, by number from 1; likewise 2001:db8::1 and so on."""

    def __init__(self) -> None:
        """Name the hosts after this process, so that they are nobody else's; nothing is made yet."""
        self._made: list[str] = []
        self._cables: list[SlowCable] = []
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
            self._give_address(number)

    def address(self, number: int) -> str:
        """Return a host's address (from those for documentation, RFC 5737)."""
        return f"192.0.2.{number}"

    def long_address(self, number: int) -> str:
        """Return a host's address of IPv6 (likewise, RFC 3849)."""
        return f"2001:db8::{number:x}"

    def on(self, number: int, *command: str) -> list[str]:
        """Return the command that runs a command on a host."""
        return ["ip", "netns", "exec", f"{self._prefix}-{number}", *command]

    def slow(self, number: int, milliseconds: int, loss: float) -> None:
        """Let a host's cable delay and lose packets, both ways: by netem, or by ours where the kernel has none."""
        host, port = f"{self._prefix}-{number}", f"port{number}"
        netem = ("root", "netem", "delay", f"{milliseconds}ms", "loss", f"{loss}%")
        for place, device in ((self._switch, port), (host, "eth0")):
            tried = subprocess.run(["tc", "-n", place, "qdisc", "add", "dev", device, *netem], check=False)
            if tried.returncode:
                break
        else:
            return
        self._ip(self._switch, "link", "delete", port)  # and with it its other end
        cable = SlowCable(f"{self._prefix}a", f"{self._prefix}b", seconds=milliseconds / 1000, loss=loss / 100)
        self._cables.append(cable)
        self._ip_here("link", "set", cable.names[0], "netns", self._switch, "name", port)
        self._ip(self._switch, "link", "set", port, "master", "bridge", "up")
        self._ip_here("link", "set", cable.names[1], "netns", host, "name", "eth0")
        self._give_address(number)

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
        for cable in self._cables:
            cable.close()
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

    def _give_address(self, number: int) -> None:
        """Put a host's end of its cable to use."""
        host = f"{self._prefix}-{number}"
        self._ip(host, "address", "add", f"{self.address(number)}/24", "dev", "eth0")
        with contextlib.suppress(subprocess.CalledProcessError):  # a kernel without IPv6
            self._ip(host, "address", "add", f"{self.long_address(number)}/64", "dev", "eth0", "nodad")
        self._ip(host, "link", "set", "eth0", "up")

    def _ip(self, host: str, *settings: str) -> None:
        """Change a host's network."""
        self._ip_here("-n", host, *settings)

    @staticmethod
    def _ip_here(*settings: str) -> None:
        """Change a network."""
        subprocess.run(["ip", *settings], check=True, capture_output=True)


class SlowCable:
    """A cable between two network devices that delays packets and loses some, as a seed has it.

    Args:
        names: of the devices, which are made here and in the namespace of this process.
        seconds: of delay, each way.
        loss: share of the packets that are lost.

    """

    def __init__(self, *names: str, seconds: float, loss: float) -> None:
        """Make the devices, and a thread that carries packets."""
        self.names, self._seconds, self._loss = names, seconds, loss
        self._ends = [self._device(name) for name in names]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop carrying, and give the devices up."""
        self._stop.set()
        self._thread.join()
        for end in self._ends:
            os.close(end)

    @staticmethod
    def _device(name: str) -> int:
        """Make a device whose packets this process reads and writes."""
        end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(end, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x1002))  # TUNSETIFF: IFF_TAP, IFF_NO_PI
        return end

    def _carry(self) -> None:
        """Carry packets until it is time to stop; they arrive in order, since all are delayed alike."""
        draws, waiting = random.Random(0), collections.deque[tuple[float, int, bytes]]()
        while not self._stop.is_set():
            due = waiting[0][0] - time.monotonic() if waiting else 0.1
            for end in select.select(self._ends, [], [], max(0.0, min(0.1, due)))[0]:
                with contextlib.suppress(OSError):  # not up yet, or taken down
                    packet = os.read(end, 65536)
                    if draws.random() >= self._loss:
                        other = self._ends[end == self._ends[0]]
                        waiting.append((time.monotonic() + self._seconds, other, packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _, end, packet = waiting.popleft()
                with contextlib.suppress(OSError):
                    os.write(end, packet)


@contextlib.contextmanager
def network(hosts: int) -> Iterator[Network]:
    """Give a network for a test, which is skipped where there can be none."""
    if os.geteuid() or not shutil.which("ip") or not shutil.which("tc"):
        pytest.skip(NEEDS_NAMESPACES)
    made = Network()
    try:
        made.open(hosts)
    except subprocess.CalledProcessError as error:
        made.close()
        pytest.skip(f"{NEEDS_NAMESPACES} ({error.cmd[0]}: {error.stderr.decode().strip()})")
    try:
        yield made
    finally:
        made.close()

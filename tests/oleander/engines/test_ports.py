"""Free ports."""

import resource
import socket

import pytest

from oleander.engines.ports import HOST, free_ports, listening, split
from task.settings import SettingsError


def test_ports_are_different_and_free() -> None:
    """Every port that is returned can be bound, all at the same time."""
    ports = free_ports(20)
    assert len(set(ports)) == 20
    sockets = [socket.create_server((HOST, port)) for port in ports]
    assert listening(f"{HOST}:{port}" for port in ports)
    for one in sockets:
        one.close()
    assert not listening(f"{HOST}:{port}" for port in ports)


def test_a_taken_port_is_not_handed_out_and_too_few_are_refused_with_a_remedy() -> None:
    """Of two ports with one taken, the other is found; two cannot be."""
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        around = range(port - 1, port + 1)
        assert port not in free_ports(1, range(port - 40, port + 1))
        with pytest.raises(SettingsError, match=r"Expected 3 free TCP ports on 127\.0\.0\.1 .*--engine ray"):
            free_ports(3, around)


def test_more_ports_are_found_than_files_may_be_open() -> None:
    """With at most 128 open files, 200 ports are found."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    try:
        assert len(set(free_ports(200))) == 200
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_an_address_is_a_host_and_a_port() -> None:
    """An IPv6 address stands in brackets, so that its last colon is the port's."""
    assert split("fleet.example:9092") == ("fleet.example", 9092)
    assert split("[2001:db8::1]:9092") == ("2001:db8::1", 9092)
    for wrong in (
        "fleet.example",
        ":9092",
        "fleet.example:",
        "fleet.example:0",
        "fleet.example:65536",
        "2001:db8::1:9",
    ):
        with pytest.raises(SettingsError, match="an address HOST:PORT"):
            split(wrong)

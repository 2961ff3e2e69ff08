"""`oleander deploy`: what is refused before anything is started, as a user sees it."""

import socket
from pathlib import Path

import pytest

from oleander.cli import main
from oleander.engines.ports import HOST, free_ports

CLIENT = ("deploy", "client", "0", "gan-attack-digits")
SERVER = ("deploy", "server", "gan-attack-digits")


def refused(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command, which has to exit with 2, and return what it says."""
    assert main(list(arguments)) == 2
    return " ".join(capfd.readouterr().err.split())


def test_certificates_are_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where nothing is said in ./certificates, and a second time not at all."""
    monkeypatch.chdir(tmp_path)
    arguments = ["deploy", "certificates", "--server", "192.0.2.1, fleet.example", "--clients", "1"]
    assert main(arguments) == 0
    assert "Copy certificates/server to the server's host" in capfd.readouterr().out
    before = (tmp_path / "certificates" / "client-0" / "client.key").read_bytes()
    assert "Nothing is overwritten" in refused(capfd, *arguments)
    assert (tmp_path / "certificates" / "client-0" / "client.key").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*CLIENT, "--server", "192.0.2.1:9092"), "certificates for 192.0.2.1, which is no loopback address"),
        ((*SERVER, "--address", "0.0.0.0:9092"), "certificates for 0.0.0.0, which is no loopback address"),
        ((*CLIENT, "--server", "0.0.0.0:9092"), "an address of one host in --server, got '0.0.0.0:9092'"),
        ((*CLIENT, "--server", "[::]:9092", "--insecure"), "an address of one host in --server"),
        ((*CLIENT, "--server", "192.0.2.1"), "an address HOST:PORT"),
        ((*CLIENT, "--server", "::1:9092"), "an address HOST:PORT"),
        ((*CLIENT, "--server", "h:1", "--insecure", "--certificates", "x"), "--insecure or --certificates"),
        (("deploy", "client", "7", "gan-attack-digits", "--server", "h:1"), "a participant from 0 to 5"),
        (("deploy", "client", "0,0", "gan-attack-digits", "--server", "h:1"), "a participant from 0 to 5"),
        ((*CLIENT, "--server", f"{HOST}:1", "--device", "cuda:9"), "a GPU of this host"),
        ((*CLIENT, "--server", f"{HOST}:1", "--device", "tpu"), "--device auto, cpu or cuda:N"),
        ((*SERVER, "--address", "192.0.2.1:9092", "--insecure"), "an address of this host that is free"),
    ],
)
def test_a_wrong_request_exits_with_2(
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """With what was expected, and nothing is left behind."""
    monkeypatch.chdir(tmp_path)
    assert said in refused(capfd, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_certificates_is_asked_for_what_it_lacks(issued: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The keys of six participants, where it was made for two; the server's name, and a participant's folder."""
    folder = ("--certificates", str(issued))
    assert "client-2.pub" in refused(capfd, *SERVER, "--address", f"{HOST}:9092", *folder)
    assert "to be for 192.0.2.1" in refused(capfd, *SERVER, "--address", "192.0.2.1:9092", *folder)
    said = refused(capfd, "deploy", "client", "5", "gan-attack-digits", "--server", f"{HOST}:1", *folder)
    assert "client-5/ca.crt" in said


def test_an_address_that_is_taken_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    """Before anybody waits for participants there."""
    with socket.create_server((HOST, free_ports(1)[0])) as taken:
        said = refused(capfd, *SERVER, "--address", f"{HOST}:{taken.getsockname()[1]}")
    assert "an address of this host that is free" in said


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("0.0.0.0:{port}", "--insecure"), "HOST:{port} --insecure"),
        (("0.0.0.0:{port}", "--certificates", "{folder}"), "fleet.example:{port} --certificates {folder}"),
        (("127.0.0.1:{port}",), "127.0.0.1:{port}"),
    ],
)
def test_the_line_for_the_clients_is_the_one_to_type(
    options: tuple[str, ...], line: str, issued: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not where the server listens but where it is found, with what everybody has to be told alike."""
    known = {"port": free_ports(1)[0], "folder": issued}
    arguments = [*SERVER, "--address", *(text.format(**known) for text in options)]
    arguments += ["--set", "federation.clients=2", "--set", "clients.0.ids=[1]"]
    (tmp_path / "taken").write_text("")
    assert main([*arguments, "--out", str(tmp_path)]) == 2  # by then it has said it
    wanted = f"{line.format(**known)} --set federation.clients=2 --set 'clients.0.ids=[1]'\n"
    said = capfd.readouterr().out
    assert f"Clients 0 to 1 join with: oleander deploy client N gan-attack-digits --server {wanted}" in said

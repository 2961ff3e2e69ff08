"""A host's certificates are looked at before anything is started."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from oleander.deploy.certificates import of_client, of_server
from oleander.deploy.issuing import issue
from task.settings import SettingsError


def test_fitting_files_are_found(issued: Path) -> None:
    """The server's with each participant's public key, and a participant's own; 0.0.0.0 need not be named."""
    for host in ("127.0.0.1", "fleet.example", "0.0.0.0", "::"):  # noqa: S104 - nobody listens
        security = of_server(issued, host, clients=2)
    assert Path(security.certificate) == issued / "server" / "server.crt"
    assert set(security.nodes) == {0, 1}
    assert all(key.startswith("-----BEGIN PUBLIC KEY-----") for key in security.nodes.values())
    assert of_client(issued, 1) == (issued / "client-1" / "ca.crt", issued / "client-1" / "client.key")


def test_an_expired_certificate_is_refused(resign: Callable[..., Path]) -> None:
    """The server's own, and a participant's copy of the authority's, with the time and the remedy."""
    folder = resign(minutes=-5)
    with pytest.raises(SettingsError, match=r"holds now .*server\.crt, which holds from .* to .*`oleander deploy"):
        of_server(folder, "127.0.0.1", clients=2)
    assert of_client(folder, 0)
    folder = resign(authority_minutes=-5)
    with pytest.raises(SettingsError, match=r"holds now .*client-0/ca\.crt"):
        of_client(folder, 0)


def test_a_certificate_of_another_authority_is_refused(certificates: Path, tmp_path: Path) -> None:
    """A folder put together from two calls of the command."""
    issue(tmp_path / "other", ["127.0.0.1"], clients=1, days=1)
    shutil.copy(tmp_path / "other" / "server" / "ca.crt", certificates / "server" / "ca.crt")
    with pytest.raises(SettingsError, match=r"the authority in .*ca\.crt has signed, got .*, of another one"):
        of_server(certificates, "127.0.0.1", clients=2)


def test_a_certificate_for_another_address_is_refused(issued: Path, resign: Callable[..., Path]) -> None:
    """The one that the server is to listen on, and loopback, which its own processes use."""
    with pytest.raises(
        SettingsError, match=r"for 192\.0\.2\.9, .*got 'one for fleet\.example, localhost, 127\.0\.0\.1"
    ):
        of_server(issued, "192.0.2.9", clients=2)
    with pytest.raises(SettingsError, match=r"for 127\.0\.0\.1, .*got 'one for 192\.0\.2\.1'"):
        of_server(resign(address="192.0.2.1"), "192.0.2.1", clients=2)


def test_names_and_addresses_are_compared_as_such(resign: Callable[..., Path]) -> None:
    """However they are spelled; a wildcard stands for one part of a name."""
    folder = resign(address="2001:db8::1", names=("Fleet.example", "*.wild.example"))
    for host in ("2001:DB8::1", "2001:db8:0::0001", "fleet.example", "FLEET.example", "a.wild.example"):
        assert of_server(folder, host, clients=2)
    for host in ("wild.example", "a.b.wild.example", "a.fleet.example", "2001:db8::2"):
        with pytest.raises(SettingsError, match=f"to be for {host}"):
            of_server(folder, host, clients=2)


def test_a_key_of_another_certificate_is_refused(certificates: Path, tmp_path: Path) -> None:
    """It would fail in every handshake."""
    issue(tmp_path / "other", ["127.0.0.1"], clients=1, days=1)
    shutil.copy(tmp_path / "other" / "server" / "server.key", certificates / "server" / "server.key")
    with pytest.raises(SettingsError, match=r"the key of .*server\.crt"):
        of_server(certificates, "127.0.0.1", clients=2)


@pytest.mark.parametrize(("path", "clients"), [("server/server.key", 2), ("server/nodes/client-1.pub", 2)])
def test_missing_and_broken_files_are_refused(certificates: Path, path: str, clients: int) -> None:
    """By name, with the remedy."""
    (certificates / path).write_bytes(b"-----BEGIN NOTHING-----\n\xff")
    with pytest.raises(SettingsError, match=f"got a broken .*{path}"):
        of_server(certificates, "127.0.0.1", clients)
    (certificates / path).unlink()
    with pytest.raises(SettingsError, match=f"readable .*{path}.*oleander deploy certificates"):
        of_server(certificates, "127.0.0.1", clients)


def test_more_participants_than_keys_are_refused(issued: Path) -> None:
    """The scenario has three, the certificates were made for two."""
    with pytest.raises(SettingsError, match=r"client-2\.pub"):
        of_server(issued, "127.0.0.1", clients=3)


def test_a_participants_key_has_to_be_one(certificates: Path) -> None:
    """A server's key is in another form."""
    shutil.copy(certificates / "server" / "server.key", certificates / "client-0" / "client.key")
    with pytest.raises(SettingsError, match=r"client-0/client\.key"):
        of_client(certificates, 0)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_key_that_others_may_use_is_refused(certificates: Path, mode: int) -> None:
    """The server's and a participant's, with the remedy; what their owner alone may do with them is the owner's."""
    server, client = certificates / "server" / "server.key", certificates / "client-0" / "client.key"
    server.chmod(mode)
    client.chmod(mode)
    with pytest.raises(SettingsError, match=rf"got 'mode {mode:03o}'\. Say `chmod 600 .*server\.key`"):
        of_server(certificates, "127.0.0.1", clients=2)
    with pytest.raises(SettingsError, match=rf"got 'mode {mode:03o}'\. Say `chmod 600 .*client\.key`"):
        of_client(certificates, 0)
    server.chmod(0o400)
    client.chmod(0o700)
    assert of_server(certificates, "127.0.0.1", clients=2)
    assert of_client(certificates, 0)

"""Certificates and keys of a deployment, as somebody else's tools read them."""

import ipaddress
import re
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_ssh_private_key, load_ssh_public_key
from cryptography.x509 import verification

from oleander.deploy.issuing import issue
from task.settings import SettingsError


def files(folder: Path) -> dict[str, bytes]:
    """Return what a folder holds, by relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_host_gets_what_it_needs_and_private_keys_are_private(issued: Path) -> None:
    """The server its key and everybody's public ones, a participant its own key; 0600 whatever the umask; no CA key."""
    assert set(files(issued)) == {
        *("server/ca.crt", "server/server.crt", "server/server.key"),
        *("server/nodes/client-0.pub", "server/nodes/client-1.pub"),
        *("client-0/ca.crt", "client-0/client.key", "client-1/ca.crt", "client-1/client.key"),
    }
    private = set(issued.rglob("*.key"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    assert stat.S_IMODE(issued.stat().st_mode) == 0o700
    assert {path for path in issued.rglob("*") if path.is_file() and b"PRIVATE" in path.read_bytes()} == private


def test_a_participants_public_key_is_that_of_its_private_key(issued: Path) -> None:
    """On the curve that Flower draws its own keys from, and another one for each participant."""
    public = [load_ssh_public_key((issued / f"server/nodes/client-{client}.pub").read_bytes()) for client in (0, 1)]
    private = [load_ssh_private_key((issued / f"client-{client}/client.key").read_bytes(), None) for client in (0, 1)]
    assert [key.public_key() for key in private] == public
    assert public[0] != public[1]
    assert {key.curve.name for key in public} == {"secp384r1"}  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "fleet.example"])
def test_a_strict_verifier_takes_the_certificate_for_its_names(issued: Path, name: str) -> None:
    """By the rules of RFC 5280, for each name that was asked for and for loopback, and for no other."""
    authority = x509.load_pem_x509_certificate((issued / "client-0" / "ca.crt").read_bytes())
    certificate = x509.load_pem_x509_certificate((issued / "server" / "server.crt").read_bytes())
    builder = verification.PolicyBuilder().store(verification.Store([authority]))
    subject = x509.DNSName(name) if name[0].isalpha() else x509.IPAddress(ipaddress.ip_address(name))
    assert builder.build_server_verifier(subject).verify(certificate, []) == [certificate, authority]
    with pytest.raises(verification.VerificationError):
        builder.build_server_verifier(x509.DNSName("other.example")).verify(certificate, [])


def test_nothing_is_overwritten(certificates: Path) -> None:
    """A folder that holds anything is refused, and stays as it was."""
    before = files(certificates)
    with pytest.raises(SettingsError, match="Nothing is overwritten"):
        issue(certificates, ["127.0.0.1"], clients=2, days=1)
    assert files(certificates) == before


@pytest.mark.parametrize(
    ("names", "clients", "days", "said"),
    [
        ([], 1, 1, "Expected a host name or an address"),
        (["127.0.0.1"], 0, 1, "--clients > 0"),
        (["127.0.0.1"], 1, 0, "--days"),
        (["::"], 1, 1, "an address in --server, got '::, which stands for all'"),
        *(
            ([name], 1, 1, f"host name or an address in --server, got .*{re.escape(name)}.*Give it alone")
            for name in (
                *("a" * 64 + ".example", "192.0.2.1:9092", "http://x", "a b", "[::1]", "-a.example", "a-.example"),
                *("a..example", ".example", "192.0.2", "192.0.2.256", "a.example/b", "*.example", "a" * 63 + ".a" * 96),
            )
        ),
    ],
)
def test_a_wrong_request_is_refused_and_leaves_nothing(
    tmp_path: Path, names: list[str], clients: int, days: int, said: str
) -> None:
    """No name, no participant, no day, a name that is none."""
    with pytest.raises(SettingsError, match=said):
        issue(tmp_path / "new", names, clients, days)
    assert not (tmp_path / "new").exists()


def test_names_are_those_that_a_server_may_have(tmp_path: Path) -> None:
    """In the certificate they stand as DNS has them, in lower case and in ASCII; each is there once."""
    names = ["Fleet.example", "fleet.example", "server_1", "b\u00fccher.example", "2001:DB8::1", "x-1.y2"]
    issue(tmp_path / "new", names, clients=1, days=1)
    certificate = x509.load_pem_x509_certificate((tmp_path / "new" / "server" / "server.crt").read_bytes())
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    known = ["fleet.example", "server_1", "xn--bcher-kva.example", "x-1.y2", "localhost"]
    assert found.get_values_for_type(x509.DNSName) == known
    addresses = [ipaddress.ip_address("2001:db8::1"), ipaddress.ip_address("127.0.0.1")]
    assert found.get_values_for_type(x509.IPAddress) == addresses

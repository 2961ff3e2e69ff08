"""The files of a deployment's certificates and keys, as `issue` lays them out, checked wherever they are used.

The server shows its certificate, which participants check against `ca.crt` (TLS); a participant signs its requests with
its own key, whose public part the server knows (Flower's SuperNode authentication).
"""

import datetime as dt
import ipaddress
import shlex
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
    load_ssh_public_key,
)

from oleander.engines import Security
from oleander.engines.ports import is_everywhere
from task.settings import SettingsError, expect

T = TypeVar("T")
LOOPBACK = ("localhost", "127.0.0.1")
"""In every server's certificate: the ServerApp reaches the SuperLink on its own host."""
AGAIN = "Make new ones with `oleander deploy certificates`, and give every host its folder."


def of_server(folder: Path, host: str, clients: int) -> Security:
    """Return what the server's host needs, checked.

    Args:
        folder: of certificates, with a folder `server` in it.
        host: that the server listens on; one that stands for all addresses (0.0.0.0) need not be in the certificate.
        clients: number of participants.

    Raises:
        SettingsError: for what is missing or broken, and for a certificate that does not hold now, that another
            authority has signed, that has another key or is for other names.

    """
    own = folder / "server"
    ca, path, key_path = own / "ca.crt", own / "server.crt", own / "server.key"
    authority, certificate = _load(ca, x509.load_pem_x509_certificate), _load(path, x509.load_pem_x509_certificate)
    key = _load_private(key_path, load_pem_private_key)
    _check_dates(ca, authority)
    _check_dates(path, certificate)
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature) as error:
        wanted = f"a server certificate that the authority in {ca} has signed"
        raise SettingsError(f"Expected {wanted}, got {path}, of another one. {AGAIN}") from error
    expect(key.public_key() == certificate.public_key(), f"the key of {path}", f"{key_path}, of another", AGAIN)
    known = _names(certificate)
    for name in (LOOPBACK[1], *([] if is_everywhere(host) else [host])):
        expect(
            not _fitting(name).isdisjoint(known),
            f"{path} to be for {name}, where it is used",
            f"one for {', '.join(known)}",
            AGAIN,
        )
    nodes = {client: _public_text(own / "nodes" / f"client-{client}.pub") for client in range(clients)}
    return Security(ca=str(ca.resolve()), certificate=str(path.resolve()), key=str(key_path.resolve()), nodes=nodes)


def reached_by(security: Security) -> list[str]:
    """Return the host names and addresses by which participants may reach a server, from its certificate."""
    known = _names(_load(Path(security.certificate), x509.load_pem_x509_certificate))
    return [name for name in known if name not in LOOPBACK and "*" not in name]


def of_client(folder: Path, client: int) -> tuple[Path, Path]:
    """Return a participant's copy of the authority's certificate, and its private key; errors as `of_server`."""
    own = folder / f"client-{client}"
    ca, path = own / "ca.crt", own / "client.key"
    _check_dates(ca, _load(ca, x509.load_pem_x509_certificate))
    key = _load_private(path, load_ssh_private_key)
    fits = isinstance(key, ec.EllipticCurvePrivateKey)
    expect(fits, f"an elliptic curve key in {path}", type(key).__name__, AGAIN)
    return ca.resolve(), path.resolve()


def _load(path: Path, read: Callable[[bytes], T]) -> T:
    """Read a certificate or a key."""
    try:
        return read(path.read_bytes())
    except OSError as error:
        remedy = "`oleander deploy certificates` makes it; name the folder with --certificates."
        raise SettingsError(f"Expected a readable {path}, got this: {error.strerror}. {remedy}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"Expected a certificate or key as its name says, got a broken {path}. {AGAIN}") from error


def _load_private(path: Path, read: Callable[[bytes, None], T]) -> T:
    """Read a private key, which nobody but its owner may use."""
    key = _load(path, lambda text: read(text, None))
    mode = stat.S_IMODE(path.stat().st_mode)
    wanted = f"a private key in {path} that only its owner may read or write (mode 600)"
    expect(not mode & 0o077, wanted, f"mode {mode:03o}", f"Say `chmod 600 {shlex.quote(str(path))}`.")
    return key


def _public_text(path: Path) -> str:
    """Return a participant's public key in the form in which Flower compares it."""
    key: Any = _load(path, load_ssh_public_key)
    fits = isinstance(key, ec.EllipticCurvePublicKey)
    expect(fits, f"an elliptic curve key in {path}", type(key).__name__, AGAIN)
    text: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode("ascii")


def _check_dates(path: Path, certificate: x509.Certificate) -> None:
    """Refuse a certificate that does not hold now."""
    now = dt.datetime.now(dt.UTC)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    held = f"{path}, which holds from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
    wanted = f"a certificate that holds now ({now:%Y-%m-%d %H:%M} UTC)"
    expect(begin <= now <= end, wanted, held, f"Set this host's clock if it is wrong. {AGAIN}")


def _names(certificate: x509.Certificate) -> list[str]:
    """Return the host names (in lower case; *.b.c is every a.b.c) and addresses that a certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    texts = [name.lower() for name in found.get_values_for_type(x509.DNSName)]
    return [*texts, *(str(address) for address in found.get_values_for_type(x509.IPAddress))]


def _fitting(host: str) -> set[str]:
    """Return the names of which a certificate has one that is for a host."""
    try:
        return {str(ipaddress.ip_address(host))}
    except ValueError:
        name = host.lower()
        return {name, f"*.{name.partition('.')[2]}"}

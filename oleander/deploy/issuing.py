"""Make the certificates and keys of a deployment, in one go.

    DIR/server/     ca.crt, server.crt, server.key, nodes/client-N.pub     for the server's host
    DIR/client-N/   ca.crt, client.key                                     for participant N's host

The key that signs the certificates is forgotten at once: nobody can sign another.
"""

import datetime as dt
import ipaddress
import os
import re
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from oleander.deploy.certificates import LOOPBACK
from task.settings import SettingsError, expect

_SLACK = dt.timedelta(minutes=10)  # between the clocks of two hosts
_LABEL = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$)({_LABEL}\.)*(?!\d+$){_LABEL}")  # what ends in a number is a broken address
_NO_USE = dict.fromkeys(
    (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    ),
    False,
)


def issue(folder: Path, names: Sequence[str], clients: int, days: int) -> None:
    """Make the certificates and keys of a deployment.

    Args:
        folder: where to; made by this.
        names: host names and addresses by which participants reach the server.
        clients: number of participants.
        days: that the certificates hold for.

    Raises:
        SettingsError: if the folder holds anything (nothing is overwritten), for a wrong name, or less than one day or
            participant.

    """
    expect(bool(names), "a host name or an address of the server", "none", "Give it with --server.")
    expect(clients > 0, "--clients > 0", clients)
    expect(0 < days <= 36500, "--days from 1 to 36500", days)  # noqa: PLR2004 - a century
    alternatives = list(dict.fromkeys(_alternative(name) for name in (*names, *LOOPBACK)))
    try:
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
        remedy = "Nothing is overwritten: choose another with --out, or remove it."
        expect(not taken, "a new or empty folder for certificates and keys", str(folder), remedy)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        signing, serving = draw(), draw()
        end = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
        authority = sign_own(signing, end)
        certificate = sign(serving, alternatives, authority, signing, end)
        ca = authority.public_bytes(Encoding.PEM)
        _write(folder / "server" / "ca.crt", ca)
        _write(folder / "server" / "server.crt", certificate.public_bytes(Encoding.PEM))
        _write_key(folder / "server" / "server.key", serving, PrivateFormat.PKCS8)
        for client in range(clients):
            key = draw()
            public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
            _write(folder / "server" / "nodes" / f"client-{client}.pub", public + b"\n")
            _write(folder / f"client-{client}" / "ca.crt", ca)
            _write_key(folder / f"client-{client}" / "client.key", key, PrivateFormat.OpenSSH)
    except OSError as error:
        raise SettingsError(f"Expected to write into {folder}, got this: {error.strerror}.") from error


def _alternative(name: str) -> x509.GeneralName:
    """Return a host name or an address as a certificate has it."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        remedy = "Name those by which participants reach the server; it may listen on all of them."
        expect(not address.is_unspecified, "an address in --server", f"{name}, which stands for all", remedy)
        return x509.IPAddress(address)
    try:
        text = name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        text = ""
    remedy = "Give it alone, without scheme, port or brackets: 192.0.2.1, 2001:db8::1 or fleet.example."
    expect(bool(_NAME.fullmatch(text)), "a host name or an address in --server", name, remedy)
    return x509.DNSName(text)


def draw() -> ec.EllipticCurvePrivateKey:
    """Draw a key on the curve of Flower's own."""
    return ec.generate_private_key(ec.SECP384R1())


def sign_own(key: ec.EllipticCurvePrivateKey, end: dt.datetime) -> x509.Certificate:
    """Return the authority's certificate, signed by itself, which holds until `end`."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Oleander deployment")])
    builder = (
        _begin(name, name, key.public_key(), end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**_NO_USE | {"key_cert_sign": True, "crl_sign": True}), critical=True)
    )
    return builder.sign(key, hashes.SHA384())


def sign(
    key: ec.EllipticCurvePrivateKey,
    names: Sequence[x509.GeneralName],
    authority: x509.Certificate,
    signing: ec.EllipticCurvePrivateKey,
    end: dt.datetime,
) -> x509.Certificate:
    """Return a server's certificate.

    Args:
        key: the server's.
        names: that it is for.
        authority: the certificate of who signs it ...
        signing: ... and the key.
        end: until when it holds.

    """
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Oleander server")])
    builder = (
        _begin(subject, authority.subject, key.public_key(), end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**_NO_USE | {"digital_signature": True}), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
    )
    return builder.sign(signing, hashes.SHA384())


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, end: dt.datetime
) -> x509.CertificateBuilder:
    """Return what both certificates begin with."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime.now(dt.UTC) - _SLACK)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey, form: PrivateFormat) -> None:
    """Write a private key that its owner alone may read."""
    _write(path, key.private_bytes(Encoding.PEM, form, NoEncryption()), 0o600)


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a new file, which nobody else may read even for a moment where the mode forbids it."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)  # whatever the umask takes away
        file.write(content)

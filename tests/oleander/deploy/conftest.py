"""Certificates of a small deployment, and such as are wrong in one way each."""

import datetime as dt
import ipaddress
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from oleander.deploy.issuing import draw, issue, sign, sign_own


@pytest.fixture(scope="session")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of certificates for the server 127.0.0.1 and two participants; not to be changed."""
    folder = tmp_path_factory.mktemp("issued") / "certificates"
    issue(folder, ["127.0.0.1", "fleet.example"], clients=2, days=1)
    return folder


@pytest.fixture
def certificates(issued: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(issued, tmp_path / "certificates"))


@pytest.fixture
def resign(certificates: Path) -> Callable[..., Path]:
    """Return a function that replaces all certificates of `certificates` by new ones of one authority."""

    def replace(
        *, address: str = "127.0.0.1", names: Sequence[str] = (), minutes: int = 60, authority_minutes: int = 60
    ) -> Path:
        now = dt.datetime.now(dt.UTC)
        signing, serving = draw(), draw()
        authority = sign_own(signing, now + dt.timedelta(minutes=authority_minutes))
        addresses = dict.fromkeys([address, *(["127.0.0.1"] if names else [])])
        all_names = [*map(x509.DNSName, names), *(x509.IPAddress(ipaddress.ip_address(one)) for one in addresses)]
        certificate = sign(serving, all_names, authority, signing, now + dt.timedelta(minutes=minutes))
        for path in certificates.glob("*/ca.crt"):
            path.write_bytes(authority.public_bytes(Encoding.PEM))
        (certificates / "server" / "server.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
        key = serving.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (certificates / "server" / "server.key").write_bytes(key)
        return certificates

    return replace

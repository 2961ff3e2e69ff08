"""Look whether a server can be reached and is the right one, before a SuperNode tries for ever."""

import enum
import socket
import ssl

from oleander.engines.ports import split
from task.settings import SettingsError

SECONDS, GLANCE_SECONDS = 5.0, 0.5
_NOT_YET, _EXPIRED, _OTHER_NAMES = 9, 10, (62, 64)  # OpenSSL's X509_V_ERR_*; the latter of names and of addresses
_MAKE = "make new ones with `oleander deploy certificates`, and give every host its folder"


class Door(enum.Enum):
    """What was found at an address.

    OPEN: the server. SHUT: a host on which nobody listens. SILENT: no answer, or no such host.
    """

    OPEN = "open"
    SHUT = "shut"
    SILENT = "silent"


def glance(address: str) -> Door:
    """Look whether a server that was found is still there; takes no longer than GLANCE_SECONDS."""
    try:
        socket.create_connection(split(address), timeout=GLANCE_SECONDS).close()
    except ConnectionRefusedError:
        return Door.SHUT
    except OSError:
        return Door.SILENT
    return Door.OPEN


def knock(address: str, ca: str) -> Door:
    """Look for a server.

    Args:
        address: HOST:PORT.
        ca: file of the authority's certificate that it is checked against; empty for plain text.

    Raises:
        SettingsError: if somebody else is there: with a certificate that does not hold now, that another authority has
            signed or that is for another name; in plain text in place of TLS; in TLS in place of plain text.

    """
    try:
        with socket.create_connection(split(address), timeout=SECONDS) as link:
            return _shake_hands(link, address, ca) if ca else _speak_plainly(link, address)
    except ConnectionRefusedError:
        return Door.SHUT
    except OSError:
        return Door.SILENT


def _shake_hands(link: socket.socket, address: str, ca: str) -> Door:
    """Check the server's certificate."""
    context = ssl.create_default_context(cafile=ca)
    context.set_alpn_protocols(["h2"])  # what gRPC speaks
    try:
        context.wrap_socket(link, server_hostname=split(address)[0]).close()
    except ssl.SSLCertVerificationError as error:
        raise SettingsError(_wrong(error, address, ca)) from error
    except (ssl.SSLError, ConnectionResetError) as error:
        raise SettingsError(
            f"Expected a server at {address} that speaks TLS, got one that does not ({error}). "
            "Start it with --certificates, or mend the address."
        ) from error
    return Door.OPEN


def _wrong(error: ssl.SSLCertVerificationError, address: str, ca: str) -> str:
    """Say what is wrong with a server's certificate."""
    host = split(address)[0]
    if error.verify_code in (_EXPIRED, _NOT_YET):
        how = "has expired" if error.verify_code == _EXPIRED else "does not hold yet"
        return (
            f"Expected a certificate of the server at {address} that holds now, got one that {how}. Set this host's "
            f"clock if it is wrong; else {_MAKE}."
        )
    if error.verify_code in _OTHER_NAMES:
        return (
            f"Expected a certificate for {host}, got one of the server at {address} for others "
            f"({error.verify_message}). Reach the server by a name that it is for; or {_MAKE}, with {host} among the "
            "names of --server."
        )
    return (
        f"Expected a certificate that the authority in {ca} has signed, got one of the server at {address} that it has "
        f"not ({error.verify_message}). Use the folder of certificates that belongs to that server."
    )


def _speak_plainly(link: socket.socket, address: str) -> Door:
    """Make sure that a server does not want TLS; whoever does not answer a TLS greeting with one does not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is sent: the question is only whether there is TLS
    try:
        context.wrap_socket(link).close()
    except (ssl.SSLError, OSError):
        return Door.OPEN
    raise SettingsError(
        f"Expected a server at {address} that takes plain text, got one that speaks TLS. Give this client its "
        "folder of certificates with --certificates."
    )

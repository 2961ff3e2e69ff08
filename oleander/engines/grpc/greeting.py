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

    OPEN: the server. SHUT: a host on which nobody listens. SILENT: no answer, or no such host; or somebody who hangs up
    without a word, as what stands before a server does while that is not there (a load balancer, a forwarded port).
    """

    OPEN = "open"
    SHUT = "shut"
    SILENT = "silent"


def glance(address: str) -> Door:
    """Look whether a server that was found is still there, in GLANCE_SECONDS once a name's address is known."""
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
            signed or that is for another name; in plain text in place of TLS; in TLS in place of plain text. And if the
            authority's certificate cannot be read.

    """
    context = _trusting(ca) if ca else None
    try:
        with socket.create_connection(split(address), timeout=SECONDS) as link:
            return _speak_plainly(link, address) if context is None else _shake_hands(link, address, ca, context)
    except ConnectionRefusedError:
        return Door.SHUT
    except OSError:  # of which those of TLS are, too
        return Door.SILENT


def _trusting(ca: str) -> ssl.SSLContext:
    """Return how to shake hands with whom an authority has signed for."""
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        how = f"Put it back from where the certificates were made, or {_MAKE}."
        raise SettingsError(f"Expected the authority's certificate in {ca}, got this: {error}. {how}") from error
    context.set_alpn_protocols(["h2"])  # what gRPC speaks
    return context


def _shake_hands(link: socket.socket, address: str, ca: str, context: ssl.SSLContext) -> Door:
    """Check the server's certificate."""
    try:
        context.wrap_socket(link, server_hostname=split(address)[0]).close()
    except ssl.SSLCertVerificationError as error:
        raise SettingsError(_wrong(error, address, ca)) from error
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return Door.SILENT
    except ssl.SSLError as error:
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
    """Make sure that a server does not want TLS: it then answers a TLS greeting in its own way."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is sent: the question is only whether there is TLS
    try:
        context.wrap_socket(link).close()
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return Door.SILENT
    except ssl.SSLError:
        return Door.OPEN
    raise SettingsError(
        f"Expected a server at {address} that takes plain text, got one that speaks TLS. Give this client its "
        "folder of certificates with --certificates."
    )

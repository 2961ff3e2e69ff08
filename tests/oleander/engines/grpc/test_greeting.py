"""What a participant's host finds at a server's address, against real sockets on loopback."""

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from oleander.deploy.issuing import draw, sign, sign_own
from oleander.engines.grpc.greeting import Door, knock
from oleander.engines.ports import HOST, free_ports
from task.settings import SettingsError

Listen = Callable[[ssl.SSLContext | None], str]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Return a function that listens on loopback, with TLS or in plain text, and returns the address."""
    with contextlib.ExitStack() as stack:

        def start(context: ssl.SSLContext | None) -> str:
            server = stack.enter_context(socket.create_server((HOST, 0)))

            def serve() -> None:
                with contextlib.suppress(OSError):
                    link, _ = server.accept()
                    with link:
                        if context is None:
                            link.recv(1000)
                            link.sendall(b"\0\0\x06\x04\0\0\0\0\0\0\x05\0\0\x40\0")  # a server's first words in HTTP/2
                        else:
                            context.wrap_socket(link, server_side=True).close()

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
            return f"{HOST}:{server.getsockname()[1]}"

        yield start


@pytest.fixture
def show(tmp_path: Path) -> Callable[..., ssl.SSLContext]:
    """Return a function that makes a certificate of the authority in ca.crt, and a server's context that shows it."""
    signing = draw()
    hour = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    authority = sign_own(signing, hour)
    (tmp_path / "ca.crt").write_bytes(authority.public_bytes(Encoding.PEM))

    def make(address: str = HOST, end: dt.datetime = hour) -> ssl.SSLContext:
        key = draw()
        certificate = sign(key, [x509.IPAddress(ipaddress.ip_address(address))], authority, signing, end)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "server.pem").write_bytes(private + certificate.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "server.pem")
        context.set_alpn_protocols(["h2"])
        return context

    return make


def test_the_right_server_is_found(listen: Listen, show: Callable[..., ssl.SSLContext], tmp_path: Path) -> None:
    """With TLS by whoever has the authority's certificate, and in plain text."""
    assert knock(listen(show()), str(tmp_path / "ca.crt")) is Door.OPEN
    assert knock(listen(None), "") is Door.OPEN


def test_an_expired_certificate_is_refused(listen: Listen, show: Callable[..., ssl.SSLContext], tmp_path: Path) -> None:
    """It ended a minute ago."""
    ended = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    with pytest.raises(SettingsError, match=r"holds now, got one that has expired.*oleander deploy certificates"):
        knock(listen(show(end=ended)), str(tmp_path / "ca.crt"))


def test_a_certificate_of_another_authority_is_refused(
    listen: Listen, show: Callable[..., ssl.SSLContext], tmp_path: Path
) -> None:
    """Of the same name, with another key."""
    end = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    (tmp_path / "other.crt").write_bytes(sign_own(draw(), end).public_bytes(Encoding.PEM))
    with pytest.raises(SettingsError, match=r"the authority in .*other\.crt has signed.*belongs to that server"):
        knock(listen(show()), str(tmp_path / "other.crt"))


def test_a_certificate_for_another_name_is_refused(
    listen: Listen, show: Callable[..., ssl.SSLContext], tmp_path: Path
) -> None:
    """It is for 192.0.2.1, and the server was reached at 127.0.0.1."""
    with pytest.raises(SettingsError, match=r"a certificate for 127\.0\.0\.1.*others.*--server"):
        knock(listen(show(address="192.0.2.1")), str(tmp_path / "ca.crt"))


def test_plain_text_and_tls_do_not_mix(listen: Listen, show: Callable[..., ssl.SSLContext], tmp_path: Path) -> None:
    """A plain node at a TLS port, and a node with TLS at a plain one."""
    with pytest.raises(SettingsError, match=r"takes plain text, got one that speaks TLS.*--certificates"):
        knock(listen(show()), "")
    show()
    with pytest.raises(SettingsError, match=r"speaks TLS, got one that does not.*--certificates"):
        knock(listen(None), str(tmp_path / "ca.crt"))


@pytest.mark.parametrize("read", [0, 1000])
@pytest.mark.parametrize("security", ["TLS", "plain text"])
def test_who_hangs_up_without_a_word_is_silent(
    show: Callable[..., ssl.SSLContext], tmp_path: Path, read: int, security: str
) -> None:
    """So does a forwarded port whose server is not there yet; a client that waits must not end over it."""
    show()
    with socket.create_server((HOST, 0)) as server:

        def hang_up() -> None:
            link, _ = server.accept()
            with link:
                link.recv(read)

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        ca = str(tmp_path / "ca.crt") if security == "TLS" else ""
        assert knock(f"{HOST}:{server.getsockname()[1]}", ca) is Door.SILENT
        thread.join(5)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_authority_that_cannot_be_read_is_refused(tmp_path: Path, content: str | None) -> None:
    """Whether there is a server or not: that would be taken for its silence."""
    path = tmp_path / "ca.crt"
    if content:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"the authority's certificate in .*ca\.crt, got .*oleander deploy certif"):
        knock(f"{HOST}:{free_ports(1)[0]}", str(path))


def test_nobody_is_told_from_no_answer() -> None:
    """A host on which nobody listens has shut its door; a name that is no host's, or no answer, is silence."""
    assert knock(f"{HOST}:{free_ports(1)[0]}", "") is Door.SHUT
    assert knock("no-such-host.invalid:9", "") is Door.SILENT

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from newsletter.errors import SendError
from newsletter.mail import Send
from newsletter.mail.smtp import LoopFactory
from newsletter.model import Message, Outcome, Verdict


@pytest.fixture(params=["asyncio", "uvloop"])
def loop_factory(request: pytest.FixtureRequest) -> LoopFactory:
    """Both loops that the client runs on."""
    factory: LoopFactory = pytest.importorskip(request.param).new_event_loop
    return factory


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate: the server's context, and the file a client may trust."""

    server: ssl.SSLContext
    path: Path


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for 127.0.0.1 that nobody signed but itself."""
    return certify(tmp_path_factory.mktemp("certificate"))


def certify(folder: Path, *, address: str = "127.0.0.1", days: int = 1) -> Certificate:
    """A new certificate for that address, valid for so many days from now; less than none is one that has expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    secret = folder / "key.pem"
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, secret)
    return Certificate(context, path)


@dataclass
class Record:
    """What a sender said about the messages it was given."""

    started: list[int] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    error: SendError | None = None

    def write(self, outcomes: Sequence[Outcome], starting: Sequence[int]) -> tuple[int, ...]:
        """Keep what is said; everything may leave."""
        self.outcomes.extend(outcomes)
        self.started.extend(starting)
        return ()

    @property
    def verdicts(self) -> dict[int, Verdict]:
        """Delivery to verdict; fails when a message had more than one outcome."""
        assert len(self.outcomes) == len({outcome.delivery for outcome in self.outcomes})
        return {outcome.delivery: outcome.verdict for outcome in self.outcomes}


SendAll = Callable[[Send, Iterable[Message]], Record]


@pytest.fixture
def send_all() -> SendAll:
    """Send messages to the end and keep the record; an expected error is in it."""

    def send_all(send: Send, messages: Iterable[Message]) -> Record:
        record = Record()
        try:
            send(messages, record=record.write, stop=lambda: False)
        except SendError as error:
            record.error = error
        return record

    return send_all


@dataclass
class Server:
    """A real aiosmtpd server and the envelopes it took."""

    port: int
    envelopes: list[Envelope]


Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start aiosmtpd servers with the options of its SMTP class; `implicit_tls` encrypts from the first byte.

    `protocol` may be LMTP instead, `path` a socket to listen on.
    """
    with ExitStack() as stack:

        def serve(
            *,
            implicit_tls: ssl.SSLContext | None = None,
            protocol: type[SMTP] = SMTP,
            path: Path | None = None,
            **options: object,
        ) -> Server:
            return stack.enter_context(_running(implicit_tls, protocol, path, options))

        yield serve


@contextmanager
def _running(
    implicit_tls: ssl.SSLContext | None, protocol: type[SMTP], path: Path | None, options: Mapping[str, object]
) -> Iterator[Server]:
    envelopes: list[Envelope] = []

    class Keep:
        async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
            envelopes.append(envelope)
            return "250 kept"

    async def main() -> None:
        loop, closing = asyncio.get_running_loop(), asyncio.Event()
        create = loop.create_server if path is None else loop.create_unix_server
        server = await create(
            lambda: protocol(Keep(), loop=loop, hostname="localhost", **options),  # type: ignore[arg-type]  # any
            sock=listener,
            ssl=implicit_tls,
        )
        running.set_result((loop, closing))
        await closing.wait()
        server.close()

    if path is None:
        listener = socket.create_server(("127.0.0.1", 0))
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
    running: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    loop, closing = running.result()
    yield Server(0 if path else listener.getsockname()[1], envelopes)
    loop.call_soon_threadsafe(closing.set)
    thread.join()

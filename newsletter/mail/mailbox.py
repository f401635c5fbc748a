"""The built-in mail server for development: takes every message and keeps it in a maildir."""

from __future__ import annotations

import asyncio
import email
import mailbox
import re
import socket
import threading
from concurrent.futures import Future
from email.message import EmailMessage
from email.policy import SMTPUTF8
from pathlib import Path
from types import TracebackType
from typing import Self

from aiosmtpd.smtp import MISSING, SMTP, Envelope, Session

from newsletter.errors import SendError
from newsletter.mail.faults import CONNECT, CUT, DATA, MAIL, RCPT, STALL, Faults

LARGEST = 25_000_000  # bytes; what the large mail providers take


def open_mailbox(folder: Path, *, host: str = "127.0.0.1", port: int = 1025, faults: Faults | None = None) -> Mailbox:
    """A mailbox that listens until it is closed; use it in a `with` statement. Port 0 picks a free one.

    `folder` becomes a maildir; what is in it stays. `faults` are what it does wrong on purpose. SendError when the
    port is taken or may not be used.
    """
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise SendError(
            f"could not open the mailbox on {host}:{port}: {error.strerror}; "
            "another one may be running, or choose another port"
        ) from error
    return Mailbox(folder, listener, faults or Faults())


class Mailbox:
    """A mail server in a thread of its own. Everything it took can be read while it runs and afterwards."""

    def __init__(self, folder: Path, listener: socket.socket, faults: Faults) -> None:
        self.folder = folder
        self.faults = faults
        self.kept = 0
        self.host, self.port = listener.getsockname()[:2]
        self._maildir = mailbox.Maildir(folder)
        running: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(listener, running)), daemon=True)
        self._thread.start()
        self._loop, self._closing = running.result()

    @property
    def url(self) -> str:
        """Its SMTP_URL."""
        return f"smtp://{self.host}:{self.port}"

    def messages(self) -> tuple[EmailMessage, ...]:
        """Every message, oldest first; `Return-Path` and `Delivered-To` are the envelope's."""
        files = [path for part in ("new", "cur") for path in (self.folder / part).iterdir()]
        return tuple(
            email.message_from_bytes(path.read_bytes(), policy=SMTPUTF8) for path in sorted(files, key=_arrival)
        )

    def close(self) -> None:
        """Stop listening and cut what is still connected."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Names and arguments are those that aiosmtpd calls them by; MISSING lets it do what it would without them.
    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _session: Session, _envelope: Envelope, address: str, _options: list[str]
    ) -> object:
        """Take a sender, unless that is to go wrong (called by aiosmtpd)."""
        return await _fail(server, self.faults.hit(MAIL, [address])) or MISSING

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, _envelope: Envelope, address: str, _options: list[str]
    ) -> object:
        """Take a recipient, unless that is to go wrong (called by aiosmtpd)."""
        return await _fail(server, self.faults.hit(RCPT, [address])) or MISSING

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a message, unless that is to go wrong (called by aiosmtpd)."""
        fault = self.faults.hit(DATA, envelope.rcpt_tos)
        if fault in {CUT, STALL}:  # kept, and the sender cannot know
            self._keep(envelope)
        return await _fail(server, fault) or self._keep(envelope)

    def _keep(self, envelope: Envelope) -> str:
        """Write it into the maildir; the reply to that."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        top = [f"Return-Path: <{envelope.mail_from or ''}>", *(f"Delivered-To: {to}" for to in envelope.rcpt_tos)]
        try:
            self._maildir.add("".join(f"{line}\r\n" for line in top).encode() + content)
        except OSError as error:
            return f"452 4.3.1 could not keep the message: {error.strerror}"
        self.kept += 1
        return "250 2.0.0 kept"

    async def _serve(
        self, listener: socket.socket, running: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]
    ) -> None:
        loop, closing = asyncio.get_running_loop(), asyncio.Event()
        # A host name is given because aiosmtpd would otherwise ask the name server for ours.
        server = await loop.create_server(
            lambda: _Server(self, loop=loop, hostname="localhost", data_size_limit=LARGEST, enable_SMTPUTF8=True),
            sock=listener,
        )
        running.set_result((loop, closing))
        await closing.wait()
        server.close()


class _Server(SMTP):
    """One connection. It ends with a reply 421 (RFC 5321 section 3.8) and with a greeting that refuses it."""

    is_greeted = False

    async def push(self, status: str | bytes) -> None:
        """Send a reply; aiosmtpd does all of it here, the greeting first."""
        refusal = None
        if not self.is_greeted:
            self.is_greeted = True
            refusal = await _fail(self, self.event_handler.faults.hit(CONNECT))
        reply = refusal.encode() if refusal else status.encode() if isinstance(status, str) else status
        await super().push(reply)
        if (refusal or reply.startswith(b"421")) and self.transport is not None:
            self.transport.close()


async def _fail(server: SMTP, fault: str | None) -> str | None:
    """The reply that a fault is, None without one. A cut or a stall does not come back from here."""
    if fault == CUT and isinstance(server.transport, asyncio.WriteTransport):
        server.transport.abort()
    if fault in {CUT, STALL}:
        await asyncio.Event().wait()  # until the connection is gone, and this with it
    return fault


def _arrival(path: Path) -> tuple[int, ...]:
    """Seconds, microseconds, process and running number, which is how a maildir names its files."""
    return tuple(int(digits) for digits in re.findall(r"\d+", ".".join(path.name.split(".")[:2])))

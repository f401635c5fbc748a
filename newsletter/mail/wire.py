"""SMTP as bytes: replies read from a stream, and the one connection they come on.

A step that gets no intelligible reply gets `Reply(0, …)` instead of an exception: cut, time over and garbage are
answers like others, and what they mean depends on the step alone (see `mail.replies`).
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol, cast

LINE_LENGTH = 4096  # RFC 5321 section 4.5.3.1.5 says 512; what exceeds this is no reply
USUAL_LENGTH = 512
LINES = 128
SEND_BUFFER = 512 * 1024  # bytes: a message fits, so that it leaves in one call
REPLIES = 64  # more than this unasked for is an attack on our memory
TEXT_LENGTH = 500

_LINE = re.compile(r"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b *")


class Reply(NamedTuple):
    """What a server answered: a code and one or more lines. Code 0: nothing, or nothing intelligible."""

    code: int
    lines: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The lines as one, printable and at most 500 characters; an enhanced code that each repeats stands once."""
        if len(self.lines) == 1 and len(line := self.lines[0]) <= TEXT_LENGTH and line.isprintable():
            return line if "  " not in line else " ".join(line.split())  # nearly every reply
        first, *others = self.lines or ("",)
        enhanced = match[0].rstrip() if (match := _ENHANCED.match(first)) else ""
        joined = " ".join([first, *(line.removeprefix(enhanced) for line in others)])
        printable = "".join(char if char.isprintable() else " " for char in joined)
        return " ".join(printable.split())[:TEXT_LENGTH]

    def __str__(self) -> str:
        return f"{self.code} {self.text}".rstrip() if self.code else self.text


class ReplyReader:
    """Cuts a stream of bytes into replies, however it arrives."""

    def __init__(self) -> None:
        self._rest = b""
        self._code = 0
        self._lines: list[str] = []

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that these bytes complete."""
        data = self._rest + data
        *whole, self._rest = data.split(b"\n")
        if len(data) <= USUAL_LENGTH and not self._lines:
            replies = [reply for line in whole if (reply := _of_one_line(line))]
            if len(replies) == len(whole):
                return replies  # nearly always
        replies = [reply for line in whole if (reply := self._line(line))]
        if len(self._rest) > LINE_LENGTH:
            replies.append(self._garbage(self._rest))
            self._rest = b""
        return replies

    @property
    def pending(self) -> bool:
        """Whether part of a reply has come."""
        return bool(self._rest or self._lines)

    def _line(self, octets: bytes) -> Reply | None:
        match = _matched(octets)
        if match is None or len(octets) > LINE_LENGTH or len(self._lines) >= LINES:
            return self._garbage(octets)
        if self._lines and int(match[1]) != self._code:
            return self._garbage(octets)
        self._code = int(match[1])
        self._lines.append(match[3] or "")
        if match[2] == "-":
            return None
        reply = Reply(self._code, tuple(self._lines))
        self._lines.clear()
        return reply

    def _garbage(self, octets: bytes) -> Reply:
        self._lines.clear()
        return Reply(0, ("not an SMTP reply: " + octets[:TEXT_LENGTH].decode("utf-8", "replace"),))


def _matched(line: bytes) -> re.Match[str] | None:
    return _LINE.fullmatch(line.removesuffix(b"\r").decode("utf-8", "replace"))


@lru_cache(maxsize=64)  # to MAIL, RCPT and DATA a server always says the same
def _of_one_line(line: bytes) -> Reply | None:
    """The reply that this line is, where it is a whole one, as nearly all are."""
    match = _matched(line)
    return Reply(int(match[1]), (match[3],)) if match is not None and match[2] == " " else None


def with_line_ends(data: bytes) -> bytes:
    """The message as BDAT takes it: every line ends in CRLF.

    ValueError for a bare CR or LF: servers differ in what they take for a line end, which lets a second message be
    smuggled in.
    """
    if not data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r"):
        raise ValueError("a bare CR or LF in the message")
    return data if data.endswith(b"\r\n") or not data else data + b"\r\n"


def dot_stuffed(data: bytes) -> bytes:
    """The message as DATA takes it, up to the final dot (RFC 5321 section 4.5.2). ValueError as above."""
    data = with_line_ends(data)
    if data.startswith(b".") or b"\n." in data:
        data = (b"." if data.startswith(b".") else b"") + data.replace(b"\n.", b"\n..")
    return data


class Listener(Protocol):
    """Who is told at once what comes, instead of waiting for it."""

    def replied(self, replies: Sequence[Reply]) -> None:
        """These replies have come."""

    def lost(self) -> None:
        """The connection is gone."""

    def flushed(self) -> None:
        """Every byte that was written has left this process."""


class Wire(asyncio.Protocol):
    """One connection: writes go out at once; replies are awaited one by one, or told to a listener."""

    def __init__(self) -> None:
        self.lost = False
        self._replies: deque[Reply] = deque()
        self._reader = ReplyReader()
        self._news = asyncio.Event()
        self._holding = False
        self._listener: Listener | None = None
        self._transport = asyncio.Transport()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport (called by asyncio)."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, but does not inherit from it
        # "Holding" then means what it says: a byte that was written is still in this process.
        self._transport.set_write_buffer_limits(high=0)
        if (socket_ := transport.get_extra_info("socket")) is not None:
            socket_.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    def data_received(self, data: bytes) -> None:
        """Read what came (called by asyncio)."""
        replies = self._reader.feed(data)
        if self._listener is not None and replies:
            self._listener.replied(replies)
            return
        self._replies.extend(replies)
        if len(self._replies) > REPLIES:
            self.abort()
        self._news.set()

    def eof_received(self) -> None:
        """A server that has no more to say is gone: nothing further goes to it (called by asyncio)."""
        if self._listener is not None:
            self._listener.lost()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # how it was lost makes no difference
        """Note the end (called by asyncio)."""
        self.lost = True
        self._news.set()
        if self._listener is not None:
            self._listener.lost()

    def pause_writing(self) -> None:
        """Note that bytes are kept back (called by asyncio)."""
        self._holding = True

    def resume_writing(self) -> None:
        """Note that all bytes have gone (called by asyncio)."""
        self._holding = False
        if self._listener is not None:
            self._listener.flushed()

    def listen(self, listener: Listener | None) -> None:
        """Tell a listener from now on, or nobody; what has come already is told at once."""
        self._listener = listener
        if listener is not None and self._replies:
            replies, self._replies = self._replies, deque()
            listener.replied(replies)

    @property
    def holding(self) -> bool:
        """Whether bytes that were written are still in this process. Under TLS only those not encrypted yet count."""
        return self._holding

    @property
    def waiting(self) -> int:
        """How many bytes are still in this process."""
        return int(self._transport.get_write_buffer_size())

    @property
    def quiet(self) -> bool:
        """Whether the connection stands and nothing has come that was not asked for."""
        return not (self.lost or self._replies)

    @property
    def local_host(self) -> str:
        """Our own IP address on this connection; empty on a socket of this machine."""
        name = self._transport.get_extra_info("sockname")
        return str(name[0]) if isinstance(name, tuple) else ""

    def write(self, pieces: Sequence[bytes]) -> None:
        """Send, or keep for sending; on a lost connection nothing happens."""
        if not self.lost:
            self._transport.write(b"".join(pieces))

    async def reply(self, seconds: float) -> Reply:
        """The next reply; code 0 when none comes in time."""
        try:
            await self._until(lambda: bool(self._replies) or self.lost, seconds)
        except TimeoutError:
            return Reply(0, (f"no reply within {seconds:g} s",))
        return self._replies.popleft() if self._replies else Reply(0, ("connection lost",))

    async def start_tls(self, context: ssl.SSLContext, *, host: str, seconds: float) -> None:
        """Encrypt. Raises OSError (ssl.SSLError among them) when that fails; the connection is lost then.

        ssl.SSLError also where bytes were sent ahead of the handshake: they would be taken for encrypted ones
        (CVE-2011-0411 and its like).
        """
        if self._replies or self._reader.pending:
            raise ssl.SSLError(ssl.SSL_ERROR_SSL, "the server sent something ahead of the TLS handshake")
        if self.lost:
            raise ConnectionError("connection lost")
        loop = asyncio.get_running_loop()
        try:
            transport = await loop.start_tls(
                self._transport, self, context, server_hostname=host, ssl_handshake_timeout=seconds
            )
        except OSError:
            self.lost = True
            raise
        if transport is None:
            raise ConnectionError("connection lost")
        self._transport = transport

    async def close(self, seconds: float) -> None:
        """Close in good order, or after `seconds` in any."""
        self._transport.close()
        try:
            await self._until(lambda: self.lost, seconds)
        except TimeoutError:
            self.abort()

    def abort(self) -> None:
        """Close at once; bytes not sent yet are dropped."""
        self._transport.abort()

    async def _until(self, ready: Callable[[], bool], seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not ready():
                self._news.clear()
                await self._news.wait()

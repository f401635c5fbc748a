"""A mail server that logs every mail it takes, and tells of every step before and after its reply."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field

_MESSAGE_ID = re.compile(rb"^Message-ID: *(<[^>\r\n]*>)", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(rb"<([^>]*)>")
_END = b"\r\n.\r\n"
_OFFERS = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-CHUNKING\r\n250 SMTPUTF8\r\n"


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail that was taken: whose, under which Message-ID, when by the monotonic clock."""

    recipient: str
    message_id: str
    at: float


@dataclass
class Sink:
    """The server. `taken` is its log; `on_step` hears of each step twice, before its reply and after it.

    It is called with the step's number from 1 on, the name that the client gave in its EHLO, and whether it is before
    the reply. `cut_next` makes it break off after the next mail, once. `chunks` counts the mails that came by BDAT.
    """

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    on_step: Callable[[int, str, bool], None] = lambda *_: None
    cut_next: bool = False
    chunks: int = 0
    loop: asyncio.AbstractEventLoop | None = None
    _steps: int = 0
    _open: dict[_Peer, str] = field(default_factory=dict)

    def connections(self, name: str) -> int:
        """How many connections a client has that said a name in its EHLO."""
        return list(self._open.values()).count(name)

    def step(self, peer: _Peer, reply: bytes) -> None:
        """Reply to a step (called by a connection)."""
        self._steps += 1
        number, name = self._steps, self._open.get(peer, "")
        self.on_step(number, name, True)
        peer.write(reply)
        self.on_step(number, name, False)


class _Peer(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._buffer = b""
        self._recipient = ""
        self._in_data = False
        self._chunk = 0  # bytes of a chunk, while they come
        self._last = False
        self._mail = b""
        self._transport: asyncio.Transport | None = None

    def write(self, reply: bytes) -> None:
        if self._transport is not None:
            self._transport.write(reply)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport
        self.write(b"220 sink ESMTP\r\n")

    def connection_lost(self, _: Exception | None) -> None:
        self._sink._open.pop(self, None)  # noqa: SLF001 - one thing in two classes

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._data() if self._in_data else self._chunked() if self._chunk else self._line():
            pass

    def _line(self) -> bool:
        line, end, rest = self._buffer.partition(b"\r\n")
        if not end:
            return False
        self._buffer = rest
        verb = line[:4].upper()
        if verb == b"EHLO":
            self._sink._open[self] = line[5:].decode()  # noqa: SLF001
            self.write(_OFFERS)
        elif verb == b"QUIT":
            self.write(b"221 bye\r\n")
        elif verb == b"DATA":
            self._in_data = True
            self._sink.step(self, b"354 go on\r\n")
        elif verb == b"BDAT":
            size, *last = line[5:].split()
            self._chunk, self._last = int(size), bool(last)
            return self._chunk > 0 or self._chunked()
        elif verb in (b"MAIL", b"RCPT"):
            found = _ADDRESS.search(line)
            if verb == b"RCPT":
                self._recipient = found[1].decode() if found else ""
            self._sink.step(self, b"250 2.1.0 ok\r\n")
        else:
            self.write(b"250 2.0.0 ok\r\n")
        return True

    def _data(self) -> bool:
        mail, end, rest = self._buffer.partition(_END)
        if not end:
            return False
        self._buffer, self._in_data = rest, False
        return self._take(mail)

    def _chunked(self) -> bool:
        if len(self._buffer) < self._chunk:
            return False
        self._mail += self._buffer[: self._chunk]
        self._buffer, self._chunk = self._buffer[self._chunk :], 0
        if not self._last:
            self.write(b"250 2.0.0 go on\r\n")
            return True
        mail, self._mail = self._mail, b""
        self._sink.chunks += 1
        return self._take(mail)

    def _take(self, mail: bytes) -> bool:
        """Log a mail, and reply unless the connection is to be cut."""
        found = _MESSAGE_ID.search(mail.partition(b"\r\n\r\n")[0])
        sink = self._sink
        sink.taken.append(Taken(self._recipient, found[1].decode() if found else "", time.monotonic()))
        if sink.cut_next:
            sink.cut_next = False
            if self._transport is not None:
                self._transport.abort()
            return False
        sink.step(self, b"250 2.0.0 taken\r\n")
        return True


@contextmanager
def open_sink() -> Iterator[Sink]:
    """A server on a free port, in a thread of its own, until the end of the `with`."""
    sink = Sink()
    running: Future[asyncio.Event] = Future()

    async def serve() -> None:
        sink.loop, closing = asyncio.get_running_loop(), asyncio.Event()
        server = await sink.loop.create_server(lambda: _Peer(sink), "127.0.0.1", 0)
        sink.port = server.sockets[0].getsockname()[1]
        running.set_result(closing)
        await closing.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="sink")
    thread.start()
    closing = running.result()
    assert sink.loop is not None  # noqa: S101
    try:
        yield sink
    finally:
        sink.loop.call_soon_threadsafe(closing.set)
        thread.join()

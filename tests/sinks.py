"""A mail server that remembers what it took and tells the test of each message before it replies."""

from __future__ import annotations

import asyncio
import email
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.policy import SMTPUTF8

from aiosmtpd.smtp import SMTP, Envelope, Session

_LONGEST = 60  # seconds that a closed gate holds a reply


@dataclass
class Sink:
    """What was taken, as (recipient, Message-ID); `on_message` hears of each one's number, from 1, before the 250.

    While the `gate` is closed no 250 is given.
    """

    url: str = ""
    taken: list[tuple[str, str]] = field(default_factory=list)
    on_message: Callable[[int], None] = lambda _: None
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message (called by aiosmtpd)."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        message = email.message_from_bytes(content, policy=SMTPUTF8)
        self.taken += [(recipient, str(message["Message-ID"])) for recipient in envelope.rcpt_tos]
        self.on_message(len(self.taken))
        if not self.gate.is_set():
            await asyncio.to_thread(self.gate.wait, _LONGEST)
        return "250 2.0.0 taken"

    def copies(self) -> Counter[str]:
        """How often each recipient got it."""
        return Counter(recipient for recipient, _ in self.taken)

    def message_ids(self) -> int:
        """How many different messages were taken."""
        return len(set(self.taken))


@contextmanager
def open_sink() -> Iterator[Sink]:
    """A sink that listens on a free port, until the end of the `with`."""
    sink = Sink()
    listener = socket.create_server(("127.0.0.1", 0))
    running: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        loop, closing = asyncio.get_running_loop(), asyncio.Event()
        server = await loop.create_server(lambda: SMTP(sink, loop=loop, hostname="localhost"), sock=listener)
        running.set_result((loop, closing))
        await closing.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    loop, closing = running.result()
    sink.url = f"smtp://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield sink
    finally:
        loop.call_soon_threadsafe(closing.set)
        thread.join()

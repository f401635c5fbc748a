"""Messages to a mail server over several connections: an asyncio island behind a synchronous call.

    take a message -> a connection (kept, or opened) -> offer it -> report its outcome -> take the next

The loop runs in the caller's thread, and so do `messages`, `started`, `finished` and `stop`: a database connection of
the caller's may be used in all of them.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial

from newsletter.errors import Refused, SendError
from newsletter.mail.relay import Relay, parse_relay
from newsletter.mail.replies import Decision
from newsletter.mail.session import Interrupted, Session, Timeouts, open_session
from newsletter.model import Message, Outcome, Verdict

DEFAULT_TIMEOUTS = Timeouts()
RECONNECTS = 2
BREAKS_IN_A_ROW = 5  # so many messages without one reply that counts, and the server is not what it should be

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
Connect = Callable[[], Awaitable[Session]]


def open_smtp(
    url: str,
    *,
    hostname: str = "",
    connections: int = 4,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    loop_factory: LoopFactory | None = None,
) -> SmtpSend:
    """A sender for `smtp://` and `smtps://` URLs (see `relay.parse_relay`); nothing is connected yet.

    `hostname` is what EHLO says, `connections` how many are used unless the URL says so; the loop is uvloop's where
    that is installed. ConfigError for a URL that cannot be used.
    """
    relay = parse_relay(url, connections=connections)
    return SmtpSend(relay, hostname=hostname, timeouts=timeouts, loop_factory=loop_factory or _loop_factory())


class SmtpSend:
    """Implements `newsletter.mail.Send`. May be called again and again, from any thread that runs no event loop."""

    def __init__(self, relay: Relay, *, hostname: str, timeouts: Timeouts, loop_factory: LoopFactory) -> None:
        self._relay = relay
        self._loop_factory = loop_factory
        self._open = partial(open_session, relay, context=_context(relay), hostname=hostname, timeouts=timeouts)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._relay.place}>"

    def __call__(
        self,
        messages: Iterable[Message],
        *,
        started: Callable[[Sequence[int]], None],
        finished: Callable[[Sequence[Outcome]], None],
        stop: Callable[[], bool],
    ) -> None:
        """Send until `messages` ends or `stop()`; see `newsletter.mail.Send`.

        Raises Refused for TLS, credentials or sender, SendError when the server cannot be reached or breaks off again
        and again.
        """
        batch = _Batch(self._relay, iter(messages), self._connect, started=started, finished=finished, stop=stop)
        with asyncio.Runner(loop_factory=self._loop_factory) as runner:
            runner.run(batch.send())

    async def _connect(self) -> Session:
        for _ in range(RECONNECTS):
            try:
                return await self._open()
            except Interrupted:
                continue
        return await self._open()


class _Batch:
    """One call: the messages on their way and what is known so far."""

    def __init__(
        self,
        relay: Relay,
        messages: Iterator[Message],
        connect: Connect,
        *,
        started: Callable[[Sequence[int]], None],
        finished: Callable[[Sequence[Outcome]], None],
        stop: Callable[[], bool],
    ) -> None:
        self._relay = relay
        self._messages = messages
        self._started = started
        self._finished = finished
        self._stop = stop
        self._connect = connect
        self._handed_back: deque[Message] = deque()  # taken, surely not sent, and without a connection
        self._ended = False
        self._breaks = 0
        self._halted: SendError | None = None  # nothing can go out any more
        self._retired: SendError | None = None  # a connection could not be opened; others may stand

    async def send(self) -> None:
        """Open one connection, so that a refusal is met once; then as many as there is work for."""
        try:
            if (message := self._take()) is None:
                return
            self._handed_back.append(message)
            first = await self._connect()
            await _all(self._work(first if number == 0 else None) for number in range(self._relay.connections))
        except SendError as error:
            self._halted = error
        finally:
            self._give_back()
        if failure := self._halted or (self._retired if self._handed_back else None):
            raise failure

    def _give_back(self) -> None:
        why = str(self._halted or self._retired or "given up")
        if self._handed_back:
            self._finished([_unsent(message, why) for message in self._handed_back])

    async def _work(self, session: Session | None) -> None:
        """Keep one connection busy. It retires when it cannot be opened; the others then carry its message."""
        try:
            while (message := self._take()) is not None:
                session = await self._carry(message, session)
            if session is not None:
                await session.quit()
        except Refused as error:
            self._halted = error
        except SendError as error:
            self._retired = error
        finally:
            if session is not None:
                session.abort()

    def _take(self) -> Message | None:
        if self._halted:
            return None
        if self._handed_back:
            return self._handed_back.popleft()
        if self._ended or self._stop():
            return None
        message = next(self._messages, None)
        self._ended = message is None
        return message

    async def _carry(self, message: Message, session: Session | None) -> Session:
        """Offer a message until it has an outcome; a broken connection is no fault of the message."""
        begun: list[int] = []

        def started() -> None:
            if not begun:
                begun.append(message.delivery)
                self._started(begun)

        session = await self._ready(message, session)
        outcome, decision = await self._offer(message, session, started)
        for _ in range(RECONNECTS):
            if decision.again:
                session = await self._ready(message, session)
                outcome, decision = await self._offer(message, session, started)
        self._report(outcome, decision)
        return session

    async def _offer(self, message: Message, session: Session, started: Callable[[], None]) -> tuple[Outcome, Decision]:
        try:
            return await session.deliver(message, started=started)
        except BaseException:
            session.abort()
            self._finished([session.interrupted(message)])
            raise

    async def _ready(self, message: Message, session: Session | None) -> Session:
        if session is not None and session.usable:
            return session
        if session is not None:
            session.abort()
        try:
            return await self._connect()
        except BaseException:
            self._handed_back.append(message)
            raise

    def _report(self, outcome: Outcome, decision: Decision) -> None:
        self._finished([outcome])
        said = f"{outcome.code or ''} {outcome.text}".strip()
        self._breaks = self._breaks + 1 if decision.reconnect else 0
        if decision.refuse:
            self._halted = Refused(f"{self._relay.place} refuses us ({decision.reason}): {said}")
        elif self._breaks >= BREAKS_IN_A_ROW:
            self._halted = SendError(
                f"{self._relay.place} broke off {self._breaks} messages in a row, the last: {said}"
            )


def _unsent(message: Message, why: str) -> Outcome:
    return Outcome(delivery=message.delivery, verdict=Verdict.UNSENT, text=why)


async def _all(works: Iterable[Awaitable[None]]) -> None:
    """Run all to their end. When one raises, the others are given up first, then it is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _context(relay: Relay) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not relay.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _loop_factory() -> LoopFactory:
    try:
        import uvloop  # noqa: PLC0415  # optional
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop

"""Messages to a mail server over several connections: an asyncio island behind a synchronous call.

    a connection (kept, or opened) -> take a message -> offer it -> record -> body -> report its outcome -> the next

The loop runs in the caller's thread, and so do `messages`, `record` and `stop`: a database connection of the caller's
may be used in all of them.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from newsletter.errors import Refused, SendError
from newsletter.mail import Record
from newsletter.mail.channel import Channel
from newsletter.mail.conversation import Result
from newsletter.mail.pace import Pace
from newsletter.mail.relay import Relay, parse_relay
from newsletter.mail.replies import Phase
from newsletter.mail.session import Interrupted, Session, Timeouts, open_session
from newsletter.model import Message, Outcome, Verdict

DEFAULT_TIMEOUTS = Timeouts()
RECONNECTS = 2
BREAKS_IN_A_ROW = 5  # so many messages without one reply that counts, and the server is not what it should be

_SENT = Verdict.SENT
_LOOK = 0.5  # seconds after which a connection without work asks again

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
Connect = Callable[[], Awaitable[Session]]


class Pacing(Protocol):
    """When the next message may be taken; `pace.Pace` is one. Times are those of the event loop."""

    def seconds(self, now: float) -> float:
        """How long to wait before the next message."""
        ...

    def took(self, now: float) -> None:
        """A message was taken."""
        ...

    def slow(self, now: float, *, asked: float | None = None) -> None:
        """The server wants less of us, and perhaps said for how long."""
        ...

    def well(self, now: float) -> None:
        """The server took a message."""
        ...


def open_smtp(
    url: str,
    *,
    hostname: str = "",
    connections: int = 4,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    loop_factory: LoopFactory | None = None,
) -> SmtpSend:
    """A sender for `smtp://`, `smtps://` and `lmtp://` URLs (see `relay.parse_relay`); nothing is connected yet.

    `hostname` is what EHLO says, `connections` how many are used unless the URL says so; the loop is uvloop's where
    that is installed. ConfigError for a URL that cannot be used.
    """
    relay = parse_relay(url, connections=connections)
    return SmtpSend(relay, hostname=hostname, timeouts=timeouts, loop_factory=loop_factory or fastest_loop())


class SmtpSend:
    """Implements `newsletter.mail.Send`. May be called again and again, from any thread that runs no event loop."""

    def __init__(self, relay: Relay, *, hostname: str, timeouts: Timeouts, loop_factory: LoopFactory) -> None:
        self.relay = relay
        self._timeouts = timeouts
        self._loop_factory = loop_factory
        self._open = partial(open_session, relay, context=_context(relay), hostname=hostname, timeouts=timeouts)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.relay.place}>"

    def __call__(
        self,
        messages: Iterable[Message],
        *,
        record: Record,
        stop: Callable[[], bool],
    ) -> None:
        """Send until `messages` ends or `stop()`; see `newsletter.mail.Send`.

        Raises Refused for TLS, credentials or sender, SendError when the server cannot be reached or breaks off again
        and again.
        """
        with asyncio.Runner(loop_factory=self._loop_factory) as runner:
            runner.run(self.carry(messages, record=record, stop=stop, pace=Pace(self.relay.rate)))

    async def carry(
        self, messages: Iterable[Message], *, record: Record, stop: Callable[[], bool], pace: Pacing
    ) -> None:
        """The same for one of several lanes on a loop that runs already, at the pace of that lane."""
        batch = _Batch(
            self.relay, iter(messages), self._connect, pace=pace, timeouts=self._timeouts, record=record, stop=stop
        )
        try:
            await batch.send()
        finally:
            self.relay = batch.relay

    async def _connect(self) -> Session:
        for _ in range(RECONNECTS):
            try:
                return await self._open()
            except Interrupted:
                continue
        return await self._open()


async def carry(
    relay: Relay,
    messages: Iterable[Message],
    *,
    connect: Connect,
    record: Record,
    stop: Callable[[], bool],
    pace: Pacing,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
) -> None:
    """Send as `SmtpSend` does, over connections that the caller opens; `relay` says how they are used."""
    await _Batch(relay, iter(messages), connect, pace=pace, timeouts=timeouts, record=record, stop=stop).send()


class _Batch:
    """One call: the connections, the messages on their way and what is known so far. The pool of its channels.

    What connections ask for within one turn of the event loop is done together: what became of messages and which
    bodies may leave is written down once for all of them, and only then do bodies leave.
    """

    def __init__(
        self,
        relay: Relay,
        messages: Iterator[Message],
        connect: Connect,
        *,
        pace: Pacing,
        timeouts: Timeouts,
        record: Record,
        stop: Callable[[], bool],
    ) -> None:
        self.relay = relay  # what is known of it now
        self._messages = messages
        self._connect = connect
        self._timeouts = timeouts
        self._record = record
        self._stop = stop
        self._handed_back: deque[Message] = deque()  # taken, surely not sent, and without a connection
        self._tries: Counter[int] = Counter()  # of messages that were offered in vain, by delivery
        self._begun: set[int] = set()  # of these, those whose body has begun to leave once
        self._outcomes: list[Outcome] = []
        self._wanting: list[Channel] = []
        self._turning = False
        self._ended = False
        self._stopping = False  # as of the last turn
        self._giving_up = False
        self._breaks = 0
        self._pace = pace
        self._halted: SendError | None = None  # nothing can go out any more
        self._retired: SendError | None = None  # a connection could not be opened; others may stand
        self._failure: BaseException | None = None  # of the caller's, to be raised
        self._loop = asyncio.get_running_loop()
        self._now = self._loop.time
        self._task: asyncio.Task[None] | None = None

    async def send(self) -> None:
        """Open one connection, so that a refusal is met once; then as many as there is work for."""
        self._task = asyncio.current_task()
        try:
            self._stopping = self._stop()
            if (message := self._next()) is None:
                return
            self._handed_back.append(message)
            first = await self._connect()
            try:
                await run_all(self._work(first if number == 0 else None) for number in range(self.relay.connections))
            finally:
                first.abort()  # a task that is given up before it begins closes nothing
        except SendError as error:
            self._halted = error
        except asyncio.CancelledError:
            if self._failure is None:
                raise
        finally:
            self._give_back()
        if failure := self._failure or self._halted or (self._retired if self._handed_back else None):
            raise failure

    def _give_back(self) -> None:
        """Whatever happened: every message taken has an outcome."""
        why = str(self._halted or self._retired or "given up")
        is_ours = not (self._halted or self._retired)
        self._outcomes += [_unsent(message, why, is_ours=is_ours) for message in self._handed_back]
        self._write_down(())

    async def _work(self, session: Session | None) -> None:
        """Keep one connection busy. It retires when it cannot be opened; the others then carry its message."""
        try:
            while session is not None or await self._has_work():
                session = session or await self._connect()
                await self._busy(session)
                await session.quit()
                session = None
        except Refused as error:
            self._halted = error
        except SendError as error:
            self._retired = error
        finally:
            if session is not None:
                session.abort()

    async def _has_work(self) -> bool:
        """Whether there is a message that no connection carries yet and that may go now."""
        while self._is_more():
            seconds = self._pace.seconds(self._now())
            if not seconds:
                return True
            self._stopping = self._stop()
            if self._stopping:
                break
            await asyncio.sleep(min(seconds, _LOOK))
        return False

    async def _busy(self, session: Session) -> None:
        channel = Channel(session, self, relay=self.relay, timeouts=self._timeouts)
        try:
            channel.begin()
            await channel.ended.wait()
        finally:
            self._giving_up = not channel.ended.is_set()
            channel.give_up("given up")
            if channel.conversation.refuses_chunks:
                self.relay = replace(self.relay, chunking=0)
            if channel.conversation.broken and not channel.used:
                self._break_unused()

    def _break_unused(self) -> None:
        """A connection broke before it was of any use: not for ever is another one opened."""
        self._breaks += 1
        if self._breaks >= BREAKS_IN_A_ROW and self._halted is None:
            self._halted = SendError(
                f"{self.relay.place} broke off {self._breaks} times in a row, the last before a message was offered"
            )

    # --- what channels ask for ------------------------------------------------------------------------------------

    def take(self) -> Message | None:
        """The next message; None where there is none, or it is too early for one."""
        now = self._now()
        if self._pace.seconds(now):
            return None
        message = self._next()
        if message is not None:
            self._pace.took(now)
        return message

    def wants(self, channel: Channel) -> None:
        """Let a connection go on with the others that can, in the next turn."""
        self._wanting.append(channel)
        self._ask_for_turn()

    def report(self, result: Result) -> None:
        """Keep an outcome for the next turn; or the message, if another connection may do better."""
        message, outcome, decision, is_first = result
        if outcome.verdict is _SENT:
            self._pace.well(self._now())
            self._breaks = 0
            self._keep(outcome)
            return
        delivery = message.delivery
        if decision.lane and outcome.verdict in {Verdict.DEFERRED, Verdict.UNSENT}:
            self._pace.slow(self._now(), asked=decision.retry_after)
        if decision.again and not self._halted and self._tries[delivery] < RECONNECTS and self._failure is None:
            self._tries[delivery] += 1
            self._begun |= {delivery} if outcome.phase == Phase.BODY else set()
            self._handed_back.append(message)
            return
        self._keep(outcome)
        self._breaks = self._breaks + is_first if decision.reconnect else 0
        if self._halted is not None:
            return
        said = f"{outcome.code or ''} {outcome.text}".strip()
        if decision.refuse:
            self._halted = Refused(f"{self.relay.place} refuses us ({decision.reason}): {said}")
        elif self._breaks >= BREAKS_IN_A_ROW:
            self._halted = SendError(f"{self.relay.place} broke off {self._breaks} messages in a row, the last: {said}")

    def _keep(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome._replace(given_up=True) if self._giving_up else outcome)
        self._ask_for_turn()  # nobody may be left who would

    def _ask_for_turn(self) -> None:
        if not self._turning:
            self._turning = True
            self._loop.call_soon(self._turn)

    # --- a turn ---------------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        self._turning = False
        if self._failure is not None:
            return
        try:
            self._stopping = self._stop()
            self._go_on([channel for channel in self._take_wanting() if not channel.ended.is_set()])
        except BaseException as error:  # noqa: BLE001 - raised where the caller can see it
            self._failure = error
            if self._task is not None:
                self._task.cancel()

    def _take_wanting(self) -> list[Channel]:
        wanting, self._wanting = list(dict.fromkeys(self._wanting)), []
        return wanting

    def _go_on(self, channels: Sequence[Channel]) -> None:
        cleared = {channel: messages for channel in channels if (messages := channel.conversation.cleared)}
        deliveries = [message.delivery for messages in cleared.values() for message in messages]
        refused = self._write_down([delivery for delivery in deliveries if delivery not in self._begun])
        for channel in channels:
            if channel in cleared:
                channel.go(refused)
            else:
                channel.next()
        for channel in channels:
            if channel.conversation.idle:
                self._park(channel)

    def _write_down(self, starting: Sequence[int]) -> Collection[int]:
        """Record; what could not be written is kept for another attempt."""
        if not (self._outcomes or starting):
            return ()
        refused = self._record(tuple(self._outcomes), starting)
        self._outcomes.clear()
        return refused

    def _park(self, channel: Channel) -> None:
        """A connection without work: kept where work will come, else left."""
        if channel.ended.is_set():
            return
        if not self._is_more() or (self._pace.seconds(self._now()) and self._stopping):
            channel.retire()
            return
        seconds = min(self._pace.seconds(self._now()) or _LOOK, _LOOK)
        self._loop.call_later(seconds, self.wants, channel)

    def _is_more(self) -> bool:
        """Whether there is a message that no connection carries yet; it is kept for the next that asks."""
        if (message := self._next()) is not None:
            self._handed_back.appendleft(message)
        return message is not None

    def _next(self) -> Message | None:
        if self._halted:
            return None
        if self._handed_back:
            return self._handed_back.popleft()
        if self._ended or self._stopping:
            return None
        message = next(self._messages, None)
        self._ended = message is None
        return message


def _unsent(message: Message, why: str, *, is_ours: bool) -> Outcome:
    return Outcome(delivery=message.delivery, verdict=Verdict.UNSENT, text=why, given_up=is_ours)


async def run_all(works: Iterable[Awaitable[None]]) -> None:
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
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996
    if not relay.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def fastest_loop() -> LoopFactory:
    """Uvloop's where that is installed."""
    try:
        import uvloop  # noqa: PLC0415  # optional
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop

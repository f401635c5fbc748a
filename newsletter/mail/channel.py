"""One connection at work: writes what its conversation says, tells it what comes, and keeps the time.

    free -> offer(message) -> replies -> cleared -> go() -> body, dot, the next envelope -> replies -> …

Everything is a callback of the event loop: at tens of thousands of messages a second a coroutine for each reply would
cost more than the message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from newsletter.mail.chunks import Chunks
from newsletter.mail.conversation import Conversation, Result
from newsletter.mail.relay import Relay
from newsletter.mail.replies import Phase
from newsletter.mail.session import Session, Timeouts
from newsletter.mail.wire import Reply
from newsletter.model import Message


class Pool(Protocol):
    """Who gives out the messages and hears what became of them."""

    def take(self) -> Message | None:
        """The next message; None where there is none now."""
        ...

    def report(self, result: Result) -> None:
        """What became of a message; it may be offered again elsewhere."""
        ...

    def wants(self, channel: Channel) -> None:
        """This connection may go on: a body may leave, or a message may be offered."""
        ...


class Channel:
    """A session whose messages come from a pool. `ended` is set when it is of no further use, or not needed."""

    def __init__(self, session: Session, pool: Pool, *, relay: Relay, timeouts: Timeouts) -> None:
        """`relay` says how messages go over it, and how many."""
        self.ended = asyncio.Event()
        self.used = False  # whether a message was offered
        self.conversation = _conversation(session.extensions, relay)
        self._wire = session.wire
        self._pool = pool
        self._left = relay.per_connection or -1
        self._loop = asyncio.get_running_loop()
        self._seconds = {
            Phase.RSET: timeouts.command,
            Phase.MAIL: timeouts.mail,
            Phase.RCPT: timeouts.rcpt,
            Phase.DATA: timeouts.data,
            Phase.DOT: timeouts.dot,
            Phase.BODY: timeouts.block,
        }
        self._deadline = 0.0
        self._waited = 0.0
        self._held = 0  # bytes that had not left when last looked at
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Listen, and ask for work."""
        self._wire.listen(self)
        if not self._wire.quiet:
            self._break("connection lost")
        else:
            self._pool.wants(self)

    # --- what the pool says ---------------------------------------------------------------------------------------

    def next(self) -> bool:
        """Offer what there is, as far as it may be offered here; whether anything was."""
        conversation = self.conversation
        offered = False
        while conversation.free and self._left and (message := self._pool.take()) is not None:
            result = conversation.offer(message)
            if result is None:
                self._left -= 1
                self.used = offered = True
            else:
                self._pool.report(result)
        if offered:
            self._write()
            if conversation.cleared:
                self._pool.wants(self)
        elif conversation.idle and not self._left:
            self.retire()
        return offered

    def go(self, refused: Collection[int]) -> None:
        """Write what is cleared, except the deliveries that must not go after all.

        It is in the ledger that the others may have left.
        """
        self.conversation.release(refused)
        if self.conversation.broken:
            self._break("broken off")
        elif not self.conversation.leaving:
            self._pass_on()

    def retire(self) -> None:
        """Nothing further goes over this connection; it is left in good order by whoever opened it."""
        self._over()

    def give_up(self, why: str) -> None:
        """Break off, whatever is under way."""
        self._break(why)

    # --- what the wire says ---------------------------------------------------------------------------------------

    def replied(self, replies: Sequence[Reply]) -> None:
        """Read replies (called by the wire)."""
        conversation = self.conversation
        for reply in replies:
            for result in conversation.received(reply):
                self._pool.report(result)
            if conversation.broken:
                self._break("connection lost" if self._wire.lost else "broken off")
                return
        self._write()
        if conversation.cleared or conversation.free:
            self._pool.wants(self)

    def lost(self) -> None:
        """Judge what was under way (called by the wire)."""
        self._break("connection lost")

    def flushed(self) -> None:
        """Go on after a body that did not leave at once (called by the wire)."""
        if not self.ended.is_set() and self.conversation.leaving:
            self.conversation.dot()
            self._pass_on()

    # --- time -----------------------------------------------------------------------------------------------------

    def _pass_on(self) -> None:
        """Large bodies, each when the one before has left; then the dot, and in the same flight the next envelope."""
        conversation = self.conversation
        while conversation.ready:
            self._wire.write(conversation.body())
            if self._wire.holding:
                self._held = self._wire.waiting
                self._wait(Phase.BODY)
                return
            conversation.dot()
        if not self.next():
            self._write()

    def _write(self) -> None:
        outgoing = self.conversation.outgoing
        if outgoing:
            self._wire.write(outgoing)
            outgoing.clear()
        self._await_reply()

    def _await_reply(self) -> None:
        if phase := self.conversation.waiting_for:
            self._wait(phase)

    def _wait(self, phase: Phase) -> None:
        """Give the next reply its time. A timer that runs is let run: it looks at the deadline when it ends."""
        self._waited = self._seconds[phase]
        self._deadline = self._loop.time() + self._waited
        if self._timer is None or self._timer.when() > self._deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(self._deadline, self._look)

    def _look(self) -> None:
        self._timer = None
        if self.ended.is_set() or self.conversation.idle:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._look)
        elif not self.conversation.leaving:
            self._break(f"no reply within {self._waited:g} s")
        elif self._wire.waiting < self._held:
            self._held = self._wire.waiting
            self._wait(Phase.BODY)
        else:
            self._break(f"nothing could be sent for {self._waited:g} s")

    # --- the end --------------------------------------------------------------------------------------------------

    def _break(self, why: str) -> None:
        if self.ended.is_set():
            return
        self._wire.listen(None)
        self._wire.abort()  # at once: a closing connection would still send what waits, a final dot with it
        for result in self.conversation.lost(Reply(0, (why,))):
            self._pool.report(result)
        self._over()

    def _over(self) -> None:
        self._wire.listen(None)
        if self._timer is not None:
            self._timer.cancel()
        self.ended.set()


def _conversation(extensions: Mapping[str, str], relay: Relay) -> Conversation | Chunks:
    """By BDAT where that is wanted and both sides can do it, else by DATA."""
    if relay.chunking and relay.pipelining and extensions.keys() >= {"CHUNKING", "PIPELINING"}:
        return Chunks(extensions, window=relay.chunking, dsn=relay.dsn)
    return Conversation(extensions, pipelining=relay.pipelining, dsn=relay.dsn, lmtp=relay.lmtp)

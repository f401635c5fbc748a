"""The message phase of one SMTP connection by BDAT (RFC 3030), without the connection: several messages on their way.

    offer(k) -> `cleared` -> release() -> `ready`      body(): RSET? MAIL RCPT BDAT n LAST and n octets      dot()

No reply is waited for in between, so that a round trip carries a window of messages instead of one. The price is that a
refusal at MAIL or RCPT is read when the message has left, and that a cut leaves the whole window uncertain. What may
not be guessed is decided like this:

- The octets of a refused message are on their way and are read by the server, whose reply to their BDAT ends it. A RSET
  stands before an envelope that follows a message whose end is not known, so that it cannot add to a transaction that
  an earlier message left open.
- The first message goes alone. Only when its BDAT was taken does the window open: a server that reads octets as
  commands, since it knows no BDAT after all, sees those of one message.
- After a reply that says goodbye nothing more is begun, and what is on its way is waited for. A server reads nothing
  after its 421 (RFC 5321 section 3.8): what it does not answer then was not taken.
- What was refused for now and yet taken at the end is uncertain.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from newsletter.mail.conversation import Result, judge, not_offered
from newsletter.mail.envelope import mail_command, obstacle, rcpt_command
from newsletter.mail.relay import Dsn
from newsletter.mail.replies import Decision, Phase, goes_on, read_reply
from newsletter.mail.wire import Reply, with_line_ends
from newsletter.model import Message, Verdict

_CLOSING = 421
_NO_BDAT = frozenset({500, 502, 503, 504})  # RFC 5321 section 4.2.4: not known, not now, not like this


@dataclass(eq=False, slots=True)
class _Chunk:
    """A message on its way. `phase` is how much of it has left, `refusal` the reply that stopped it."""

    message: Message
    pieces: Sequence[bytes]
    phase: Phase = Phase.RSET
    refusal: tuple[Phase, Reply] | None = None


class Chunks:
    """One connection's messages, from the first MAIL on; used as `conversation.Conversation` is."""

    def __init__(self, extensions: Mapping[str, str], *, window: int, dsn: Dsn = Dsn.OFF) -> None:
        """`extensions` are those of the last EHLO, PIPELINING and CHUNKING among them; `window` is in messages."""
        self.broken = False  # no further message may be offered here
        self.refuses_chunks = False  # the server does not take BDAT, whatever it offered
        self.outgoing: list[bytes] = []  # always empty: everything leaves with a body
        self._extensions = extensions
        self._dsn = dsn
        self._window = window
        self._open = 1  # how much of the window may be used
        self._under_way = 0
        self._closing = False  # nothing more is begun
        self._goodbye = False  # a 421 was the last thing said
        self._unfinished = False  # the end of the last message answered left its transaction open
        self._expected: deque[tuple[Phase, _Chunk]] = deque()
        self._cleared: deque[_Chunk] = deque()
        self._ready: deque[_Chunk] = deque()
        self._leaving: _Chunk | None = None

    # --- what the connection is at --------------------------------------------------------------------------------

    @property
    def cleared(self) -> Collection[Message]:
        """The messages that may leave when they are released."""
        return [chunk.message for chunk in self._cleared]

    @property
    def ready(self) -> bool:
        """Whether `body` has something to write now."""
        return bool(self._ready) and self._leaving is None and not (self._closing or self.broken)

    @property
    def leaving(self) -> bool:
        """Whether a message is being written of which some has not left."""
        return self._leaving is not None

    @property
    def free(self) -> bool:
        """Whether a message may be offered now."""
        return self._under_way < self._open and not (self._closing or self.broken)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._under_way

    @property
    def waiting_for(self) -> Phase | None:
        """The step whose reply comes next; None when none is due, as while a message is being written."""
        return self._expected[0][0] if self._expected and self._leaving is None else None

    # --- what goes out --------------------------------------------------------------------------------------------

    def offer(self, message: Message) -> Result | None:
        """Begin with a message: it is `cleared`. The result at once if it cannot be offered here."""
        try:
            why = obstacle(message, self._extensions)
            pieces = message.pieces if message.is_encoded else (with_line_ends(message.data),)
        except ValueError as error:
            why, pieces = str(error), ()
        if why:
            return not_offered(message, why)
        self._cleared.append(_Chunk(message, pieces))
        self._under_way += 1
        return None

    def release(self, refused: Collection[int]) -> None:
        """Let the cleared messages leave, but those deliveries that must not; nothing of them has left."""
        self._ready.extend(chunk for chunk in self._cleared if chunk.message.delivery not in refused)
        self._under_way -= sum(chunk.message.delivery in refused for chunk in self._cleared)
        self._cleared.clear()

    def body(self) -> Sequence[bytes]:
        """The next message that is ready, envelope and all, to be written."""
        chunk = self._leaving = self._ready.popleft()
        message = chunk.message
        steps = [
            (Phase.MAIL, mail_command(message, self._extensions, dsn=self._dsn)),
            (Phase.RCPT, rcpt_command(message, self._extensions, dsn=self._dsn)),
            (Phase.DOT, b"BDAT %d LAST\r\n" % sum(map(len, chunk.pieces))),
        ]
        if self._expected or self._unfinished:
            steps.insert(0, (Phase.RSET, b"RSET\r\n"))
            self._unfinished = False
        self._expected.extend((phase, chunk) for phase, _ in steps)
        chunk.phase = Phase.BODY
        return [*(command for _, command in steps), *chunk.pieces]

    def dot(self) -> None:
        """Every byte of that message has left: from here on the server may have it."""
        assert self._leaving is not None  # noqa: S101  # the caller looked
        self._leaving.phase = Phase.DOT
        self._leaving = None

    # --- what comes in --------------------------------------------------------------------------------------------

    def received(self, reply: Reply) -> Iterator[Result]:
        """What a reply ends, if it ends anything. A reply that nobody waits for breaks the connection."""
        if not self._expected:
            self.broken = True
            return
        phase, chunk = self._expected.popleft()
        self._goodbye = reply.code == _CLOSING
        if not (goes_on(reply.code, phase=phase) or 400 <= reply.code <= 599):  # noqa: PLR2004 (RFC 5321 section 4.2)
            self.broken = True
            self._expected = deque(due for due in self._expected if due[1] is not chunk)
            yield self._ended(chunk, reply)
        elif phase is Phase.DOT:
            yield self._answered(chunk, reply)
        elif chunk.refusal is None and not goes_on(reply.code, phase=phase):
            chunk.refusal = phase, reply
            self._closing = self._closing or read_reply(reply.code, reply.text, phase=phase).reconnect
        self.broken = self.broken or (self._closing and not self._expected)

    def lost(self, reply: Reply) -> Iterator[Result]:
        """What is known of every message under way when nothing further comes; `reply` says why."""
        self.broken = True
        left = dict.fromkeys(chunk for _, chunk in self._expected)
        results = []
        for chunk in [*left, *self._ready, *self._cleared]:
            if chunk in left and self._goodbye and chunk.refusal is None:
                chunk.phase = Phase.MAIL
            results.append(self._ended(chunk, reply))
        self._leaving = None
        for waiting in (self._expected, self._ready, self._cleared):
            waiting.clear()
        yield from (result._replace(is_first=number == 0) for number, result in enumerate(results))

    def _answered(self, chunk: _Chunk, reply: Reply) -> Result:
        """What the reply to BDAT says of a message."""
        self._unfinished = not goes_on(reply.code, phase=Phase.DOT)
        if chunk is self._leaving:  # an answer to what it has only part of
            self.broken = True
        elif chunk.refusal is None and reply.code in _NO_BDAT:
            return self._unchunked(chunk, reply)
        elif chunk.refusal is None and not self._unfinished:
            self._open = self._window
        result = self._ended(chunk, reply)
        if chunk.refusal is None:
            self._closing = self._closing or result.decision.reconnect
        elif not self._unfinished and result.outcome.verdict in {Verdict.UNSENT, Verdict.DEFERRED}:
            said = Reply(0, (f"refused ({chunk.refusal[1]}), yet taken at the end: {reply}",))
            self.broken = True
            return judge(chunk.message, said, Phase.DOT)
        return result

    def _unchunked(self, chunk: _Chunk, reply: Reply) -> Result:
        """The server offered CHUNKING and does not take it: the message goes over another connection, by DATA."""
        self.refuses_chunks = self._closing = True
        self._under_way -= 1
        result = judge(chunk.message, reply, Phase.DOT)
        decision = Decision(verdict=Verdict.UNSENT, reason="BDAT not taken", reconnect=True)
        return result._replace(outcome=result.outcome._replace(verdict=decision.verdict), decision=decision)

    def _ended(self, chunk: _Chunk, reply: Reply) -> Result:
        """By its refusal, if it had one; else by this reply."""
        self._under_way -= 1
        phase, said = chunk.refusal or (chunk.phase, reply)
        return judge(chunk.message, said, phase)

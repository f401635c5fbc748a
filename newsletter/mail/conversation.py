"""The message phase of one SMTP connection, without the connection: what to write, and what a reply means.

    offer(k) -> RSET? MAIL RCPT DATA      354 comes: `cleared`      body() dot() -> the end of message k

With PIPELINING (RFC 2920) the envelope goes out in one flight; and since message content may stand first in a group of
commands (section 3.1), the envelope of the next message follows the final dot at once: one round trip a message.
Without it each command waits for its reply. The step every message is at is known at every moment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from newsletter.mail.envelope import mail_command, obstacle, rcpt_command
from newsletter.mail.relay import Dsn
from newsletter.mail.replies import Decision, Phase, goes_on, read_reply
from newsletter.mail.wire import Reply, dot_stuffed
from newsletter.model import Message, Outcome, Verdict

DOT = b".\r\n"
AT_ONCE = 128 * 1024  # bytes: so much surely fits into the buffer of a connection on which nothing is under way

# Looked at several times a message, and a member of an enumeration costs more to look up than a name.
_MAIL, _RCPT, _DATA, _BODY, _DOT = Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY, Phase.DOT
_ENVELOPE = (_MAIL, _RCPT, _DATA)


class Result(NamedTuple):
    """What became of a message, and what that says about the connection and the server.

    `is_first` is false for a message that ended by the same break as one before it.
    """

    message: Message
    outcome: Outcome
    decision: Decision
    is_first: bool = True


def judge(message: Message, reply: Reply, phase: Phase) -> Result:
    """What the reply that ended a message at a step makes of it."""
    text = reply.text
    decision = read_reply(reply.code, text, phase=phase)
    outcome = Outcome(
        delivery=message.delivery,
        verdict=decision.verdict,
        code=reply.code,
        text=text,
        phase=phase,
        retry_after=decision.retry_after,
        policy=decision.policy,
    )
    return Result(message, outcome, decision)


def not_offered(message: Message, why: str) -> Result:
    """A message that cannot be offered to this server."""
    decision = Decision(verdict=Verdict.REJECTED, reason="not offered")
    outcome = Outcome(delivery=message.delivery, verdict=decision.verdict, text=why, phase=Phase.RSET)
    return Result(message, outcome, decision)


@dataclass(eq=False, slots=True)
class _Exchange:
    """A message on its way. `phase` is the last step that was begun, `refusal` the reply that stopped it."""

    message: Message
    pieces: Sequence[bytes]
    phase: Phase
    refusal: tuple[Phase, Reply] | None = None
    ended: bool = False


class Conversation:
    """One connection's messages, from the first MAIL on."""

    def __init__(
        self,
        extensions: Mapping[str, str],
        *,
        pipelining: bool = True,
        dsn: Dsn = Dsn.OFF,
        lmtp: bool = False,
        at_once: int = AT_ONCE,
    ) -> None:
        """`extensions` are those of the last EHLO; `pipelining` makes use of that one where it is offered.

        A message of at most `at_once` bytes is written together with its dot and the next envelope. The dot of a larger
        one waits until the body has left: if the connection ends before, nobody has that message.

        With `lmtp` the server answers a final dot once for each recipient it took (RFC 2033 section 4.2): once, as a
        message has one, or not at all.
        """
        self.broken = False  # no further message may be offered here
        self.refuses_chunks = False  # it is given none
        self.outgoing: list[bytes] = []  # to be written now
        self.ready = False  # `body` has something to write now: a message that is too large to be `outgoing`
        self._extensions = extensions
        self._dsn = dsn
        self._lmtp = lmtp
        self._at_once = at_once
        self._pipelining = pipelining and "PIPELINING" in extensions
        self._expected: deque[tuple[Phase, _Exchange | None]] = deque()
        self._later: deque[tuple[Phase, bytes]] = deque()  # of the message offered, each when its turn comes
        self._offered: _Exchange | None = None
        self._cleared: _Exchange | None = None
        self._leaving: _Exchange | None = None  # its body is being written, its dot is not
        self._unfinished = False

    # --- what the connection is at --------------------------------------------------------------------------------

    @property
    def cleared(self) -> Collection[Message]:
        """The message whose body may leave when it is released."""
        return (self._cleared.message,) if self._cleared and not self.ready else ()

    @property
    def leaving(self) -> bool:
        """Whether a body is being written whose dot is not."""
        return self._leaving is not None

    @property
    def free(self) -> bool:
        """Whether a message may be offered now: with pipelining while another waits for the reply to its dot."""
        waiting = self._offered or self._cleared or self._leaving or (self._expected and not self._pipelining)
        return not (waiting or self.broken)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not (self._expected or self._offered or self._cleared or self._leaving)

    @property
    def waiting_for(self) -> Phase | None:
        """The step whose reply comes next; None when none is due, as while a body is being written."""
        return self._expected[0][0] if self._expected and self._leaving is None else None

    # --- what goes out --------------------------------------------------------------------------------------------

    def offer(self, message: Message) -> Result | None:
        """Begin with a message: its envelope is `outgoing`. The result at once if it cannot be offered here."""
        try:
            why = obstacle(message, self._extensions)
            pieces = message.pieces if message.is_encoded else (dot_stuffed(message.data),)
        except ValueError as error:
            why, pieces = str(error), ()
        if why:
            return not_offered(message, why)
        exchange = self._offered = _Exchange(message, pieces, _MAIL)
        phases, commands = self._envelope(message)
        if self._pipelining:
            self._expected += [(phase, exchange) for phase in phases]
            self.outgoing += commands
        else:
            self._later.extend(zip(phases, commands, strict=True))
            self._step(exchange)
        return None

    def release(self, refused: Collection[int]) -> None:
        """Let the cleared message leave, unless its delivery must not: only breaking off leaves the server without."""
        assert self._cleared is not None  # noqa: S101  # the caller looked
        if self._cleared.message.delivery in refused:
            self._cleared = None
            self.broken = True
            return
        self.ready = True
        if self._cleared.message.size <= self._at_once:
            self.outgoing += self.body()
            self.dot()

    def body(self) -> Sequence[bytes]:
        """The released message, to be written; its dot follows when every byte of it has left."""
        assert self._cleared is not None  # noqa: S101  # the caller looked
        exchange, self._cleared = self._cleared, None
        self.ready = False
        exchange.phase = _BODY
        self._leaving = exchange
        return exchange.pieces

    def dot(self) -> None:
        """The end of the message whose body has left: it is `outgoing`."""
        assert self._leaving is not None  # noqa: S101  # the caller looked
        exchange, self._leaving = self._leaving, None
        exchange.phase = _DOT
        self._expected.append((_DOT, exchange))
        self.outgoing.append(DOT)

    # --- what comes in --------------------------------------------------------------------------------------------

    def received(self, reply: Reply) -> Sequence[Result]:
        """What a reply ends, if it ends anything. A reply that nobody waits for breaks the connection."""
        if not self._expected:
            return self._unexpected(reply)
        phase, exchange = self._expected.popleft()
        if exchange is None:  # the dot after a message that was not to be sent: whatever it says
            self.broken = not reply.code
        elif phase is _DOT:
            return (self._ended(exchange, reply),)
        elif exchange.refusal is not None or not goes_on(reply.code, phase=phase):
            return self._refused(exchange, phase, reply)
        elif phase is _DATA:
            self._offered, self._cleared = None, exchange
        elif self._later:
            self._step(exchange)
        else:
            exchange.phase = self._expected[0][0]
        return ()

    def lost(self, reply: Reply) -> Iterator[Result]:
        """What is known of every message under way when nothing further comes; `reply` says why."""
        self.broken = True
        under_way = dict.fromkeys(exchange for _, exchange in self._expected if exchange is not None)
        others = (self._leaving, self._cleared, self._offered)
        self._expected.clear()
        self._leaving = self._cleared = self._offered = None
        for exchange in dict.fromkeys([*under_way, *(other for other in others if other is not None)]):
            if not exchange.ended:
                yield self._ended(exchange, reply)

    def _unexpected(self, reply: Reply) -> Sequence[Result]:
        self.broken = True
        exchange = self._leaving or self._cleared
        if exchange is None:
            return ()
        self._leaving = self._cleared = None
        exchange.phase = _BODY  # the reply is about it: a refusal counts, a thank-you does not
        return (self._ended(exchange, reply),)

    def _step(self, exchange: _Exchange) -> None:
        phase, command = self._later.popleft()
        exchange.phase = phase
        self._expected.append((phase, exchange))
        self.outgoing.append(command)

    def _refused(self, exchange: _Exchange, phase: Phase, reply: Reply) -> Sequence[Result]:
        """A step was not taken, or one before it: the others of the envelope are read, and mean nothing more."""
        if exchange.refusal is None:
            exchange.refusal = phase, reply
            exchange.phase = phase
        self._later.clear()
        first = read_reply(exchange.refusal[1].code, exchange.refusal[1].text, phase=exchange.refusal[0])
        if not first.reconnect and any(of is exchange for _, of in self._expected):
            return ()
        if phase is _DATA and reply.code == 354:  # noqa: PLR2004 (RFC 5321 section 4.2)
            # The server goes on without a recipient: an empty message has nobody to go to (RFC 2920 section 3.1).
            if self._lmtp:
                self.broken = True  # nobody would answer
            else:
                self.outgoing.append(DOT)
                self._expected.append((_DOT, None))
        self._offered = None
        self._unfinished = True
        return (self._ended(exchange, exchange.refusal[1]),)

    def _ended(self, exchange: _Exchange, reply: Reply) -> Result:
        exchange.ended = True
        result = judge(exchange.message, reply, exchange.phase)
        self.broken = self.broken or result.decision.reconnect or exchange.phase is _BODY
        return result

    def _envelope(self, message: Message) -> tuple[Sequence[Phase], Sequence[bytes]]:
        """The steps and what is said at each."""
        commands = (
            mail_command(message, self._extensions, dsn=self._dsn),
            rcpt_command(message, self._extensions, dsn=self._dsn),
            b"DATA\r\n",
        )
        if not self._unfinished:
            return _ENVELOPE, commands
        self._unfinished = False
        return (Phase.RSET, *_ENVELOPE), (b"RSET\r\n", *commands)

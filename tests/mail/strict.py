"""A server made of nothing but its rules, a line to it that may end at any byte, and what must hold all the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import repeat

from newsletter.mail.chunks import Chunks
from newsletter.mail.conversation import Conversation
from newsletter.mail.wire import Reply, ReplyReader
from newsletter.model import Message, Outcome, Verdict

EXTENSIONS = {"PIPELINING": "", "CHUNKING": "", "SIZE": "1000"}
FOREVER = 1 << 30

# What the server has against a message, by the local part of its recipient.
AT_RCPT = {
    "unknown": "550 5.1.1 no such user",
    "later": "451 4.2.1 later",
    "goodbye": "421 4.3.2 closing",
    "babble": "hello",
    "rude": "421 4.3.2 closing",  # and stays
    "fickle": "451 4.2.1 later",  # and takes it all the same
}
AT_MAIL = {"mail": "451 4.3.0 later"}
AT_END = {
    "spam": "554 5.7.1 spam",
    "full": "452 4.2.2 full",
    "enough": "452 4.5.3 too many messages in this session",
    "leaving": "421 4.3.2 shutting down",
    "garbage": "250_taken",
}
VERDICTS = {
    "good": Verdict.SENT,
    "unknown": Verdict.SUPPRESS,
    "later": Verdict.DEFERRED,
    "mail": Verdict.DEFERRED,
    "spam": Verdict.REJECTED,
    "full": Verdict.DEFERRED,
    "fickle": Verdict.UNCERTAIN,
}
BESIDE_THE_PROTOCOL = {"rude", "fickle"}  # what these say before a cut cannot be relied on
KINDS = sorted({*AT_RCPT, *AT_MAIL, *AT_END} - BESIDE_THE_PROTOCOL) + ["good"] * 6


def a_message(number: int, kind: str = "good") -> Message:
    """One that has something to say about its end, and a sender of its own."""
    data = b"Subject: %d\r\n\r\n.\r\nQUIT\r\n..x\r\n" % number
    return Message(
        delivery=number, sender=f"b+{number}@example.org", recipient=f"{kind}.{number}@x.org", pieces=(data,)
    )


@dataclass
class Strict:
    """A server that minds the order of commands (RFC 5321, RFC 2920, RFC 3030) and remembers what it took."""

    said: bytearray = field(default_factory=bytearray)
    taken: list[tuple[str, str, bytes]] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    knows_bdat: bool = True
    _heard: bytearray = field(default_factory=bytearray)
    _sender: str | None = None
    _recipient: str = ""
    _needs_reset: bool = False
    _closed: bool = False
    _in_data: bool = False

    def hear(self, data: bytes) -> None:
        """Take bytes as they arrive; answers are `said`."""
        self._heard += data
        while not self._closed and (end := self._heard.find(b"\r\n")) >= 0:
            if self._in_data:
                self._heard[:0] = b"\r\n" if self._heard.startswith(b".\r\n") else b""
                content, dot, rest_of_it = bytes(self._heard).partition(b"\r\n.\r\n")
                if not dot:
                    return
                self._heard[:] = rest_of_it
                self._in_data = False
                lines = [line.removeprefix(b".") for line in (content + b"\r\n").split(b"\r\n")]
                self._say(self._end(b"\r\n".join(lines)))
                continue
            line = self._heard[:end].decode()
            verb, _, rest = line.partition(" ")
            size = int(rest.split()[0]) if verb == "BDAT" and self.knows_bdat else 0
            if len(self._heard) < end + 2 + size:
                return
            octets = bytes(self._heard[end + 2 : end + 2 + size])
            del self._heard[: end + 2 + size]
            self.orders.append(verb)
            self._say(self._answer(verb, rest.partition("<")[2].partition(">")[0], octets))

    def _say(self, answer: str) -> None:
        self.said += answer.encode() + b"\r\n"

    def _answer(self, verb: str, address: str, octets: bytes) -> str:
        if verb == "RSET":
            self._sender, self._recipient, self._needs_reset = None, "", False
            return "250 2.0.0 ok"
        if verb == "MAIL":
            return self._mail(address)
        if verb == "RCPT":
            return self._rcpt(address)
        if verb == "DATA":
            return self._data()
        return self._bdat(octets) if verb == "BDAT" and self.knows_bdat else "502 5.5.2 what?"

    def _mail(self, address: str) -> str:
        if self._sender is not None or self._needs_reset:
            return "503 5.5.1 nested MAIL"
        self._sender = address
        return "250 2.1.0 ok"

    def _rcpt(self, address: str) -> str:
        kind = address.partition(".")[0]
        if self._sender is None or self._needs_reset:
            return "503 5.5.1 need MAIL"
        if kind in AT_MAIL:
            self._sender, self._needs_reset = None, True
            return AT_MAIL[kind]
        self._recipient = address if kind not in AT_RCPT or kind == "fickle" else ""
        self._closed = kind == "goodbye"
        return AT_RCPT.get(kind, "250 2.1.5 ok")

    def _data(self) -> str:
        self._in_data = not (self._sender is None or not self._recipient or self._needs_reset)
        return "354 go on" if self._in_data else "503 5.5.1 need MAIL and RCPT"

    def _bdat(self, octets: bytes) -> str:
        if self._sender is None or not self._recipient or self._needs_reset:
            self._needs_reset = True
            return "503 5.5.1 need MAIL and RCPT"
        answer = self._end(octets)
        self._needs_reset = not answer.startswith("2")  # RFC 3030 section 2: the state is indeterminate
        return answer

    def _end(self, octets: bytes) -> str:
        sender, recipient = self._sender or "", self._recipient
        kind = recipient.partition(".")[0]
        self._sender, self._recipient = None, ""
        self._closed = kind == "leaving"
        if kind not in AT_END:
            self.taken.append((sender, recipient, octets))
        return AT_END.get(kind, "250 2.0.0 taken")


@dataclass
class Line:
    """A line that takes `left` bytes from us, brings `arriving` of them there, and `returning` of the answers back."""

    server: Strict
    left: int = FOREVER
    arriving: int = FOREVER
    returning: int = FOREVER
    _sent: int = 0
    _brought: int = 0

    def send(self, data: bytes) -> bool:
        """Whether all of it has left."""
        part = data[: max(0, self.left - self._sent)]
        self.server.hear(part[: max(0, self.arriving - self._sent)])
        self._sent += len(part)
        return len(part) == len(data)

    def bring(self, most: int) -> bytes:
        """The next bytes of the answers."""
        part = bytes(self.server.said[: self.returning][self._brought : self._brought + most])
        self._brought += len(part)
        return part


def send_over(
    line: Line,
    messages: Iterable[Message],
    conversation: Chunks | Conversation,
    *,
    steps: Iterable[tuple[int, int]] = repeat((FOREVER, FOREVER)),
) -> Iterator[Outcome]:
    """As a channel does it; each step is how many messages may be offered, then how many bytes of answers come."""
    waiting = iter(messages)
    reader = ReplyReader()
    for offers, most in steps:
        count = _offer(line, waiting, conversation, offers)
        replies = reader.feed(line.bring(most))
        for reply in replies:
            yield from (result.outcome for result in conversation.received(reply))
            if conversation.broken:
                break
        if conversation.broken or (offers and most and not count and not replies):
            break
    yield from (result.outcome for result in conversation.lost(Reply(0, ("connection lost",))))


def _offer(line: Line, waiting: Iterator[Message], conversation: Chunks | Conversation, most: int) -> int:
    """Write what may be written, and offer so many messages at most; how many were."""
    _write(line, conversation)
    if conversation.cleared:
        conversation.release(())
    while conversation.ready:
        if line.send(b"".join(conversation.body())):
            conversation.dot()
    count = 0
    while conversation.free and count < most and (message := next(waiting, None)) is not None:
        count += 1
        assert conversation.offer(message) is None
    _write(line, conversation)
    if isinstance(conversation, Chunks) and conversation.cleared:
        _offer(line, iter(()), conversation, 0)
    return count


def _write(line: Line, conversation: Chunks | Conversation) -> None:
    line.send(b"".join(conversation.outgoing))
    conversation.outgoing.clear()


def check(messages: list[Message], offered: int, outcomes: list[Outcome], server: Strict) -> None:
    """What must hold whatever happened: one outcome each; nothing taken that is told as not; nothing mixed up."""
    verdicts = {outcome.delivery: outcome.verdict for outcome in outcomes}
    assert Counter(outcome.delivery for outcome in outcomes) == Counter(range(offered))
    originals = {(message.sender, message.recipient, message.data): message.delivery for message in messages}
    taken = Counter(originals[mail] for mail in server.taken)  # KeyError: a mail that nobody sent
    assert all(number == 1 for number in taken.values())
    for delivery, verdict in verdicts.items():
        if verdict is Verdict.SENT:
            assert delivery in taken
        elif verdict is not Verdict.UNCERTAIN:
            assert delivery not in taken

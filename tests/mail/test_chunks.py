"""Messages by BDAT, against a server made of nothing but its rules, and a line that may end at any byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.mail.chunks import Chunks
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
    return Message(delivery=number, sender=f"b+{number}@example.org", recipient=f"{kind}.{number}@x.org", data=data)


@dataclass
class Strict:
    """A server that minds the order of commands (RFC 5321, RFC 3030) and remembers what it took."""

    said: bytearray = field(default_factory=bytearray)
    taken: list[tuple[str, str, bytes]] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    knows_bdat: bool = True
    _heard: bytearray = field(default_factory=bytearray)
    _sender: str | None = None
    _recipient: str = ""
    _needs_reset: bool = False
    _closed: bool = False

    def hear(self, data: bytes) -> None:
        """Take bytes as they arrive; answers are `said`."""
        self._heard += data
        while not self._closed and (end := self._heard.find(b"\r\n")) >= 0:
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

    def _bdat(self, octets: bytes) -> str:
        sender, recipient = self._sender, self._recipient
        kind = recipient.partition(".")[0]
        if sender is None or not recipient or self._needs_reset:
            self._needs_reset = True
            return "503 5.5.1 need MAIL and RCPT"
        self._sender, self._recipient, self._needs_reset = None, "", kind in AT_END
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
    *,
    window: int,
    steps: Iterable[tuple[int, int]] = repeat((FOREVER, FOREVER)),
    chunks: Chunks | None = None,
) -> Iterator[Outcome]:
    """As a channel does it; each step is how many messages may be offered, then how many bytes of answers come."""
    chunks = chunks or Chunks(EXTENSIONS, window=window)
    waiting = iter(messages)
    reader = ReplyReader()
    for offers, most in steps:
        count = 0
        while chunks.free and count < offers and (message := next(waiting, None)) is not None:
            count += 1
            assert chunks.offer(message) is None
        chunks.release(())
        while chunks.ready:
            if line.send(chunks.body()):
                chunks.dot()
        replies = reader.feed(line.bring(most))
        for reply in replies:
            yield from (result.outcome for result in chunks.received(reply))
            if chunks.broken:
                break
        if chunks.broken or (offers and most and not count and not replies):
            break
    yield from (result.outcome for result in chunks.lost(Reply(0, ("connection lost",))))


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


def test_a_window_is_on_its_way_at_once() -> None:
    """The first message alone; when its BDAT is taken, as many as the window has, without waiting for a reply."""
    server = Strict()
    chunks = Chunks(EXTENSIONS, window=3)
    for number in range(5):
        if chunks.free:
            assert chunks.offer(a_message(number)) is None
    assert [message.delivery for message in chunks.cleared] == [0]
    chunks.release(())
    first = chunks.body()
    assert first == (
        b"MAIL FROM:<b+0@example.org> SIZE=28\r\nRCPT TO:<good.0@x.org>\r\nBDAT 28 LAST\r\n" + a_message(0).data
    )
    chunks.dot()
    server.hear(first)
    (result,) = [found for reply in ReplyReader().feed(bytes(server.said)) for found in chunks.received(reply)]
    assert result.outcome.verdict is Verdict.SENT

    for number in range(1, 5):
        if chunks.free:
            assert chunks.offer(a_message(number)) is None
    assert [message.delivery for message in chunks.cleared] == [1, 2, 3]
    chunks.release([2])
    written = b""
    while chunks.ready:
        written += chunks.body()
        chunks.dot()
    assert written.count(b"BDAT") == 2
    assert written.index(b"RSET") > written.index(a_message(1).data)
    assert chunks.free


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(list(VERDICTS)), min_size=1, max_size=10), st.integers(1, 8))
def test_each_gets_its_own_answer(kinds: list[str], window: int) -> None:
    """A refusal in a window is that message's; those before and behind it are what they would be alone."""
    messages = [a_message(number, kind) for number, kind in enumerate(kinds)]
    server = Strict()
    end = kinds.index("fickle") + 1 if "fickle" in kinds else len(kinds)
    outcomes = list(send_over(Line(server), messages, window=window))

    check(messages, len(outcomes), outcomes, server)
    assert [outcome.verdict for outcome in outcomes][:end] == [VERDICTS[kind] for kind in kinds[:end]]


@settings(deadline=None, max_examples=600)
@given(
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=8),
    st.integers(1, 5),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 70)), max_size=60),
    st.tuples(st.integers(0, 1200), st.integers(0, 1200), st.integers(0, 900)),
)
def test_whatever_happens_nothing_is_guessed(
    kinds: list[str], window: int, steps: list[tuple[int, int]], ends: tuple[int, int, int]
) -> None:
    """Offers and answers in any order, any refusals, a line that ends anywhere: what is told is what was taken."""
    messages = [a_message(number, kind) for number, kind in enumerate(kinds)]
    waiting = iter(messages)
    server = Strict()
    left, arriving, returning = ends
    line = Line(server, left=left, arriving=min(left, arriving), returning=returning)
    outcomes = list(send_over(line, waiting, window=window, steps=steps))

    check(messages, len(messages) - len(list(waiting)), outcomes, server)


@pytest.mark.parametrize(
    "kinds", [["good"] * 4, ["good", "later", "good", "spam"], ["good", "good", "goodbye", "good"]]
)
def test_a_line_that_ends_at_any_byte(kinds: list[str]) -> None:
    """A cut at each byte of what we say and of what the server answers; what had not left whole is surely not sent."""
    messages = [a_message(number, kind) for number, kind in enumerate(kinds)]
    for end in range(600):
        for line in (
            Line(Strict(), left=end, arriving=end),
            Line(Strict(), arriving=end),
            Line(Strict(), returning=end),
        ):
            waiting = iter(messages)
            outcomes = list(send_over(line, waiting, window=3))
            check(messages, len(messages) - len(list(waiting)), outcomes, line.server)
            if line.left == end:
                uncertain = [outcome for outcome in outcomes if outcome.verdict is Verdict.UNCERTAIN]
                assert not uncertain  # every byte that left arrived, and what was answered came back


def test_after_421_the_rest_was_not_taken() -> None:
    """A server that says goodbye reads no further: what is behind goes out elsewhere at once, and is not uncertain."""
    kinds = ["good", "good", "goodbye", "good", "good"]
    outcomes = list(send_over(Line(Strict()), [a_message(*kind) for kind in enumerate(kinds)], window=4))

    verdicts = {outcome.delivery: outcome.verdict for outcome in outcomes}
    assert verdicts == {0: Verdict.SENT, 1: Verdict.SENT, **dict.fromkeys((2, 3, 4), Verdict.UNSENT)}


def test_a_server_that_says_421_and_stays() -> None:
    """What it answers after that counts as it is; no further message is begun."""
    kinds = ["good", "rude", "good", "good", "good"]
    server = Strict()
    waiting = iter([a_message(*kind) for kind in enumerate(kinds)])
    outcomes = list(send_over(Line(server), waiting, window=3))

    assert [(outcome.delivery, outcome.verdict) for outcome in outcomes] == [
        (0, Verdict.SENT),
        (1, Verdict.UNSENT),
        (2, Verdict.SENT),
        (3, Verdict.SENT),
    ]
    assert len(list(waiting)) == 1


def test_a_server_that_knows_no_bdat() -> None:
    """502 to the first BDAT: the message goes elsewhere by DATA, and no other octet is read as a command."""
    server = Strict(knows_bdat=False)
    chunks = Chunks(EXTENSIONS, window=4)
    (outcome,) = send_over(Line(server), [a_message(number) for number in range(3)], window=4, chunks=chunks)

    assert (outcome.verdict, outcome.code, outcome.phase) == (Verdict.UNSENT, 502, "dot")
    assert chunks.refuses_chunks
    assert chunks.broken
    assert server.orders.count("MAIL") == 1


def test_a_reply_that_nobody_waits_for() -> None:
    """Breaks the connection; what has not left is surely not sent."""
    chunks = Chunks(EXTENSIONS, window=4)
    chunks.offer(a_message(0))
    assert list(chunks.received(Reply(250, ("hello",)))) == []
    assert chunks.broken
    assert [result.outcome.verdict for result in chunks.lost(Reply(0, ("broken off",)))] == [Verdict.UNSENT]


def test_an_answer_to_half_a_message() -> None:
    """A refusal counts, a thank-you does not; the connection is of no further use."""
    for code, verdict in ((552, Verdict.REJECTED), (250, Verdict.UNSENT)):
        chunks = Chunks(EXTENSIONS, window=4)
        chunks.offer(a_message(0))
        chunks.release(())
        chunks.body()
        results = [
            result
            for reply in (Reply(250), Reply(250), Reply(code, ("5.3.4 too big",)))
            for result in chunks.received(reply)
        ]
        assert [(result.outcome.verdict, result.outcome.phase) for result in results] == [(verdict, "body")]
        assert chunks.broken


def test_what_cannot_be_offered() -> None:
    """A bare line end or too many bytes: refused here, and the window is as free as before."""
    chunks = Chunks(EXTENSIONS, window=4)
    for data in (b"a\nb\r\n", b"x" * 1001 + b"\r\n"):
        result = chunks.offer(Message(delivery=1, sender="a@x.org", recipient="b@x.org", data=data))
        assert result is not None
        assert result.outcome.verdict is Verdict.REJECTED
    assert chunks.idle
    assert chunks.free


def test_octets_are_not_stuffed() -> None:
    """BDAT takes the message as it is; only a last line without its end gets one."""
    chunks = Chunks(EXTENSIONS, window=1)
    chunks.offer(Message(delivery=1, sender="a@x.org", recipient="b@x.org", data=b".\r\n..\r\n.x"))
    chunks.release(())
    assert chunks.body().endswith(b"BDAT 11 LAST\r\n.\r\n..\r\n.x\r\n")

"""Messages by BDAT, against a server made of nothing but its rules, and a line that may end at any byte."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.mail.chunks import Chunks
from newsletter.mail.wire import Reply, ReplyReader
from newsletter.model import Message, Verdict
from tests.mail.strict import EXTENSIONS, KINDS, VERDICTS, Line, Strict, a_message, check, send_over


def test_a_window_is_on_its_way_at_once() -> None:
    """The first message alone; when its BDAT is taken, as many as the window has, without waiting for a reply."""
    server = Strict()
    chunks = Chunks(EXTENSIONS, window=3)
    for number in range(5):
        if chunks.free:
            assert chunks.offer(a_message(number)) is None
    assert [message.delivery for message in chunks.cleared] == [0]
    chunks.release(())
    first = b"".join(chunks.body())
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
        written += b"".join(chunks.body())
        chunks.dot()
    assert written.count(b"BDAT") == 2
    assert written.index(b"RSET") > written.index(a_message(1).data)
    assert chunks.free


@settings(deadline=None, max_examples=80)
@given(st.lists(st.sampled_from(list(VERDICTS)), min_size=1, max_size=10), st.integers(1, 8))
def test_each_gets_its_own_answer(kinds: list[str], window: int) -> None:
    """A refusal in a window is that message's; those before and behind it are what they would be alone."""
    messages = [a_message(number, kind) for number, kind in enumerate(kinds)]
    server = Strict()
    end = kinds.index("fickle") + 1 if "fickle" in kinds else len(kinds)
    outcomes = list(send_over(Line(server), messages, Chunks(EXTENSIONS, window=window)))

    check(messages, len(outcomes), outcomes, server)
    assert [outcome.verdict for outcome in outcomes][:end] == [VERDICTS[kind] for kind in kinds[:end]]


@settings(deadline=None, max_examples=75)
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
    outcomes = list(send_over(line, waiting, Chunks(EXTENSIONS, window=window), steps=steps))

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
            outcomes = list(send_over(line, waiting, Chunks(EXTENSIONS, window=3)))
            check(messages, len(messages) - len(list(waiting)), outcomes, line.server)
            if line.left == end:
                uncertain = [outcome for outcome in outcomes if outcome.verdict is Verdict.UNCERTAIN]
                assert not uncertain  # every byte that left arrived, and what was answered came back


def test_after_421_the_rest_was_not_taken() -> None:
    """A server that says goodbye reads no further: what is behind goes out elsewhere at once, and is not uncertain."""
    kinds = ["good", "good", "goodbye", "good", "good"]
    outcomes = list(
        send_over(Line(Strict()), [a_message(*kind) for kind in enumerate(kinds)], Chunks(EXTENSIONS, window=4))
    )

    verdicts = {outcome.delivery: outcome.verdict for outcome in outcomes}
    assert verdicts == {0: Verdict.SENT, 1: Verdict.SENT, **dict.fromkeys((2, 3, 4), Verdict.UNSENT)}


def test_a_server_that_says_421_and_stays() -> None:
    """What it answers after that counts as it is; no further message is begun."""
    kinds = ["good", "rude", "good", "good", "good"]
    server = Strict()
    waiting = iter([a_message(*kind) for kind in enumerate(kinds)])
    outcomes = list(send_over(Line(server), waiting, Chunks(EXTENSIONS, window=3)))

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
    (outcome,) = send_over(Line(server), [a_message(number) for number in range(3)], chunks)

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
        result = chunks.offer(Message(delivery=1, sender="a@x.org", recipient="b@x.org", pieces=(data,)))
        assert result is not None
        assert result.outcome.verdict is Verdict.REJECTED
    assert chunks.idle
    assert chunks.free


def test_octets_are_not_stuffed() -> None:
    """BDAT takes the message as it is; only a last line without its end gets one."""
    chunks = Chunks(EXTENSIONS, window=1)
    chunks.offer(Message(delivery=1, sender="a@x.org", recipient="b@x.org", pieces=(b".\r\n..\r\n.x",)))
    chunks.release(())
    assert b"".join(chunks.body()).endswith(b"BDAT 11 LAST\r\n.\r\n..\r\n.x\r\n")

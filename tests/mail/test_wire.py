from __future__ import annotations

import asyncio
import smtplib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.mail.session import parse_ehlo
from newsletter.mail.smtp import LoopFactory
from newsletter.mail.wire import Reply, ReplyReader, Wire, dot_stuffed, with_line_ends
from tests.mail.faults import FaultServer

replies = st.builds(
    Reply,
    st.integers(200, 599),
    st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20), min_size=1, max_size=4).map(tuple),
)


def on_the_wire(reply: Reply) -> bytes:
    """The bytes a server sends for it."""
    *first, last = reply.lines
    return "".join([*(f"{reply.code}-{line}\r\n" for line in first), f"{reply.code} {last}\r\n"]).encode()


@settings(deadline=None, max_examples=75)
@given(st.lists(replies, max_size=4), st.data())
def test_replies_are_read_however_they_arrive(expected: list[Reply], data: st.DataObject) -> None:
    """Any cutting of the stream gives the same replies."""
    stream = b"".join(map(on_the_wire, expected))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    reader = ReplyReader()
    parts = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]

    assert [reply for part in parts for reply in reader.feed(part)] == expected
    assert not reader.pending


@settings(deadline=None, max_examples=80)
@given(st.binary(max_size=300))
def test_nothing_makes_it_fail(stream: bytes) -> None:
    """Whatever arrives is replies or garbage, and garbage has code 0."""
    for reply in ReplyReader().feed(stream):
        assert reply.code == 0 or 200 <= reply.code <= 599
        assert reply.text.isprintable()


@pytest.mark.parametrize(
    "stream",
    [
        b"garbage\r\n",
        b"\r\n",
        b"199 too low\r\n",
        b"600 too high\r\n",
        b"2500 odd\r\n",
        b"250_odd\r\n",
        b"250-one\r\n550 two\r\n",
        b"250 " + b"x" * 5000 + b"\r\n",
        b"x" * 5000,
        b"250-x\r\n" * 200 + b"250 x\r\n",
        "２５０ full width\r\n".encode(),
    ],
    ids=lambda stream: repr(stream[:20]),
)
def test_garbage_has_code_0(stream: bytes) -> None:
    """What is no reply, or changes its mind in the middle, is told as garbage."""
    assert ReplyReader().feed(stream)[0].code == 0


def test_the_text_of_many_lines() -> None:
    """The lines become one, and the enhanced code that each repeats stands once."""
    reply = Reply(550, ("5.1.1 The account does not", "5.1.1 exist.", " 5.1.1  Try\tagain"))

    assert reply.text == "5.1.1 The account does not exist. 5.1.1 Try again"
    assert str(reply) == f"550 {reply.text}"


bodies = st.lists(st.sampled_from([b"", b".", b"..", b"x", b".x", b"x."]), max_size=8).map(b"\r\n".join)


@settings(deadline=None, max_examples=80)
@given(bodies)
@example(b"")
@example(b".")
@example(b"\r\n.\r\n")
def test_dot_stuffing_equals_smtplib(body: bytes) -> None:
    """Only the last line is a lone dot, and taking the other dots off again gives the message back."""
    ended = body if body.endswith(b"\r\n") or not body else body + b"\r\n"
    stuffed = dot_stuffed(body) + b".\r\n"

    assert stuffed == smtplib._quote_periods(ended) + b".\r\n"  # type: ignore[attr-defined]  # the oracle's own
    lines = stuffed.split(b"\r\n")
    assert lines[-2:] == [b".", b""]
    assert b"." not in lines[:-2]


@pytest.mark.parametrize("data", [b"\n", b"\r", b"a\nb\r\n", b"a\rb\r\n", b"\r\r\n\n", b"x\n.\n", b"x\r\n.\r"])
def test_bare_line_ends_are_refused(data: bytes) -> None:
    """A bare CR or LF never becomes wire bytes."""
    with pytest.raises(ValueError, match="bare CR or LF"):
        dot_stuffed(data)
    with pytest.raises(ValueError, match="bare CR or LF"):
        with_line_ends(data)


def test_a_flood_of_replies_is_cut(loop_factory: LoopFactory) -> None:
    """A server that talks without end and unasked fills no memory: the connection is cut."""

    async def read_all(port: int) -> int:
        _, wire = await asyncio.get_running_loop().create_connection(Wire, "127.0.0.1", port)
        count = 0
        while (await wire.reply(10)).code:
            count += 1
        return count

    with (
        FaultServer({"greeting": "220 hello" + "\r\n250 more" * 300_000}) as server,
        asyncio.Runner(loop_factory=loop_factory) as runner,
    ):
        count = runner.run(read_all(server.port))

    assert count < 300_000


def test_parse_ehlo() -> None:
    """Keywords are read without regard to case, parameters kept, the old spelling of AUTH understood."""
    lines = ("mail.example.org at your service", "SIZE 35882577", "8bitmime", "AUTH=LOGIN", "AUTH PLAIN XOAUTH2", "")

    assert parse_ehlo(lines) == {"SIZE": "35882577", "8BITMIME": "", "AUTH": "LOGIN PLAIN XOAUTH2", "": ""}
    assert parse_ehlo(()) == {}

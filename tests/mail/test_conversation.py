"""The message phase of a connection, without a connection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.mail.conversation import AT_ONCE, DOT, Conversation
from newsletter.mail.wire import Reply
from newsletter.model import Message, Outcome, Verdict
from tests.mail import strict
from tests.mail.strict import KINDS, VERDICTS, Line, Strict, check, send_over

PIPELINING = {"PIPELINING": "", "SIZE": "100000"}
OK, GO_ON, TAKEN = Reply(250, ("ok",)), Reply(354, ("go on",)), Reply(250, ("taken",))
REPLIES = st.sampled_from(
    [
        *(OK, OK, OK, GO_ON, GO_ON, TAKEN),
        Reply(550, ("5.1.1 no such user",)),
        Reply(451, ("4.3.0 later",)),
        Reply(421, ("4.3.2 closing",)),
        Reply(0, ("not an SMTP reply: x",)),
        Reply(503, ("5.5.1 no",)),
    ]
)


def a_message(number: int, data: bytes = b"Subject: x\r\n\r\nHello\r\n") -> Message:
    """A message for a reader of that number."""
    return Message(delivery=number, sender="a@example.org", recipient=f"r{number}@example.org", pieces=(data,))


def written(conversation: Conversation) -> bytes:
    """What is to be written now."""
    data = b"".join(conversation.outgoing)
    conversation.outgoing.clear()
    return data


def may_offer(conversation: Conversation) -> bool:
    """Whether a message may be offered now."""
    return conversation.free


def drive(conversation: Conversation, messages: Iterator[Message], replies: Sequence[Reply]) -> Iterator[Outcome]:
    """Offer and send as a channel does, for as long as there are replies; then the connection is lost."""
    for reply in replies:
        if conversation.free and (message := next(messages, None)) is not None:
            assert conversation.offer(message) is None
        if conversation.cleared:
            conversation.release(())
            if conversation.ready:
                conversation.body()
                conversation.dot()
        yield from (result.outcome for result in conversation.received(reply))
        if conversation.broken:
            break
    yield from (result.outcome for result in conversation.lost(Reply(0, ("connection lost",))))


def test_an_envelope_is_one_flight() -> None:
    """With PIPELINING; and the next one follows the dot, before its reply."""
    conversation = Conversation(PIPELINING)
    assert conversation.offer(a_message(1)) is None
    first = b"MAIL FROM:<a@example.org> SIZE=21\r\nRCPT TO:<r1@example.org>\r\nDATA\r\n"
    assert written(conversation) == first
    assert not may_offer(conversation)

    for reply in (OK, OK, GO_ON):
        assert list(conversation.received(reply)) == []
    assert list(conversation.cleared) == [a_message(1)]
    conversation.release(())
    assert not conversation.cleared
    assert may_offer(conversation)
    assert conversation.offer(a_message(2)) is None
    assert written(conversation) == a_message(1).data + DOT + first.replace(b"r1@", b"r2@")
    (result,) = conversation.received(TAKEN)
    assert result.outcome.verdict is Verdict.SENT
    assert not conversation.idle


def test_the_dot_of_a_large_message_waits() -> None:
    """Until every byte of it has left: if the connection ends before, nobody has it."""
    conversation = Conversation(PIPELINING, at_once=20)
    conversation.offer(a_message(1))
    for reply in (OK, OK, GO_ON):
        conversation.received(reply)
    conversation.release(())
    written(conversation)
    assert conversation.ready
    assert b"".join(conversation.body()) == a_message(1).data
    assert not written(conversation)
    conversation.dot()
    assert written(conversation) == DOT
    assert may_offer(conversation)


def test_without_pipelining_each_command_waits() -> None:
    """For its reply; and no message is offered before the one before it has ended."""
    conversation = Conversation({})
    assert conversation.offer(a_message(1)) is None
    said = [written(conversation)]
    for reply in (OK, OK):
        assert list(conversation.received(reply)) == []
        said.append(written(conversation))
    assert said == [b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<r1@example.org>\r\n", b"DATA\r\n"]
    assert list(conversation.received(GO_ON)) == []
    conversation.release(())
    assert written(conversation) == a_message(1).data + DOT
    assert not may_offer(conversation)
    assert [result.outcome.verdict for result in conversation.received(TAKEN)] == [Verdict.SENT]
    assert may_offer(conversation)


@pytest.mark.parametrize("answer", [Reply(554, ("5.5.1 no valid recipients",)), GO_ON], ids=["554", "354"])
def test_a_refused_recipient_takes_nothing_along(answer: Reply) -> None:
    """Whatever the server makes of the DATA that was on its way; the next envelope begins anew."""
    conversation = Conversation(PIPELINING)
    conversation.offer(a_message(1))
    written(conversation)
    results = [
        result for reply in (OK, Reply(550, ("5.1.1 no such user",)), answer) for result in conversation.received(reply)
    ]
    assert [(result.outcome.verdict, result.outcome.phase) for result in results] == [(Verdict.SUPPRESS, "rcpt")]
    assert written(conversation) == (DOT if answer is GO_ON else b"")
    assert not conversation.cleared

    conversation.offer(a_message(2))
    assert written(conversation).startswith(b"RSET\r\nMAIL FROM")
    if answer is GO_ON:
        assert list(conversation.received(Reply(554, ("5.5.1 nobody",)))) == []
    for reply in (OK, OK, OK, GO_ON):
        assert list(conversation.received(reply)) == []
    assert list(conversation.cleared) == [a_message(2)]


def test_a_message_that_is_dropped_breaks_the_connection() -> None:
    """After 354 there is no other way to say that nothing comes."""
    conversation = Conversation(PIPELINING)
    conversation.offer(a_message(1))
    for reply in (OK, OK, GO_ON):
        list(conversation.received(reply))
    conversation.release([1])
    assert not conversation.ready
    assert conversation.broken
    assert list(conversation.lost(Reply(0, ("broken off",)))) == []


@settings(deadline=None, max_examples=80)
@given(st.lists(REPLIES, max_size=40), st.booleans(), st.integers(1, 8))
def test_every_message_has_one_outcome(replies: list[Reply], pipelined: bool, count: int) -> None:
    """Whatever a server says: of the messages offered none is forgotten and none told twice, and "sent" needs a 2xx."""
    conversation = Conversation(PIPELINING if pipelined else {})
    messages = iter([a_message(number) for number in range(count)])
    outcomes = list(drive(conversation, messages, replies))
    left = len(list(messages))

    assert Counter(outcome.delivery for outcome in outcomes) == Counter(range(count - left))
    assert all(
        outcome.phase == "dot" and outcome.code == 250 for outcome in outcomes if outcome.verdict is Verdict.SENT
    )
    assert all(outcome.phase == "dot" for outcome in outcomes if outcome.verdict is Verdict.UNCERTAIN)
    assert conversation.broken


@settings(deadline=None, max_examples=80)
@given(st.lists(st.sampled_from(["good", "unknown", "later", "spam"]), min_size=1, max_size=12))
def test_pipelining_changes_nothing_but_the_time(kinds: list[str]) -> None:
    """A server that keeps to the protocol gives each message the same outcome, in one flight or step by step."""
    refused = {"unknown": Reply(550, ("5.1.1 no such user",)), "later": Reply(451, ("4.3.0 later",))}
    ended = {"spam": Reply(554, ("5.7.1 spam",))}

    def outcomes(extensions: dict[str, str]) -> list[tuple[int, Verdict]]:
        conversation = Conversation(extensions)
        messages = iter([a_message(number) for number in range(len(kinds))])
        found: list[tuple[int, Verdict]] = []
        line = b""
        kind = ""
        in_data = False
        while True:
            if conversation.cleared:
                conversation.release(())
            if conversation.free and (message := next(messages, None)) is not None:
                conversation.offer(message)
            line += written(conversation)
            end = b"\r\n.\r\n" if in_data else b"\r\n"
            if end not in line:
                return found
            command, _, line = line.partition(end)
            if in_data:
                in_data, reply = False, ended.get(kind, TAKEN)
            elif command.startswith(b"RCPT"):
                kind = kinds[int(command.partition(b"<r")[2].partition(b"@")[0])]
                reply = refused.get(kind, OK)
            elif command == b"DATA":
                in_data = kind not in refused
                reply = GO_ON if in_data else Reply(503, ("5.5.1 no recipient",))
            else:
                reply = OK
            found += [(result.outcome.delivery, result.outcome.verdict) for result in conversation.received(reply)]

    expected = {
        "good": Verdict.SENT, "unknown": Verdict.SUPPRESS, "later": Verdict.DEFERRED, "spam": Verdict.REJECTED
    }  # fmt: skip
    assert outcomes(PIPELINING) == outcomes({}) == [(number, expected[kind]) for number, kind in enumerate(kinds)]


@pytest.mark.parametrize("extensions", [PIPELINING, {}], ids=["pipelined", "step by step"])
@pytest.mark.parametrize("at_once", [AT_ONCE, 0], ids=["with its dot", "large"])
@pytest.mark.parametrize("kinds", [["good"] * 3, ["good", "later", "spam"], ["unknown", "goodbye", "good"]])
def test_a_line_that_ends_at_any_byte(kinds: list[str], at_once: int, extensions: dict[str, str]) -> None:
    """A cut at each byte of what we say and of what the server answers: what is told is what was taken."""
    messages = [strict.a_message(number, kind) for number, kind in enumerate(kinds)]
    for end in range(450):
        for line in (
            Line(Strict(), left=end, arriving=end),
            Line(Strict(), arriving=end),
            Line(Strict(), returning=end),
        ):
            waiting = iter(messages)
            outcomes = list(send_over(line, waiting, Conversation(extensions, at_once=at_once)))
            check(messages, len(messages) - len(list(waiting)), outcomes, line.server)


@settings(deadline=None, max_examples=75)
@given(
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=6),
    st.sampled_from([PIPELINING, {}]),
    st.sampled_from([AT_ONCE, 0]),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 70)), max_size=60),
    st.tuples(st.integers(0, 900), st.integers(0, 900), st.integers(0, 600)),
)
def test_whatever_happens_nothing_is_guessed(
    kinds: list[str],
    extensions: dict[str, str],
    at_once: int,
    steps: list[tuple[int, int]],
    ends: tuple[int, int, int],
) -> None:
    """Offers and answers in any order, any refusals, a line that ends anywhere."""
    messages = [strict.a_message(number, kind) for number, kind in enumerate(kinds)]
    waiting = iter(messages)
    left, arriving, returning = ends
    line = Line(Strict(), left=left, arriving=min(left, arriving), returning=returning)
    outcomes = list(send_over(line, waiting, Conversation(extensions, at_once=at_once), steps=steps))

    check(messages, len(messages) - len(list(waiting)), outcomes, line.server)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.sampled_from(sorted(set(VERDICTS) - {"fickle"})), min_size=1, max_size=8),
    st.sampled_from([PIPELINING, {}]),
)
def test_each_gets_its_own_answer(kinds: list[str], extensions: dict[str, str]) -> None:
    """Where nothing breaks, each is told what a strict server made of it."""
    messages = [strict.a_message(number, kind) for number, kind in enumerate(kinds)]
    server = Strict()
    outcomes = list(send_over(Line(server), messages, Conversation(extensions)))

    check(messages, len(messages), outcomes, server)
    assert [outcome.verdict for outcome in outcomes] == [VERDICTS[kind] for kind in kinds]

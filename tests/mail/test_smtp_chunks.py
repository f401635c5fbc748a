"""BDAT over real connections, by both loops."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import pytest

from newsletter.mail.session import Timeouts
from newsletter.mail.smtp import LoopFactory, SmtpSend, open_smtp
from newsletter.model import Message, Outcome, Verdict
from tests.mail.conftest import Certificate, SendAll
from tests.mail.faults import CUT, CUT_HERE, STALL, FaultServer, Script
from tests.mail.posting import Ledger, a_message, post

EHLO = "250-x\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 CHUNKING"
OFFERED: Script = {"ehlo": EHLO}
SHORT = 0.1
LARGE = b"Subject: x\r\n\r\n" + (b"y" * 76 + b"\r\n") * 50_000  # more than any socket buffer


def sender(
    server: FaultServer, loop_factory: LoopFactory, options: str = "", *, timeouts: Timeouts | None = None
) -> SmtpSend:
    """One connection to that server, with a window of four."""
    url = server.url(f"?chunking=4&connections=1{options}")
    return open_smtp(url, timeouts=timeouts or Timeouts(), loop_factory=loop_factory)


def messages(count: int) -> list[Message]:
    """For readers of those numbers."""
    return [a_message(number, recipient=f"reader{number}@example.org") for number in range(count)]


def test_the_octets_as_they_are(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """What is sent by BDAT is neither stuffed nor ended by a dot, and no DATA is said."""
    with FaultServer(OFFERED) as server:
        record = send_all(sender(server, loop_factory), messages(20))

    assert record.error is None
    assert record.verdicts == dict.fromkeys(range(20), Verdict.SENT)
    assert sorted(record.started) == list(range(20))
    assert server.bodies == [a_message().data] * 20
    assert "DATA" not in server.commands
    assert server.connections == 1


def test_large_messages(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """Messages of more than the socket takes follow one another."""
    with FaultServer(OFFERED) as server:
        record = send_all(sender(server, loop_factory), [a_message(number, data=LARGE) for number in range(3)])

    assert record.verdicts == dict.fromkeys(range(3), Verdict.SENT)
    assert server.bodies == [LARGE] * 3


def test_over_tls(send_all: SendAll, loop_factory: LoopFactory, certificate: Certificate) -> None:
    """What a server offers after STARTTLS counts, and what it offered before does not."""
    script = {"ehlo": EHLO.replace("250-PIPELINING", "250-PIPELINING\r\n250-STARTTLS")}
    with FaultServer(script, tls=certificate.server) as server:
        record = send_all(sender(server, loop_factory, "&starttls=required&verify=off"), messages(9))

    assert record.error is None
    assert record.verdicts == dict.fromkeys(range(9), Verdict.SENT)
    assert [command.split()[0] for command in server.commands[:3]] == ["EHLO", "STARTTLS", "EHLO"]


@pytest.mark.parametrize(
    ("ehlo", "options"),
    [
        ("250-x\r\n250 CHUNKING", "&chunking=4"),
        ("250-x\r\n250 PIPELINING", "&chunking=4"),
        (EHLO, "&chunking=0"),
        (EHLO, ""),
        (EHLO, "&chunking=4&pipelining=off"),
    ],
)
def test_data_unless_both_want_it(send_all: SendAll, loop_factory: LoopFactory, ehlo: str, options: str) -> None:
    """BDAT needs CHUNKING and PIPELINING from the server and the option from us."""
    with FaultServer({"ehlo": ehlo}) as server:
        send = open_smtp(server.url(f"?connections=1{options}"), loop_factory=loop_factory)
        record = send_all(send, messages(3))

    assert record.verdicts == dict.fromkeys(range(3), Verdict.SENT)
    assert not any(command.startswith("BDAT") for command in server.commands)


@pytest.mark.parametrize(
    ("step", "reply", "verdict"),
    [
        ("rcpt", "550 5.1.1 user unknown", Verdict.SUPPRESS),
        ("rcpt", "452 4.2.2 full", Verdict.DEFERRED),
        ("dot", "554 5.6.0 no", Verdict.REJECTED),
        ("dot", "452 4.2.2 full", Verdict.DEFERRED),
    ],
)
def test_one_refused_in_a_window(
    send_all: SendAll, loop_factory: LoopFactory, step: str, reply: str, verdict: Verdict
) -> None:
    """Its octets are on the wire all the same; the others are what they would be without it."""
    with FaultServer({**OFFERED, f"{step} reader5@example.org": reply}) as server:
        record = send_all(sender(server, loop_factory), messages(12))

    assert record.error is None
    assert record.verdicts == {number: verdict if number == 5 else Verdict.SENT for number in range(12)}
    assert server.connections == 1


@pytest.mark.parametrize("reply", ["502 5.5.2 what?", "503 5.5.1 not now"])
def test_a_server_that_refuses_bdat(send_all: SendAll, loop_factory: LoopFactory, reply: str) -> None:
    """Everything goes by DATA instead, also in later batches; nobody is charged."""
    with FaultServer({**OFFERED, "bdat": reply}) as server:
        send = sender(server, loop_factory)
        first, second = send_all(send, messages(5)), send_all(send, messages(5))

    assert first.error is None
    assert first.verdicts == second.verdicts == dict.fromkeys(range(5), Verdict.SENT)
    assert sum(command.startswith("BDAT") for command in server.commands) == 1
    assert server.connections == 3


def test_a_server_that_offers_it_no_more(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """A connection that is opened anew goes by what that server offers now."""
    enough = {**OFFERED, "dot reader2@example.org": "421 4.3.2 closing\r\n" + CUT_HERE}
    with FaultServer(enough, {}) as server:
        record = send_all(sender(server, loop_factory), messages(6))

    assert record.verdicts == dict.fromkeys(range(6), Verdict.SENT)
    assert server.commands.count("DATA") == 4
    assert server.connections == 2


@pytest.mark.parametrize("step", ["mail", "rcpt", "bdat"])
@pytest.mark.parametrize("fault", [CUT_HERE, CUT, STALL, "250_garbage", "2" + CUT_HERE])
def test_a_break_after_the_octets_have_left(
    send_all: SendAll, loop_factory: LoopFactory, step: str, fault: str
) -> None:
    """All that is known is that nothing more is known, wherever in the envelope the server was: uncertain."""
    timeouts = Timeouts(mail=SHORT, rcpt=SHORT, dot=SHORT)
    with FaultServer({**OFFERED, step: fault}, OFFERED) as server:
        record = send_all(sender(server, loop_factory, timeouts=timeouts), messages(3))

    assert record.verdicts == {0: Verdict.UNCERTAIN, 1: Verdict.SENT, 2: Verdict.SENT}
    assert record.started == [0, 1, 2]
    assert server.connections == 2


@pytest.mark.parametrize("fault", [CUT_HERE, STALL, "garbage"])
def test_a_window_that_is_cut(send_all: SendAll, loop_factory: LoopFactory, fault: str) -> None:
    """At most the window is uncertain, whatever was answered is kept, and one cut counts once."""
    with FaultServer({**OFFERED, "dot reader3@example.org": fault}, OFFERED) as server:
        record = send_all(sender(server, loop_factory, timeouts=Timeouts(dot=SHORT)), messages(20))

    uncertain = [delivery for delivery, verdict in record.verdicts.items() if verdict is Verdict.UNCERTAIN]
    assert record.error is None
    assert 3 in uncertain
    assert set(uncertain) <= {3, 4, 5, 6}
    assert {verdict for delivery, verdict in record.verdicts.items() if delivery not in uncertain} == {Verdict.SENT}
    assert len(server.taken) == len(set(server.taken))


def test_421_in_a_window(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """A server that says goodbye read nothing behind it: all the others go out over the next connection."""
    goodbye = {**OFFERED, "rcpt reader3@example.org": "421 4.3.2 closing\r\n" + CUT_HERE}
    with FaultServer(goodbye, OFFERED) as server:
        record = send_all(sender(server, loop_factory), messages(20))

    assert record.error is None
    assert record.verdicts == dict.fromkeys(range(20), Verdict.SENT)
    assert sorted(server.taken) == sorted(message.recipient for message in messages(20))
    assert server.connections == 2


@pytest.mark.parametrize("fault", [CUT_HERE, CUT, STALL])
def test_a_break_within_the_octets(send_all: SendAll, loop_factory: LoopFactory, fault: str) -> None:
    """While some of a message has not left this process it was surely not taken."""
    with FaultServer({**OFFERED, "body": fault}, OFFERED) as server:
        send = sender(server, loop_factory, timeouts=Timeouts(block=SHORT))
        record = send_all(send, [a_message(data=LARGE)])

    assert record.verdicts == {1: Verdict.SENT}
    assert record.started == [1]
    assert server.bodies == [LARGE]


def test_what_must_not_go_after_all(loop_factory: LoopFactory) -> None:
    """A reader who left a moment ago costs no connection: nothing of the message has left."""
    ledger = Ledger(forbidden={0, 4, 5, 9})
    with FaultServer(OFFERED) as server:
        post(sender(server, loop_factory), messages(10), ledger=ledger)

    assert sorted(outcome.delivery for outcome in ledger.outcomes) == [1, 2, 3, 6, 7, 8]
    assert len(server.taken) == 6
    assert server.connections == 1


def test_it_is_written_down_before_it_leaves(loop_factory: LoopFactory) -> None:
    """No octet of a message is on the wire before it is recorded as started."""
    with FaultServer(OFFERED) as server:

        def record(_outcomes: Sequence[Outcome], starting: Sequence[int]) -> Collection[int]:
            said = "".join(server.commands)
            assert not any(f"<reader{delivery}@" in said for delivery in starting)
            return ()

        sender(server, loop_factory)(messages(10), record=record, stop=lambda: False)

    assert len(server.taken) == 10


def test_no_more_than_the_window_is_taken(loop_factory: LoopFactory) -> None:
    """Messages without an outcome are never more than connections times window, the first alone."""
    under_way = 0
    most: list[int] = []

    def counted() -> Iterator[Message]:
        nonlocal under_way
        for message in messages(40):
            under_way += 1
            most.append(under_way)
            yield message

    def record(outcomes: Sequence[Outcome], _starting: Sequence[int]) -> Collection[int]:
        nonlocal under_way
        under_way -= len(outcomes)
        return ()

    with FaultServer(OFFERED) as server:
        sender(server, loop_factory)(counted(), record=record, stop=lambda: False)

    assert under_way == 0
    assert max(most) <= 4 + 1  # one may have been asked for to see whether there is more
    assert most[1] <= 2


def test_per_connection_holds(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """A connection carries no more messages than it may, window or not."""
    with FaultServer(OFFERED) as server:
        record = send_all(sender(server, loop_factory, "&per_connection=6"), messages(20))

    assert record.verdicts == dict.fromkeys(range(20), Verdict.SENT)
    assert server.connections == 4

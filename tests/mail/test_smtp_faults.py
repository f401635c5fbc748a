"""Every fault that a server or a line can show, and what the ledger is told about it."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Sequence

import pytest

from newsletter.errors import Refused, SendError
from newsletter.mail.pace import Pace
from newsletter.mail.relay import parse_relay
from newsletter.mail.session import Session, Timeouts, open_session
from newsletter.mail.smtp import BREAKS_IN_A_ROW, LoopFactory, SmtpSend, carry, open_smtp
from newsletter.model import Message, Outcome, Verdict
from tests.mail.conftest import SendAll
from tests.mail.faults import CUT, CUT_HERE, GOOD, PAUSE, STALL, FaultServer, Script

SHORT = 0.1
BODY = b"Subject: x\r\n\r\nHello\r\n"
LARGE = b"Subject: x\r\n\r\n" + b"x" * 76 + b"\r\n" + (b"y" * 76 + b"\r\n") * 200_000  # more than any socket buffer


CODES = {"mail": 250, "rcpt": 250, "data": 354, "dot": 250, "quit": 221}


@pytest.fixture(params=[("asyncio", ""), ("asyncio", "PIPELINING"), ("uvloop", "PIPELINING")], ids=" ".join)
def loop_factory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> LoopFactory:
    """Both loops, and servers that take one command at a time or several."""
    name, extension = request.param
    if extension:
        first, rest = GOOD["ehlo"].split("\r\n", 1)
        monkeypatch.setitem(GOOD, "ehlo", f"{first}\r\n250-{extension}\r\n{rest}")
    factory: LoopFactory = pytest.importorskip(name).new_event_loop
    return factory


def a_message(delivery: int = 1, data: bytes = BODY) -> Message:
    """A message for a reader of that number."""
    return Message(
        delivery=delivery, sender="papers@example.org", recipient=f"reader{delivery}@example.org", pieces=(data,)
    )


def sender(server: FaultServer, loop_factory: LoopFactory, *, timeouts: Timeouts | None = None) -> SmtpSend:
    """One connection to that server."""
    return open_smtp(
        server.url(),
        connections=1,
        hostname="client.example.org",
        timeouts=timeouts or Timeouts(),
        loop_factory=loop_factory,
    )


# --- before the final dot: surely not taken --------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["greeting", "ehlo", "mail", "rcpt", "data"])
@pytest.mark.parametrize("fault", [CUT, "421 4.3.2 closing", "garbage"])
def test_a_break_before_the_body_is_mended(send_all: SendAll, loop_factory: LoopFactory, step: str, fault: str) -> None:
    """A connection lost before the body costs nobody anything: another one is opened and the message goes out."""
    with FaultServer({step: fault}, {step: fault}, {}) as server:
        record = send_all(sender(server, loop_factory), [a_message(1), a_message(2)])

    assert record.error is None
    assert record.verdicts == {1: Verdict.SENT, 2: Verdict.SENT}
    assert record.started == [1, 2]
    assert server.taken == ["reader1@example.org", "reader2@example.org"]
    assert server.connections == 3


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "rset"])
@pytest.mark.parametrize("fault", [CUT_HERE, "2" + CUT_HERE, "250-2.0.0 one\r\n250-tw" + CUT_HERE])
def test_half_a_reply_is_none(send_all: SendAll, loop_factory: LoopFactory, step: str, fault: str) -> None:
    """A reply that ends in its middle says nothing: the message goes out over another connection."""
    refused = {"rcpt reader0@example.org": "550 5.1.1 no such user"} if step == "rset" else {}
    with FaultServer({**refused, step: fault}, {**refused, step: fault}, {}) as server:
        record = send_all(sender(server, loop_factory), map(a_message, range(3)))

    expected = (
        {0: Verdict.SUPPRESS, 1: Verdict.SENT, 2: Verdict.SENT} if refused else dict.fromkeys(range(3), Verdict.SENT)
    )
    assert record.error is None
    assert record.verdicts == expected
    assert server.taken == [f"reader{number}@example.org" for number in expected if expected[number] is Verdict.SENT]


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("fault", [CUT, "421 4.3.2 closing", "garbage"])
def test_a_break_that_repeats_leaves_it_unsent(
    send_all: SendAll, loop_factory: LoopFactory, step: str, fault: str
) -> None:
    """After two reconnects a message is given back unsent, with the step and what was said."""
    with FaultServer({step: fault}) as server:
        record = send_all(sender(server, loop_factory), [a_message()])

    assert record.error is None
    outcome = record.outcomes[0]
    assert (record.verdicts, outcome.phase) == ({1: Verdict.UNSENT}, step)
    assert outcome.text
    assert record.started == []
    assert server.connections == 3


@pytest.mark.parametrize("step", ["greeting", "ehlo"])
@pytest.mark.parametrize("fault", [CUT, "421 4.3.2 closing"])
def test_a_server_that_never_gets_ready(send_all: SendAll, loop_factory: LoopFactory, step: str, fault: str) -> None:
    """When no connection comes as far as a message, that is an error and the message is unsent."""
    with FaultServer({step: fault}) as server:
        record = send_all(sender(server, loop_factory), [a_message(1), a_message(2)])

    assert re.match(rf"mail server 127.0.0.1:\d+ broke off at {step}: ", str(record.error))
    assert record.verdicts == {1: Verdict.UNSENT}


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
def test_silence_before_the_body(send_all: SendAll, loop_factory: LoopFactory, step: str) -> None:
    """A server that stops answering before the body has taken nothing."""
    timeouts = Timeouts(mail=SHORT, rcpt=SHORT, data=SHORT)
    with FaultServer({step: STALL}) as server:
        record = send_all(sender(server, loop_factory, timeouts=timeouts), [a_message()])

    assert record.verdicts == {1: Verdict.UNSENT}
    assert record.outcomes[0].text == "no reply within 0.1 s"


def test_silence_at_the_greeting(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """A server that never greets is an error."""
    with FaultServer({"greeting": STALL}) as server:
        record = send_all(sender(server, loop_factory, timeouts=Timeouts(greeting=SHORT)), [a_message()])

    assert "broke off at greeting: no reply within 0.1 s" in str(record.error)


def test_a_cut_in_the_body(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """While some of the message has not left this process, a cut leaves it surely not taken: it goes out anew."""
    with FaultServer({"body": CUT}, {}) as server:
        record = send_all(sender(server, loop_factory), [a_message(data=LARGE)])

    assert record.verdicts == {1: Verdict.SENT}
    assert record.started == [1]
    assert server.bodies == [LARGE]


def test_a_stall_in_the_body(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """A server that stops reading in the middle has taken nothing; the block timeout says so, not that of the dot."""
    with FaultServer({"body": STALL}) as server:
        record = send_all(sender(server, loop_factory, timeouts=Timeouts(block=SHORT)), [a_message(data=LARGE)])

    assert record.verdicts == {1: Verdict.UNSENT}
    assert record.outcomes[0].phase == "body"
    assert server.taken == []
    assert record.outcomes[0].text == "nothing could be sent for 0.1 s"


def test_a_message_given_up_is_never_completed(loop_factory: LoopFactory) -> None:
    """What is called unsent stays unsent: closing the connection does not push out the rest and the final dot."""
    outcomes: list[Outcome] = []
    with FaultServer({"body": PAUSE}) as server:

        def record(given: Sequence[Outcome], _starting: Sequence[int]) -> tuple[int, ...]:
            outcomes.extend(given)
            if given:
                server.resume()
            return ()

        send = sender(server, loop_factory, timeouts=Timeouts(block=SHORT))
        send([a_message(data=LARGE)], record=record, stop=lambda: False)

    assert [outcome.verdict for outcome in outcomes] == [Verdict.UNSENT]
    assert server.taken == []


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [("552 5.3.4 too big", Verdict.REJECTED), ("451 4.3.0 later", Verdict.DEFERRED), ("250 ok", Verdict.UNSENT)],
)
def test_a_reply_in_the_body(send_all: SendAll, loop_factory: LoopFactory, reply: str, verdict: Verdict) -> None:
    """A refusal in the middle of the body counts, a thank-you does not; the connection is of no further use."""
    with FaultServer({"body": reply}, {"body": reply}, {"body": reply}, {}) as server:
        record = send_all(sender(server, loop_factory), [a_message(1, LARGE)])

    assert record.verdicts == {1: verdict}
    assert record.outcomes[0].phase == "body"


# --- after the final dot: perhaps taken ------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [CUT, CUT_HERE, "2" + CUT_HERE, "250-ok" + CUT_HERE, "garbage", "120 hm", "354 more"])
def test_a_break_after_the_dot_is_uncertain(send_all: SendAll, loop_factory: LoopFactory, fault: str) -> None:
    """Without an intelligible reply to the dot nobody knows, so it is not sent again; the next one goes out."""
    with FaultServer({"dot": fault}, {}) as server:
        record = send_all(sender(server, loop_factory), [a_message(1), a_message(2)])

    assert record.verdicts == {1: Verdict.UNCERTAIN, 2: Verdict.SENT}
    assert record.outcomes[0].phase == "dot"
    assert server.taken == ["reader1@example.org", "reader2@example.org"]
    assert server.connections == 2


def test_silence_after_the_dot_is_uncertain(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """A server that is too slow to say so may have taken the message all the same."""
    with FaultServer({"dot": STALL}) as server:
        record = send_all(sender(server, loop_factory, timeouts=Timeouts(dot=SHORT)), [a_message()])

    assert record.verdicts == {1: Verdict.UNCERTAIN}
    assert server.taken == ["reader1@example.org"]


def test_a_server_that_leaves_without_a_word(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """One that closes after each message, as Yahoo does after some, costs a connection and nobody an attempt."""
    with FaultServer({"dot": "250 2.0.0 taken\r\n" + CUT_HERE}) as server:
        record = send_all(sender(server, loop_factory), map(a_message, range(8)))

    assert record.error is None
    assert record.verdicts == dict.fromkeys(range(8), Verdict.SENT)
    assert len(server.taken) == 8


def test_421_instead_of_thanks(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """421 to the dot is a reply: not taken, so it goes out on another connection."""
    with FaultServer({"dot": "421 4.3.2 shutting down"}, {}) as server:
        record = send_all(sender(server, loop_factory), [a_message()])

    assert record.verdicts == {1: Verdict.SENT}
    assert server.connections == 2


# --- replies that are odd and good -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        {"dot": "250-2.0.0 one\r\n250-2.0.0 two\r\n250 2.0.0 three"},
        {step: "".join(f"{code}-line {n}\r\n" for n in range(99)) + f"{code} the end" for step, code in CODES.items()},
        {"rcpt": "252 2.5.2 cannot verify"},
        {"mail": "250-a\r\n250 b", "greeting": "220-fault\r\n220 ready"},
        {"dot": "250 ok\r\n421 4.7.0 enough for today"},
        {"quit": CUT},
        {"quit": "500 what?"},
        {"quit": STALL},
    ],
    ids=str,
)
def test_good_replies(send_all: SendAll, loop_factory: LoopFactory, script: Script) -> None:
    """Many lines, any 2xx, a 421 after the thanks and trouble at QUIT change nothing: sent."""
    with FaultServer(script) as server:
        timeouts = Timeouts(quit=SHORT)
        record = send_all(sender(server, loop_factory, timeouts=timeouts), [a_message(1), a_message(2)])

    assert record.error is None
    assert record.verdicts == {1: Verdict.SENT, 2: Verdict.SENT}
    assert server.taken == ["reader1@example.org", "reader2@example.org"]


def test_a_connection_that_said_goodbye_is_not_used_again(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """What came unasked ends a connection before the next message is offered on it."""
    with FaultServer({"dot": "250 ok\r\n421 4.7.0 enough for today"}) as server:
        record = send_all(sender(server, loop_factory), map(a_message, range(4)))

    assert record.verdicts == dict.fromkeys(range(4), Verdict.SENT)
    assert server.connections == 4
    assert len(server.taken) == 4  # an envelope may have been on its way when it said goodbye


def test_helo_where_ehlo_is_refused(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """A server that knows no EHLO is greeted as of old, and nothing it did not offer is used."""
    with FaultServer({"ehlo": "502 5.5.1 what?"}) as server:
        record = send_all(sender(server, loop_factory), [a_message()])

    assert record.verdicts == {1: Verdict.SENT}
    assert server.commands == [
        "EHLO client.example.org",
        "HELO client.example.org",
        "MAIL FROM:<papers@example.org>",
        "RCPT TO:<reader1@example.org>",
        "DATA",
        "QUIT",
    ]


def test_our_name_is_never_asked_of_a_name_server(send_all: SendAll) -> None:
    """Unless named, a machine without a full name greets with its address as a literal."""
    with FaultServer() as server:
        send_all(open_smtp(server.url()), [a_message()])

    assert re.fullmatch(r"EHLO (\[127\.0\.0\.1\]|[\w-]+(\.[\w-]+)+)", server.commands[0])


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "reply", "verdict"),
    [
        ("rcpt", "550 5.1.1 user unknown", Verdict.SUPPRESS),
        ("rcpt", "550 5.7.1 policy", Verdict.REJECTED),
        ("rcpt", "452 4.2.2 full", Verdict.DEFERRED),
        ("data", "451 4.3.0 later", Verdict.DEFERRED),
        ("dot", "554 5.6.0 no", Verdict.REJECTED),
        ("mail", "451 4.3.0 later", Verdict.DEFERRED),
    ],
)
def test_one_refused_among_a_hundred(
    send_all: SendAll, loop_factory: LoopFactory, step: str, reply: str, verdict: Verdict
) -> None:
    """A refused message is refused alone: the others go out over the same connection."""
    messages = [a_message(delivery) for delivery in range(100)]
    messages[50] = messages[50]._replace(sender="other@example.org")
    only = "other@example.org" if step == "mail" else "reader50@example.org"
    with FaultServer({f"{step} {only}": reply}) as server:
        record = send_all(sender(server, loop_factory), messages)

    assert record.error is None
    assert record.verdicts == {n: verdict if n == 50 else Verdict.SENT for n in range(100)}
    assert len(server.taken) == (100 if step == "dot" else 99)
    assert server.commands.count("RSET") == (0 if step == "dot" else 1)
    assert server.connections == 1


def test_one_refused_among_a_thousand(send_all: SendAll) -> None:
    """It alone, over one connection that goes on, by DATA and by BDAT."""
    ehlo = "250-x\r\n250-PIPELINING\r\n250 CHUNKING"
    for options in ("", "&chunking=8"):
        with FaultServer({"ehlo": ehlo, "rcpt reader500@example.org": "550 5.1.1 no such user"}) as server:
            record = send_all(open_smtp(server.url(f"?connections=1{options}")), map(a_message, range(1000)))

        assert record.error is None
        assert record.verdicts == {n: Verdict.SUPPRESS if n == 500 else Verdict.SENT for n in range(1000)}
        assert server.taken == [f"reader{n}@example.org" for n in range(1000) if n != 500]
        assert server.connections == 1


def test_a_wait_is_passed_on(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """The time a server asks us to wait is in the outcome, beside code and text."""
    with FaultServer({"rcpt": "451-4.7.1 Greylisted,\r\n451 4.7.1 try again in 5 minutes"}) as server:
        record = send_all(sender(server, loop_factory), [a_message()])

    outcome = record.outcomes[0]
    assert (outcome.verdict, outcome.code, outcome.phase) == (Verdict.DEFERRED, 451, "rcpt")
    assert (outcome.text, outcome.retry_after) == ("4.7.1 Greylisted, try again in 5 minutes", 300)


@pytest.mark.parametrize(
    "script",
    [
        {"mail": "530 5.7.0 Authentication required"},
        {"mail": "553 5.7.1 Sender address rejected: not owned by user"},
        {"rcpt": "553 5.7.1 <papers@example.org>: Sender address rejected: not owned by user"},
    ],
    ids=str,
)
def test_a_refused_sender_stops_the_batch(send_all: SendAll, loop_factory: LoopFactory, script: Script) -> None:
    """When we are refused rather than a reader, nothing further is tried and nobody is charged."""
    with FaultServer(script) as server:
        record = send_all(sender(server, loop_factory), map(a_message, range(100)))

    assert isinstance(record.error, Refused)
    assert record.verdicts == {0: Verdict.UNSENT}


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ({"greeting": "554 5.7.1 no service for you"}, "refused the connection: 554 5.7.1 no service for you"),
        ({"ehlo": "550 bad name", "helo": "550 bad name"}, "refused our name client.example.org: 550 bad name"),
    ],
    ids=["greeting", "helo"],
)
def test_a_refused_connection(send_all: SendAll, loop_factory: LoopFactory, script: Script, error: str) -> None:
    """A server that does not want to talk to us is an error that quotes it."""
    with FaultServer(script) as server:
        record = send_all(sender(server, loop_factory), [a_message()])

    assert str(record.error) == f"mail server 127.0.0.1:{server.port} {error}"
    assert record.verdicts == {1: Verdict.UNSENT}


@pytest.mark.parametrize(
    ("reply", "error", "refused"),
    [
        (
            "535 5.7.8 no: secret AHBhcGVycwBzZWNyZXQ= c2VjcmV0",
            "refused the user or password: 535 5.7.8 no: *** *** ***",
            True,
        ),
        ("454 4.7.0 later", "could not check the password: 454 4.7.0 later", False),
        ("334 ", "refused the user or password: 334", True),
    ],
)
def test_a_refused_password(
    send_all: SendAll, loop_factory: LoopFactory, reply: str, error: str, *, refused: bool
) -> None:
    """A refused password is told without the password, even where the server quotes it."""
    with FaultServer({"ehlo": "250-x\r\n250 AUTH PLAIN", "auth": reply}) as server:
        url = server.url().replace("//", "//papers:secret@")
        record = send_all(open_smtp(url, loop_factory=loop_factory), [a_message()])

    assert error in str(record.error)
    assert isinstance(record.error, Refused) == refused
    assert "secret" not in str(record.error)


@pytest.mark.parametrize("starttls", ["off", "auto"])
def test_no_password_in_clear_text(send_all: SendAll, loop_factory: LoopFactory, starttls: str) -> None:
    """A password goes to another machine under TLS only."""
    with FaultServer({"ehlo": "250-x\r\n250 AUTH PLAIN"}) as server:
        url = f"smtp://papers:secret@127.1:{server.port}?starttls={starttls}"  # not known to be a loopback address
        record = send_all(open_smtp(url, loop_factory=loop_factory), [a_message()])

    assert isinstance(record.error, Refused)
    assert "would get the password in clear text" in str(record.error)
    assert not any(command.startswith("AUTH") for command in server.commands)


def test_starttls_can_be_left(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """With starttls=off an offer is not taken up."""
    with FaultServer({"ehlo": "250-x\r\n250 STARTTLS"}) as server:
        record = send_all(open_smtp(server.url("?starttls=off"), loop_factory=loop_factory), [a_message()])

    assert record.verdicts == {1: Verdict.SENT}
    assert "STARTTLS" not in server.commands


def test_nothing_ahead_of_the_handshake(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """What is said ahead of the TLS handshake is not taken for encrypted (CVE-2011-0411)."""
    script = {"ehlo": "250-x\r\n250 STARTTLS", "starttls": "220 go on\r\n250-AUTH PLAIN"}
    with FaultServer(script) as server:
        url = server.url("?starttls=required").replace("//", "//papers:secret@")
        record = send_all(open_smtp(url, loop_factory=loop_factory), [a_message()])

    assert isinstance(record.error, Refused)
    assert "ahead of the TLS handshake" in str(record.error)
    assert not any(command.startswith("AUTH") for command in server.commands)


def test_a_refused_starttls_is_no_licence(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """A server that offers STARTTLS and then refuses it gets nothing in clear text."""
    with FaultServer({"ehlo": "250-x\r\n250 STARTTLS", "starttls": "454 4.7.0 not now"}) as server:
        record = send_all(sender(server, loop_factory), [a_message()])

    assert "refused STARTTLS: 454 4.7.0 not now" in str(record.error)
    assert server.taken == []


# --- many messages, many connections ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "verdict"), [({"mail": CUT}, Verdict.UNSENT), ({"dot": CUT}, Verdict.UNCERTAIN)], ids=str
)
def test_a_server_that_always_breaks_off_is_left(
    send_all: SendAll, loop_factory: LoopFactory, fault: Script, verdict: Verdict
) -> None:
    """After five messages in a row without a reply that counts, the batch stops instead of spoiling the rest."""
    with FaultServer(fault) as server:
        record = send_all(sender(server, loop_factory), map(a_message, range(1000)))

    assert isinstance(record.error, SendError)
    assert re.search(r"broke off 5 messages in a row, the last: connection lost", str(record.error))
    given_back = {BREAKS_IN_A_ROW: Verdict.UNSENT}  # whose envelope was on its way behind the last one
    assert record.verdicts in (expected := dict.fromkeys(range(BREAKS_IN_A_ROW), verdict), expected | given_back)


@pytest.mark.parametrize("first", [{}, {"quit": CUT}], ids=str)
def test_fewer_connections_than_hoped_for(send_all: SendAll, loop_factory: LoopFactory, first: Script) -> None:
    """Where a server allows one connection, the others retire and their messages go out over the one."""
    with FaultServer(first, {"greeting": "421 4.7.0 too many connections"}) as server:
        send = open_smtp(server.url(), connections=4, loop_factory=loop_factory)
        record = send_all(send, map(a_message, range(200)))

    assert record.error is None
    assert record.verdicts == dict.fromkeys(range(200), Verdict.SENT)


def test_rate_limits_are_not_hammered(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """A 421 that says we are too fast is no invitation to come back at once with the same message."""
    with FaultServer({"rcpt": "421 4.7.28 unusual rate, try again in 60 seconds"}) as server:
        record = send_all(sender(server, loop_factory), [a_message()])

    assert record.verdicts == {1: Verdict.UNSENT}
    assert record.outcomes[0].retry_after == 60
    assert server.connections == 1


def test_stopping_waits_for_no_pause(loop_factory: LoopFactory) -> None:
    """A server that asked for five minutes is not waited for when it is time to stop; the rest is given back."""
    outcomes: list[Outcome] = []

    def record(given: Sequence[Outcome], _starting: Sequence[int]) -> tuple[int, ...]:
        outcomes.extend(given)
        return ()

    with FaultServer({"rcpt": "451 4.7.1 too many, try again in 300 seconds"}) as server:
        send = sender(server, loop_factory)
        send(map(a_message, range(5)), record=record, stop=lambda: bool(outcomes))

    assert [(outcome.verdict, outcome.given_up) for outcome in outcomes] in (
        [(Verdict.DEFERRED, False)],
        [(Verdict.DEFERRED, False), (Verdict.UNSENT, True)],
    )


def test_a_hostile_reply_is_harmless(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """What a server says is kept as one short printable line."""
    with FaultServer({"rcpt": "550 5.7.1 \x1b[2J\x00\u202e" + "x" * 3000}) as server:
        record = send_all(sender(server, loop_factory), [a_message()])

    text = record.outcomes[0].text
    assert text.startswith("5.7.1 [2J xxx")
    assert text.isprintable()
    assert len(text) <= 500


def test_given_up_as_it_begins(loop_factory: LoopFactory) -> None:
    """A connection that stands is closed, also where all is given up before anything is put to work on it."""
    opened: list[Session] = []

    async def run(url: str) -> None:
        relay = parse_relay(url, connections=2)
        context = ssl.create_default_context()

        async def connect() -> Session:
            opened.append(await open_session(relay, context=context, hostname="", timeouts=Timeouts()))
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            return opened[-1]

        with pytest.raises(asyncio.CancelledError):
            await carry(
                relay,
                [a_message(1)],
                connect=connect,
                record=lambda _outcomes, _starting: (),
                stop=lambda: False,
                pace=Pace(),
            )
        await opened[0].wire.reply(10)
        assert opened[0].wire.lost

    with FaultServer() as server, asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(run(server.url()))

    assert len(opened) == 1

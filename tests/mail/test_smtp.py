from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from newsletter.errors import Refused
from newsletter.mail.mailbox import open_mailbox
from newsletter.mail.smtp import LoopFactory, open_smtp
from newsletter.model import Message, Outcome, Verdict
from tests.mail.conftest import Certificate, SendAll, Serve

BODY = b"Subject: x\r\n\r\nHello\r\n"


def a_message(delivery: int = 1, data: bytes = BODY, recipient: str = "") -> Message:
    """A message for a reader of that number."""
    return Message(
        delivery=delivery,
        sender="papers@example.org",
        recipient=recipient or f"reader{delivery}@example.org",
        pieces=(data,),
    )


def test_every_message_arrives_once(tmp_path: Path, send_all: SendAll, loop_factory: LoopFactory) -> None:
    """Each message gives one mail, one `started` and one outcome, over however many connections."""
    with open_mailbox(tmp_path / "mail", port=0) as box:
        record = send_all(open_smtp(box.url, connections=5, loop_factory=loop_factory), map(a_message, range(40)))

    assert record.verdicts == dict.fromkeys(range(40), Verdict.SENT)
    assert sorted(record.started) == list(range(40))
    assert {mail["Delivered-To"] for mail in box.messages()} == {f"reader{n}@example.org" for n in range(40)}
    assert len(box.messages()) == 40


def test_a_sender_is_used_again(tmp_path: Path, send_all: SendAll, loop_factory: LoopFactory) -> None:
    """One sender serves one batch after another, also in another thread than the main one."""
    with open_mailbox(tmp_path / "mail", port=0) as box:
        send = open_smtp(box.url, loop_factory=loop_factory)
        first = send_all(send, [a_message(1)])
        records = []
        thread = threading.Thread(target=lambda: records.append(send_all(send, [a_message(2)])))
        thread.start()
        thread.join()

    assert first.verdicts == {1: Verdict.SENT}
    assert [record.verdicts for record in records] == [{2: Verdict.SENT}]


def test_nothing_to_send_needs_no_server(send_all: SendAll) -> None:
    """Without messages nothing is connected."""
    record = send_all(open_smtp("smtp://127.0.0.1:1"), [])

    assert (record.error, record.outcomes) == (None, [])


def test_no_server_is_said_clearly(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """Where nobody listens the error says what, where, why and what to do; the message taken stays unsent."""
    record = send_all(open_smtp("smtp://127.0.0.1:1", loop_factory=loop_factory), [a_message(1), a_message(2)])

    assert str(record.error) == (
        "could not reach mail server 127.0.0.1:1: connection refused; is it running? "
        "`newsletter mailbox` starts the built-in one"
    )
    assert record.verdicts == {1: Verdict.UNSENT}
    assert record.outcomes[0].text == str(record.error)
    assert record.started == []


def test_stop_is_asked_before_each_message(tmp_path: Path) -> None:
    """Once `stop()` is true no further message is taken, and those in flight are finished."""
    taken: list[int] = []
    outcomes: list[Outcome] = []

    def messages() -> Iterator[Message]:
        for delivery in range(100):
            taken.append(delivery)
            yield a_message(delivery)

    def record(given: Sequence[Outcome], _starting: Sequence[int]) -> tuple[int, ...]:
        outcomes.extend(given)
        return ()

    with open_mailbox(tmp_path / "mail", port=0) as box:
        send = open_smtp(box.url, connections=3)
        send(messages(), record=record, stop=lambda: len(outcomes) >= 10)

    assert 10 <= len(taken) <= 10 + 3
    assert sorted(outcome.delivery for outcome in outcomes) == taken
    assert len(box.messages()) == len(taken)


def test_at_most_one_message_per_connection_is_in_flight(tmp_path: Path) -> None:
    """No more messages are taken than can be offered."""
    in_flight: set[int] = set()
    most = 0

    def messages() -> Iterator[Message]:
        nonlocal most
        for delivery in range(50):
            in_flight.add(delivery)
            most = max(most, len(in_flight))
            yield a_message(delivery)

    def record(outcomes: Sequence[Outcome], _starting: Sequence[int]) -> tuple[int, ...]:
        in_flight.difference_update(outcome.delivery for outcome in outcomes)
        return ()

    with open_mailbox(tmp_path / "mail", port=0) as box:
        open_smtp(box.url + "?connections=4")(messages(), record=record, stop=lambda: False)

    assert most <= 4
    assert not in_flight


class LedgerLost(Exception):
    """Stands for a database that is gone."""


@pytest.mark.parametrize("broken", ["messages", "record", "stop"])
def test_a_callers_own_error_is_loud(tmp_path: Path, broken: str) -> None:
    """An error of the caller's comes out as it is, and every message taken has had an outcome."""
    taken: list[int] = []
    outcomes: list[Outcome] = []
    calls = 0

    def failing(name: str) -> None:
        nonlocal calls
        calls += name == broken
        if name == broken and calls == 5:
            raise LedgerLost

    def messages() -> Iterator[Message]:
        for delivery in range(20):
            failing("messages")
            taken.append(delivery)
            yield a_message(delivery)

    def record(given: Sequence[Outcome], _starting: Sequence[int]) -> tuple[int, ...]:
        failing("record")
        outcomes.extend(given)
        return ()

    def stop() -> bool:
        failing("stop")
        return False

    with open_mailbox(tmp_path / "mail", port=0) as box, pytest.raises(LedgerLost):
        open_smtp(box.url, connections=3)(messages(), record=record, stop=stop)

    assert sorted(outcome.delivery for outcome in outcomes) == taken
    sent = {outcome.delivery for outcome in outcomes if outcome.verdict is Verdict.SENT}
    maybe = {outcome.delivery for outcome in outcomes if outcome.verdict is Verdict.UNCERTAIN}
    arrived = {int(re.findall(r"\d+", mail["Delivered-To"])[0]) for mail in box.messages()}
    assert sent <= arrived <= sent | maybe


def test_dots_and_line_ends_arrive_as_they_were(serve: Serve, send_all: SendAll) -> None:
    """What looks like the end of the message inside it, or like commands, stays content."""
    body = (
        b"Subject: x\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.org>\r\n"
    )
    server = serve()
    record = send_all(open_smtp(f"smtp://127.0.0.1:{server.port}"), [a_message(1, body)])

    assert record.verdicts == {1: Verdict.SENT}
    assert [envelope.content for envelope in server.envelopes] == [body]


def test_a_last_line_without_its_end_gets_one(serve: Serve, send_all: SendAll) -> None:
    """The final dot stands on a line of its own."""
    server = serve()
    send_all(open_smtp(f"smtp://127.0.0.1:{server.port}"), [a_message(1, b"a: b\r\n\r\nx")])

    assert server.envelopes[0].content == b"a: b\r\n\r\nx\r\n"


@pytest.mark.parametrize("data", [b"a\r\n\r\nb\nc\r\n", b"a\r\n\r\nb\rc\r\n", b"x\n.\n", b"x\r.\r", b"x\r\n.\rMAIL"])
def test_bare_line_ends_never_reach_the_wire(serve: Serve, send_all: SendAll, data: bytes) -> None:
    """A bare CR or LF is refused here: servers that take it for a line end would find a second message in it."""
    server = serve()
    record = send_all(open_smtp(f"smtp://127.0.0.1:{server.port}"), [a_message(1, data), a_message(2)])

    assert record.verdicts == {1: Verdict.REJECTED, 2: Verdict.SENT}
    assert "bare CR or LF" in record.outcomes[0].text
    assert len(server.envelopes) == 1


@pytest.mark.parametrize("recipient", ["a@x.org>\r\nRCPT TO:<evil@example.org", "a b@x.org", "a@x.org\r\nDATA"])
def test_a_hostile_envelope_never_reaches_the_wire(serve: Serve, send_all: SendAll, recipient: str) -> None:
    """An address that would end its command is refused here."""
    server = serve()
    record = send_all(open_smtp(f"smtp://127.0.0.1:{server.port}"), [a_message(1, recipient=recipient), a_message(2)])

    assert record.verdicts == {1: Verdict.REJECTED, 2: Verdict.SENT}
    assert [envelope.rcpt_tos for envelope in server.envelopes] == [["reader2@example.org"]]


def test_a_message_over_the_servers_size_is_not_offered(serve: Serve, send_all: SendAll) -> None:
    """A server that says SIZE 1000 is not offered more; smaller messages go out."""
    server = serve(data_size_limit=1000)
    record = send_all(
        open_smtp(f"smtp://127.0.0.1:{server.port}"), [a_message(1, b"x" * 998 + b"\r\n\r\n"), a_message(2)]
    )

    assert record.verdicts == {1: Verdict.REJECTED, 2: Verdict.SENT}
    assert record.outcomes[0].text == "a message of 1002 bytes, where the server takes 1000 (SIZE)"


def test_an_international_address_needs_a_server_that_takes_it(serve: Serve, send_all: SendAll) -> None:
    """With SMTPUTF8 it is delivered; without, it is this message alone that cannot go, and nobody is suppressed."""
    message = a_message(1, "To: ä@example.org\r\n\r\nx\r\n".encode(), recipient="ä@example.org")
    able, unable = serve(enable_SMTPUTF8=True), serve()
    delivered = send_all(open_smtp(f"smtp://127.0.0.1:{able.port}"), [message])
    refused = send_all(open_smtp(f"smtp://127.0.0.1:{unable.port}"), [message, a_message(2)])

    assert delivered.verdicts == {1: Verdict.SENT}
    assert able.envelopes[0].rcpt_tos == ["ä@example.org"]
    assert refused.verdicts == {1: Verdict.REJECTED, 2: Verdict.SENT}
    assert "SMTPUTF8" in refused.outcomes[0].text


# --- TLS and credentials --------------------------------------------------------------------------------------------

SECRET = "hu/nter 2@#"
QUOTED = "hu%2Fnter%202%40%23"


def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
    """Let in whoever knows the password."""
    return AuthResult(
        success=isinstance(data, LoginPassword) and (data.login, data.password) == (b"papers", SECRET.encode())
    )


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_starttls_and_password(
    serve: Serve, send_all: SendAll, certificate: Certificate, loop_factory: LoopFactory, mechanism: str
) -> None:
    """With STARTTLS and a password by PLAIN or LOGIN, several messages go over one encrypted connection."""
    other = {"PLAIN": "LOGIN", "LOGIN": "PLAIN"}[mechanism]
    server = serve(
        tls_context=certificate.server,
        require_starttls=True,
        auth_required=True,
        authenticator=authenticate,
        auth_exclude_mechanism=[other],
    )
    url = f"smtp://papers:{QUOTED}@127.0.0.1:{server.port}?starttls=required&verify=off&connections=1"
    record = send_all(open_smtp(url, loop_factory=loop_factory), map(a_message, range(3)))

    assert record.error is None
    assert record.verdicts == dict.fromkeys(range(3), Verdict.SENT)
    assert len(server.envelopes) == 3


def test_implicit_tls(serve: Serve, send_all: SendAll, certificate: Certificate, loop_factory: LoopFactory) -> None:
    """smtps:// is encrypted from the first byte, for a large message too."""
    server = serve(implicit_tls=certificate.server, data_size_limit=None)
    body = b"a: b\r\n\r\n" + (b"x" * 76 + b"\r\n") * 40_000
    send = open_smtp(f"smtps://127.0.0.1:{server.port}?verify=off", loop_factory=loop_factory)
    record = send_all(send, [a_message(1, body), a_message(2)])

    assert record.verdicts == {1: Verdict.SENT, 2: Verdict.SENT}
    assert body in [envelope.content for envelope in server.envelopes]


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
def test_a_certificate_nobody_signed_is_refused(
    serve: Serve, send_all: SendAll, certificate: Certificate, loop_factory: LoopFactory, scheme: str
) -> None:
    """Unless told otherwise nothing is said to a server that cannot prove who it is."""
    server = serve(
        **({"implicit_tls": certificate.server} if scheme == "smtps" else {"tls_context": certificate.server})
    )
    options = "" if scheme == "smtps" else "?starttls=required"
    send = open_smtp(f"{scheme}://papers:{QUOTED}@127.0.0.1:{server.port}{options}", loop_factory=loop_factory)
    record = send_all(send, [a_message(1)])

    assert isinstance(record.error, Refused)
    assert re.match(r"the certificate of mail server 127.0.0.1:\d+ cannot be trusted: self.signed", str(record.error))
    assert record.verdicts == {1: Verdict.UNSENT}
    assert SECRET not in str(record.error)


def test_a_trusted_certificate_is_accepted(
    serve: Serve, send_all: SendAll, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that the machine trusts needs no option."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    server = serve(implicit_tls=certificate.server)

    assert send_all(open_smtp(f"smtps://127.0.0.1:{server.port}"), [a_message(1)]).verdicts == {1: Verdict.SENT}


def test_tls_that_is_required_and_not_offered(serve: Serve, send_all: SendAll) -> None:
    """Where STARTTLS is required and stripped or absent, nothing is sent in clear text."""
    server = serve()
    record = send_all(open_smtp(f"smtp://127.0.0.1:{server.port}?starttls=required"), [a_message(1)])

    assert isinstance(record.error, Refused)
    assert "does not offer STARTTLS, so nothing was sent" in str(record.error)
    assert server.envelopes == []


def test_tls_is_used_where_offered(serve: Serve, send_all: SendAll, certificate: Certificate) -> None:
    """On a loopback address STARTTLS is used if offered, whoever signed the certificate."""
    server = serve(tls_context=certificate.server, require_starttls=True)

    assert send_all(open_smtp(f"smtp://127.0.0.1:{server.port}"), [a_message(1)]).verdicts == {1: Verdict.SENT}


def test_a_port_that_speaks_no_tls(serve: Serve, send_all: SendAll, loop_factory: LoopFactory) -> None:
    """smtps:// to a port that speaks plain SMTP is told as what it is."""
    server = serve()
    record = send_all(open_smtp(f"smtps://127.0.0.1:{server.port}", loop_factory=loop_factory), [a_message(1)])

    assert isinstance(record.error, Refused)
    assert re.match("could not encrypt the connection to mail server", str(record.error))


def test_a_wrong_password_is_refused_once(serve: Serve, send_all: SendAll, certificate: Certificate) -> None:
    """A refused password stops the batch at the first attempt, charges nobody and is not in the message."""
    tries = []

    def refuse(*_arguments: object) -> AuthResult:
        tries.append(1)
        return AuthResult(success=False, handled=False)

    server = serve(tls_context=certificate.server, authenticator=refuse)
    url = f"smtp://papers:{QUOTED}@127.0.0.1:{server.port}?starttls=required&verify=off&connections=8"
    record = send_all(open_smtp(url), map(a_message, range(100)))

    assert isinstance(record.error, Refused)
    assert "refused the user or password: 535" in str(record.error)
    assert SECRET not in str(record.error)
    assert record.verdicts == {0: Verdict.UNSENT}
    assert len(tries) == 1


def test_a_server_without_passwords(serve: Serve, send_all: SendAll) -> None:
    """A password that the server has no use for is a mistake in the settings."""
    server = serve(auth_exclude_mechanism=["PLAIN", "LOGIN"])
    record = send_all(open_smtp(f"smtp://papers:{QUOTED}@127.0.0.1:{server.port}"), [a_message(1)])

    assert isinstance(record.error, Refused)
    assert "takes nobody's word by AUTH PLAIN or LOGIN" in str(record.error)


def test_the_password_is_shown_nowhere() -> None:
    """Neither a sender nor its relay shows credentials."""
    send = open_smtp(f"smtp://papers:{QUOTED}@mail.example.org")

    assert repr(send) == "<SmtpSend mail server mail.example.org:587>"
    assert SECRET not in repr(vars(send))

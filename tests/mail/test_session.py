"""Every fault before the first message: whatever happens there, nothing was taken and nobody is charged."""

from __future__ import annotations

import re
import ssl
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest

from newsletter.errors import Refused, SendError
from newsletter.mail.session import Timeouts
from newsletter.mail.smtp import LoopFactory, SmtpSend, open_smtp
from newsletter.model import Verdict
from tests.mail.conftest import Certificate, SendAll, certify
from tests.mail.faults import CUT, CUT_HERE, STALL, FaultServer, Script
from tests.mail.posting import a_message

SHORT = 0.1
QUICK = Timeouts(greeting=SHORT, command=SHORT)
HUNDRED = "\r\n".join(f"{{0}}-line {number}" for number in range(99)) + "\r\n{0} the end"
FULL = "250-x\r\n250-STARTTLS\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250-DSN\r\n250 AUTH PLAIN LOGIN"
STEPS = ["greeting", "ehlo", "starttls", "handshake", "auth"]


def sender(
    server: FaultServer, loop_factory: LoopFactory, *, timeouts: Timeouts = QUICK, options: str = ""
) -> SmtpSend:
    """One connection with STARTTLS and a password."""
    url = server.url(f"?starttls=required&verify=off&connections=1{options}").replace("//", "//papers:secret@")
    return open_smtp(url, timeouts=timeouts, loop_factory=loop_factory, hostname="client.example.org")


CUTS = [CUT, CUT_HERE]
HALVES = [*CUTS, "2" + CUT_HERE, "250-x\r\n250-SI" + CUT_HERE, "421 4.3.2 closing"]


@pytest.mark.parametrize(
    ("step", "fault"),
    [(step, fault) for step in STEPS for fault in (CUTS if step == "handshake" else HALVES)],
)
def test_a_break_is_mended(
    send_all: SendAll, loop_factory: LoopFactory, certificate: Certificate, step: str, fault: str
) -> None:
    """A connection that ends before it is ready, in the middle of a reply too, is opened anew; nobody is charged."""
    script: Script = {"ehlo": FULL, step: fault}
    with FaultServer(script, script, {"ehlo": FULL}, tls=certificate.server) as server:
        record = send_all(sender(server, loop_factory, timeouts=Timeouts()), [a_message(1), a_message(2)])

    assert record.error is None
    assert record.verdicts == {1: Verdict.SENT, 2: Verdict.SENT}
    assert len(server.taken) == 2
    assert server.connections == 3


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fault", [CUT, STALL])
def test_a_break_that_repeats(
    send_all: SendAll, loop_factory: LoopFactory, certificate: Certificate, step: str, fault: str
) -> None:
    """After two more attempts it is an error that names the step; silence is a break as well, when its time is over."""
    with FaultServer({"ehlo": FULL, step: fault}, tls=certificate.server) as server:
        record = send_all(sender(server, loop_factory), [a_message(1), a_message(2)])

    where = "starttls" if step == "handshake" else step
    assert re.match(rf"mail server 127.0.0.1:\d+ broke off at {where}: ", str(record.error))
    assert not isinstance(record.error, Refused)
    assert record.verdicts == {1: Verdict.UNSENT}
    assert server.taken == []
    assert "secret" not in str(record.error)


@pytest.mark.parametrize("step", ["greeting", "ehlo", "starttls", "auth"])
def test_a_hundred_lines(send_all: SendAll, loop_factory: LoopFactory, certificate: Certificate, step: str) -> None:
    """A reply of a hundred lines is one reply."""
    code = {"greeting": 220, "ehlo": 250, "starttls": 454, "auth": 235}[step]
    reply = HUNDRED.format(code)
    if step == "ehlo":
        reply = reply.replace("250 the end", FULL.partition("\r\n")[2])
    with FaultServer({"ehlo": FULL, step: reply}, tls=certificate.server) as server:
        record = send_all(sender(server, loop_factory, timeouts=Timeouts()), [a_message()])

    if step == "starttls":
        assert "refused STARTTLS: 454 line 0 line 1" in str(record.error)
    else:
        assert record.verdicts == {1: Verdict.SENT}


@pytest.mark.parametrize("step", ["greeting", "ehlo", "starttls", "auth"])
@pytest.mark.parametrize("fault", ["garbage", "250-x\r\n220 y", "\x16\x03\x01\x02", HUNDRED.format(250) * 2])
def test_garbage_is_no_reply(
    send_all: SendAll, loop_factory: LoopFactory, certificate: Certificate, step: str, fault: str
) -> None:
    """What cannot be read leaves nothing to go on; the error quotes it in printable characters."""
    with FaultServer({"ehlo": FULL, step: fault}, tls=certificate.server) as server:
        record = send_all(sender(server, loop_factory, timeouts=Timeouts()), [a_message()])

    assert isinstance(record.error, SendError)
    assert str(record.error).isprintable()
    assert record.verdicts == {1: Verdict.UNSENT}
    assert server.taken == []


@pytest.mark.parametrize("more", ["250 ok", "421 4.3.2 closing", "garbage"])
def test_a_server_that_says_more_than_it_was_asked(send_all: SendAll, loop_factory: LoopFactory, more: str) -> None:
    """A connection on which something came unasked is not used; another one is opened, and not for ever."""
    with FaultServer({"ehlo": f"250 x\r\n{more}"}) as server:
        send = open_smtp(server.url("?connections=1"), loop_factory=loop_factory)
        record = send_all(send, map(a_message, range(9)))

    assert "broke off 5 times in a row" in str(record.error)
    assert record.verdicts == {0: Verdict.UNSENT}
    assert server.taken == []
    assert server.connections == 5


# --- TLS -------------------------------------------------------------------------------------------------------------


def old_protocol(folder: Path) -> Certificate:
    """A server that speaks nothing newer than TLS 1.1 (RFC 8996)."""
    made = certify(folder)
    with warnings.catch_warnings(category=DeprecationWarning, action="ignore"):
        made.server.minimum_version = ssl.TLSVersion.TLSv1
        made.server.maximum_version = ssl.TLSVersion.TLSv1_1
    made.server.set_ciphers("DEFAULT:@SECLEVEL=0")
    return made


@dataclass(frozen=True)
class Wrong:
    """A server whose TLS is not as it should be, and what is said of it."""

    tls: ssl.SSLContext
    script: Script
    why: str


@pytest.fixture(params=["expired", "wrong name", "self-signed", "old protocol", "none"])
def wrong(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wrong:
    """Each of them, where nothing but that is wrong."""
    kind: str = request.param
    made = {
        "expired": lambda: certify(tmp_path, days=-1),
        "wrong name": lambda: certify(tmp_path, address="127.0.0.2"),
        "old protocol": lambda: old_protocol(tmp_path),
    }.get(kind, lambda: certify(tmp_path))()
    if kind != "self-signed":
        monkeypatch.setenv("SSL_CERT_FILE", str(made.path))
    why = {
        "expired": "the certificate of mail server .* cannot be trusted: certificate has expired",
        "wrong name": "the certificate of mail server .* cannot be trusted: IP address mismatch",
        "self-signed": "the certificate of mail server .* cannot be trusted: self.signed certificate",
        "old protocol": "could not encrypt the connection to mail server .*: .*(version|protocol)",
        "none": "could not encrypt the connection to mail server .*: ",
    }[kind]
    return Wrong(made.server, {"ehlo": FULL, **({"handshake": "250 hello"} if kind == "none" else {})}, why)


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_wrong_tls(send_all: SendAll, loop_factory: LoopFactory, wrong: Wrong, scheme: str) -> None:
    """A server that cannot prove who it is, or speaks no TLS of today, is refused at once and gets no password."""
    with FaultServer(wrong.script, tls=wrong.tls, implicit=scheme == "smtps") as server:
        options = "" if scheme == "smtps" else "?starttls=required"
        url = server.url(options, scheme=scheme).replace("//", "//papers:secret@")
        record = send_all(open_smtp(url, loop_factory=loop_factory), map(a_message, range(9)))

    assert isinstance(record.error, Refused)
    with pytest.raises(Refused, match=wrong.why):
        raise record.error
    assert record.verdicts == {0: Verdict.UNSENT}
    assert server.connections == 1
    assert not any(command.startswith("AUTH") for command in server.commands)


def test_trusted_tls(
    send_all: SendAll, loop_factory: LoopFactory, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same servers with a certificate in order take the message."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    for scheme, options in (("smtps", ""), ("smtp", "?starttls=required")):
        with FaultServer({"ehlo": FULL}, tls=certificate.server, implicit=scheme == "smtps") as server:
            url = server.url(options, scheme=scheme).replace("//", "//papers:secret@")
            record = send_all(open_smtp(url, loop_factory=loop_factory), [a_message()])
        assert record.verdicts == {1: Verdict.SENT}


# --- what was offered once -------------------------------------------------------------------------------------------


def test_an_offer_ends_with_its_connection(
    send_all: SendAll, loop_factory: LoopFactory, certificate: Certificate
) -> None:
    """Extensions that a server had before are not used on a connection on which it does not offer them."""
    first = {"ehlo": FULL, "dot": "421 4.3.2 closing\r\n" + CUT_HERE}
    second = {"ehlo": "250-x\r\n250-STARTTLS\r\n250 AUTH LOGIN", "auth": "334 VXNlcm5hbWU6"}
    with FaultServer(first, second, tls=certificate.server) as server:
        record = send_all(sender(server, loop_factory, timeouts=Timeouts(), options="&dsn=never"), [a_message(1)])

    assert record.verdicts == {1: Verdict.SENT}
    mails = [command for command in server.commands if command.startswith("MAIL")]
    rcpts = [command for command in server.commands if command.startswith("RCPT")]
    assert mails == [f"MAIL FROM:<papers@example.org> SIZE={len(a_message().data)}", "MAIL FROM:<papers@example.org>"]
    assert rcpts == ["RCPT TO:<bob@example.net> NOTIFY=NEVER", "RCPT TO:<bob@example.net>"]
    assert [command for command in server.commands if command.startswith("AUTH")][1] == "AUTH LOGIN"


@pytest.mark.parametrize(
    ("ehlo", "why"),
    [
        ("250-x\r\n250 AUTH PLAIN", "does not offer STARTTLS, so nothing was sent"),
        ("250-x\r\n250 STARTTLS", "takes nobody's word by AUTH PLAIN or LOGIN"),
        ("502 what?", "does not offer STARTTLS, so nothing was sent"),
    ],
)
def test_a_server_that_has_lost_what_we_need(
    send_all: SendAll, loop_factory: LoopFactory, certificate: Certificate, ehlo: str, why: str
) -> None:
    """STARTTLS or AUTH that is gone on the next connection stops the delivery; nothing is said in the open."""
    first = {"ehlo": FULL, "dot": "421 4.3.2 closing\r\n" + CUT_HERE}
    with FaultServer(first, {"ehlo": ehlo}, tls=certificate.server) as server:
        record = send_all(sender(server, loop_factory, timeouts=Timeouts()), [a_message(1), a_message(2)])

    assert isinstance(record.error, Refused)
    assert why in str(record.error)
    assert set(record.verdicts.values()) == {Verdict.UNSENT}


def test_what_was_offered_before_tls_is_forgotten(
    send_all: SendAll, loop_factory: LoopFactory, certificate: Certificate
) -> None:
    """A server's offers in the open may be anybody's: only those after the handshake count (RFC 3207 section 4.2)."""
    ehlos = iter([FULL, "250-x\r\n250 AUTH PLAIN"])

    class Changing(dict[str, str]):
        def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
            return next(ehlos) if key == "ehlo" else default

    with FaultServer(Changing(), tls=certificate.server) as server:
        record = send_all(sender(server, loop_factory, timeouts=Timeouts()), [a_message()])

    assert record.verdicts == {1: Verdict.SENT}
    assert "MAIL FROM:<papers@example.org>" in server.commands

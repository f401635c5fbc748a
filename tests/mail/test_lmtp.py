"""LMTP (RFC 2033): to a mail store that answers for each recipient, on a port or a socket of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosmtpd.lmtp import LMTP

from newsletter.errors import ConfigError, SendError
from newsletter.mail.conversation import Conversation
from newsletter.mail.relay import Tls, parse_relay
from newsletter.mail.smtp import LoopFactory, open_smtp
from newsletter.mail.wire import Reply
from newsletter.model import Verdict
from tests.mail.conftest import SendAll, Serve
from tests.mail.faults import CUT, GOOD, FaultServer
from tests.mail.posting import a_message

PIPELINED = GOOD["ehlo"].replace("8BITMIME", "PIPELINING\r\n250-8BITMIME")


def test_a_socket_of_this_machine(serve: Serve, send_all: SendAll, loop_factory: LoopFactory, tmp_path: Path) -> None:
    """lmtp:///path sends to whoever listens there."""
    path = tmp_path / "lmtp socket"
    server = serve(protocol=LMTP, path=path)
    send = open_smtp(f"lmtp://{str(path).replace(' ', '%20')}", loop_factory=loop_factory)
    record = send_all(send, map(a_message, range(3)))

    assert record.error is None
    assert record.verdicts == dict.fromkeys(range(3), Verdict.SENT)
    assert len(server.envelopes) == 3
    assert server.envelopes[0].content == a_message().data


def test_a_port(serve: Serve, send_all: SendAll, loop_factory: LoopFactory) -> None:
    """lmtp://host:port sends there, and says LHLO."""
    server = serve(protocol=LMTP)
    record = send_all(open_smtp(f"lmtp://127.0.0.1:{server.port}", loop_factory=loop_factory), [a_message()])

    assert record.verdicts == {1: Verdict.SENT}
    assert len(server.envelopes) == 1


@pytest.mark.parametrize("ehlo", [GOOD["ehlo"], PIPELINED], ids=["", "PIPELINING"])
def test_a_mailbox_that_is_full_when_all_is_there(send_all: SendAll, loop_factory: LoopFactory, ehlo: str) -> None:
    """The answer to the dot is the recipient's: the other messages go out over the same connection."""
    script = {"ehlo": ehlo, "dot full@example.net": "452 4.2.2 full", "rcpt gone@example.net": "550 5.1.1 no such user"}
    messages = [
        a_message(number, recipient=recipient)
        for number, recipient in enumerate(["a@example.net", "full@example.net", "gone@example.net", "b@example.net"])
    ]
    with FaultServer(script) as server:
        url = server.url("?connections=1", scheme="lmtp")
        record = send_all(open_smtp(url, loop_factory=loop_factory), messages)

    verdicts = [Verdict.SENT, Verdict.DEFERRED, Verdict.SUPPRESS, Verdict.SENT]
    assert record.verdicts == dict(enumerate(verdicts))
    assert server.connections == 1
    assert server.commands[0].startswith("LHLO ")


def test_a_cut_after_the_dot_is_uncertain(send_all: SendAll, loop_factory: LoopFactory) -> None:
    """As with SMTP."""
    with FaultServer({"dot": CUT}) as server:
        record = send_all(open_smtp(server.url(scheme="lmtp"), loop_factory=loop_factory), [a_message()])

    assert record.verdicts == {1: Verdict.UNCERTAIN}


def test_a_server_that_speaks_smtp_only(send_all: SendAll) -> None:
    """HELO is no way out: it would be another protocol."""
    with FaultServer({"ehlo": "500 what?"}) as server:
        record = send_all(open_smtp(server.url(scheme="lmtp")), [a_message()])

    assert "refused our name" in str(record.error)
    assert [command.split()[0] for command in server.commands] == ["LHLO"]


def test_an_empty_message_nobody_would_answer_for() -> None:
    """A refused recipient and yet 354: the dot would get no reply, so the connection is left."""
    conversation = Conversation({"PIPELINING": ""}, lmtp=True)
    conversation.offer(a_message())
    conversation.outgoing.clear()
    results = [
        result
        for reply in (Reply(250), Reply(550, ("5.1.1 no such user",)), Reply(354))
        for result in conversation.received(reply)
    ]
    assert [result.outcome.verdict for result in results] == [Verdict.SUPPRESS]
    assert conversation.outgoing == []
    assert conversation.broken


def test_nobody_listens(send_all: SendAll, loop_factory: LoopFactory, tmp_path: Path) -> None:
    """The error names the socket."""
    send = open_smtp(f"lmtp://{tmp_path}/none", loop_factory=loop_factory)
    record = send_all(send, [a_message()])

    assert isinstance(record.error, SendError)
    assert str(record.error) == (
        f"could not reach mail server {tmp_path}/none: No such file or directory; "
        "does it listen on that socket, and may we write to it?"
    )
    assert record.verdicts == {1: Verdict.UNSENT}


def test_where_it_is() -> None:
    """A socket needs no TLS and no port; another machine needs STARTTLS, and port 24 unless said."""
    socket, port = parse_relay("lmtp:///run/dovecot/lmtp"), parse_relay("lmtp://mail.example.org")
    assert (socket.path, socket.port, socket.tls, socket.loopback) == ("/run/dovecot/lmtp", 0, Tls.OFF, True)
    assert (port.path, port.host, port.port, port.tls) == ("", "mail.example.org", 24, Tls.REQUIRED)
    assert socket.lmtp
    assert port.lmtp


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("lmtp://", "names no host"),
        ("lmtp:///", "names no host"),
        ("lmtp://host/run/lmtp", "has something after the host"),
        ("lmtp:///run/a%00b", "names no host"),
        ("lmtp:///run/lmtp?starttls=required", "a socket of this machine takes no starttls"),
        ("lmtp://127.0.0.1?chunking=4", "chunking is for smtp:// and smtps:// only"),
    ],
)
def test_mistakes(url: str, what: str) -> None:
    """What cannot be reached by LMTP is said with what to do."""
    with pytest.raises(ConfigError, match=what):
        parse_relay(url)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.mail.envelope import mail_command, obstacle, rcpt_command
from newsletter.mail.relay import Dsn
from newsletter.model import Message
from tests.mail.posting import a_message

EVERYTHING = {"SIZE": "", "8BITMIME": "", "SMTPUTF8": "", "DSN": ""}
ASCII_ = b"Message-ID: <issue-7.42@example.org>\r\nSubject: x\r\n\r\nHello\r\n"
BODY_8BIT = "Subject: x\r\n\r\nGrüße\r\n".encode()
HEAD_8BIT = "To: jörg@example.net\r\n\r\nHello\r\n".encode()


def commands(message: Message, extensions: dict[str, str], dsn: Dsn = Dsn.OFF) -> tuple[str, str]:
    """MAIL and RCPT, without their line ends."""
    lines = mail_command(message, extensions, dsn=dsn) + rcpt_command(message, extensions, dsn=dsn)
    first, second, end = lines.decode().split("\r\n")
    assert not end
    return first, second


@pytest.mark.parametrize(
    ("message", "parameters"),
    [
        (a_message(data=ASCII_), " SIZE=59"),
        (a_message(data=ASCII_.removesuffix(b"\r\n")), " SIZE=59"),
        (a_message(data=BODY_8BIT), f" SIZE={len(BODY_8BIT)} BODY=8BITMIME"),
        (a_message(data=HEAD_8BIT), f" SIZE={len(HEAD_8BIT)} BODY=8BITMIME SMTPUTF8"),
        (a_message(data=ASCII_, recipient="jörg@example.net"), " SIZE=59 SMTPUTF8"),
        (a_message(data=b".\r\n..\r\n"), " SIZE=7"),
    ],
    ids=["plain", "no line end", "8 bit", "8 bit header", "address", "dots"],
)
def test_what_a_server_offers_is_used(message: Message, parameters: str) -> None:
    """The size as RFC 1870 counts it, and what the message needs of 8BITMIME and SMTPUTF8."""
    assert commands(message, EVERYTHING)[0] == f"MAIL FROM:<papers@example.org>{parameters}"
    assert obstacle(message, EVERYTHING) == ""


def test_what_a_server_does_not_offer_is_not_said() -> None:
    """To a server without extensions nothing but the addresses is said, whatever the options."""
    for dsn in Dsn:
        assert commands(a_message(data=ASCII_), {}, dsn) == (
            "MAIL FROM:<papers@example.org>",
            "RCPT TO:<bob@example.net>",
        )


@pytest.mark.parametrize(
    ("message", "missing", "why"),
    [
        (a_message(data=BODY_8BIT), "8BITMIME", "the message is not ASCII and the server does not offer 8BITMIME"),
        (a_message(data=HEAD_8BIT), "SMTPUTF8", "a header is not ASCII and the server does not offer SMTPUTF8"),
        (a_message(sender="ü@x.org"), "SMTPUTF8", "the address is not ASCII and the server does not offer SMTPUTF8"),
        (a_message(recipient="a b@x.org"), "", "not an email address: 'a b@x.org'"),
        (a_message(recipient="a@x.org>\r\nDATA"), "", "not an email address: 'a@x.org>\\r\\nDATA'"),
    ],
    ids=["8BITMIME", "header", "address", "space", "hostile"],
)
def test_what_cannot_be_offered(message: Message, missing: str, why: str) -> None:
    """A message that needs what is not offered stays here, with the reason."""
    assert obstacle(message, {name: "" for name in EVERYTHING if name != missing}) == why


@pytest.mark.parametrize(
    ("limit", "fits"), [("1000", False), ("1001", True), ("0", True), ("", True), ("²", True), ("1 000", True)]
)
def test_size(limit: str, *, fits: bool) -> None:
    """A message of 1,001 octets against what a server says it takes; 0, nothing and nonsense are no limit."""
    message = a_message(data=b"x" * 997 + b"\r\n" + b"\r\n")
    assert (obstacle(message, {"SIZE": limit}) == "") == fits


@pytest.mark.parametrize(
    ("dsn", "in_mail", "in_rcpt"),
    [
        (Dsn.OFF, "", ""),
        (Dsn.FAILURE, " RET=HDRS ENVID=issue-7.42", " NOTIFY=FAILURE ORCPT=rfc822;a+2Bb+3D@example.net"),
        (Dsn.NEVER, "", " NOTIFY=NEVER"),
    ],
)
def test_delivery_status_notifications(dsn: Dsn, in_mail: str, in_rcpt: str) -> None:
    """What is asked for, what the bounce shall say it is about, and for whom it was meant (RFC 3461)."""
    message = a_message(data=ASCII_, recipient="a+b=@example.net")
    assert commands(message, {"DSN": ""}, dsn) == (
        f"MAIL FROM:<papers@example.org>{in_mail}",
        f"RCPT TO:<a+b=@example.net>{in_rcpt}",
    )


@pytest.mark.parametrize(
    "data",
    [
        b"Subject: x\r\n\r\nMessage-ID: <body@example.org>\r\n",
        b"Message-ID: <" + b"x" * 101 + b"@example.org>\r\n\r\n",
        b"Message-ID: <two words@example.org>\r\n\r\n",
        b"DKIM-Signature: h=From:\r\n Message-ID: <fold@example.org>\r\n\r\n",
    ],
    ids=["in the body", "too long", "a space", "folded"],
)
def test_no_envelope_id_where_there_is_none(data: bytes) -> None:
    """Only the message's own Message-ID becomes an ENVID, and one of no more than 100 characters."""
    assert commands(a_message(data=data), {"DSN": ""}, Dsn.FAILURE)[0].endswith(" RET=HDRS")


def test_an_international_recipient_is_not_repeated_as_rfc822() -> None:
    """ORCPT of type rfc822 is for ASCII addresses."""
    message = a_message(recipient="jörg@example.net")
    assert commands(message, EVERYTHING, Dsn.FAILURE)[1] == "RCPT TO:<jörg@example.net> NOTIFY=FAILURE"


@given(st.text(st.characters(codec="ascii"), max_size=20), st.text(max_size=20), st.sampled_from(list(Dsn)))
def test_a_command_is_one_line(token: str, local: str, dsn: Dsn) -> None:
    """Whatever stands in a Message-ID or an address that may be offered, each command ends where it should."""
    message = a_message(data=f"Message-ID: <{token}@example.org>\r\n\r\n".encode(), recipient=f"{local}@example.net")
    if obstacle(message, EVERYTHING) == "":
        for line in commands(message, EVERYTHING, dsn):
            assert line.isprintable()
            assert line.count("<") == line.count(">") == 1

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.web.inbox import mail
from newsletter.web.inbox.mail import Mail, content, read_mail
from newsletter.web.inbox.maildir import summarize
from tests.builders import NOON
from tests.web.inbox.hostile import HOSTILE


def a_mail() -> EmailMessage:
    """Text, HTML with an image of its own, and three attachments."""
    message = EmailMessage()
    message["From"] = "Ada Sample <ada@example.org>"
    message["To"] = "Bob <bob@example.org>"
    message["Subject"] = "Grüße"
    message.set_content("hello\n")
    message.add_alternative('<p>hello <img src="cid:logo"></p>', subtype="html")
    body = message.get_body(("html",))
    assert isinstance(body, EmailMessage)
    body.add_related(b"\x89PNG", "image", "png", cid="<logo>", filename="logo.png")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="../../etc/passwd")
    message.add_attachment("notes", filename="n\u00f6tes.txt")
    message.add_attachment(EmailMessage())
    return message


def test_a_mail_is_read() -> None:
    """Its texts, its attachments and images with their names, and what the mailbox wrote above it."""
    top = b"Return-Path: <papers@example.org>\r\nDelivered-To: bob@example.org\r\nDelivered-To: cy@example.org\r\n"
    found = read_mail(top + a_mail().as_bytes())

    assert (found.header("subject"), found.text, found.html) == (
        "Grüße",
        "hello\n",
        '<p>hello <img src="cid:logo"></p>\n',
    )
    assert (found.return_path, found.delivered_to) == ("papers@example.org", ("bob@example.org", "cy@example.org"))
    assert [(part.name, part.content_type, part.size) for part in found.parts[:3]] == [
        ("logo.png", "image/png", 4),
        ("passwd", "application/pdf", 4),
        ("nötes.txt", "text/plain", 6),
    ]
    assert found.parts[0].content_id == "logo"
    assert found.parts[3].name.endswith(".eml")
    assert found.structure[0] == "multipart/mixed"


def test_parts_are_found_by_their_number() -> None:
    """What a part contains comes decoded; a number that no part has gives nothing."""
    raw = a_mail().as_bytes()
    found = read_mail(raw)

    assert [content(raw, part.number) for part in found.parts[:3]] == [b"\x89PNG", b"%PDF", b"notes\n"]
    assert content(raw, 99) is None


def test_an_own_return_path_is_no_envelope() -> None:
    """Only what stands above all headers is what the mailbox wrote."""
    assert read_mail(b"Subject: x\r\nReturn-Path: <a@example.org>\r\n\r\n").return_path == ""


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\windows\\system.ini", "system.ini"),
        ('a"; x="b.txt', "a; x=b.txt"),
        ("..", "part-0"),
        ("a\u202efdp.exe", "afdp.exe"),
        ("x" * 300 + ".pdf", "x" * 146 + ".pdf"),
    ],
)
def test_names_of_attachments_are_names(given_name: str, name: str) -> None:
    """No path, no quote, no change of direction is left of what a mail calls its file."""
    message = EmailMessage()
    message.set_content(b"x", maintype="application", subtype="pdf", filename=given_name)

    assert read_mail(message.as_bytes()).parts[0].name == name


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= an =?iso-8859-1?q?M=FCller?=", "Grüße an Müller"),
        ("Subject: Grüße".encode(), "Grüße"),
        (b"Subject: a\r\n b", "a b"),
        (b"Subject: \xff", "\ufffd"),
        (b"Subject: =?nosuch?q?abc?=", "abc"),
        (b"Subject: =?utf-8?b?ab=?= =?", "i =?"),
    ],
)
def test_headers_are_shown_as_meant(raw: bytes, value: str) -> None:
    """Encoded words, raw UTF-8 and folded lines are read; what is broken is shown all the same."""
    assert read_mail(raw + b"\r\n\r\n").header("subject") == value


def test_headers_without_end_are_cut() -> None:
    """A page shows some hundred headers of some thousand characters, and says how many more there are."""
    raw = b"".join(b"X-%d: y\r\n" % number for number in range(800)) + b"Subject: " + b"z" * 100_000 + b"\r\n\r\n"
    found = read_mail(raw)
    long = read_mail(b"Subject: " + b"z" * 100_000 + b"\r\n\r\n")

    assert (len(found.headers), found.headers_left_out) == (500, 301)
    assert len(long.header("subject")) == 20_000


def test_a_mail_nested_beyond_measure_is_one_part() -> None:
    """Neither reading nor walking through it ends in a recursion."""
    depth = 1_500
    raw = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth))
    found = read_mail(b"Subject: deep\r\n" + raw)

    assert found.header("subject") == "deep"


@given(st.binary(max_size=400) | st.sampled_from(HOSTILE).flatmap(lambda top: st.binary().map(lambda x: top + x)))
@example(b"")
def test_any_bytes_are_a_mail(raw: bytes) -> None:
    """Whatever comes can be shown: everything is text that UTF-8 can write, every part can be asked for."""
    found = read_mail(raw)
    summary = summarize(raw, identifier="x", arrived=NOON)

    written = [found.text, found.html, *found.structure, *(text for pair in found.headers for text in pair)]
    written += [summary.sender, summary.subject, summary.recipients, summary.snippet, summary.words]
    for part in found.parts:
        written += [part.name, part.content_type, part.content_id]
        assert "/" not in part.name
        assert part.name not in {"", ".", ".."}
        octets = content(raw, part.number)
        assert octets is not None
        assert len(octets) == part.size
    for text in written:
        text.encode("utf-8")


@pytest.mark.parametrize("raw", HOSTILE)
def test_broken_mails_are_shown(raw: bytes) -> None:
    """Those that the library stumbles over."""
    assert isinstance(read_mail(raw), Mail)


def test_names_stand_for_addresses() -> None:
    """A list has room for names only; who has none keeps the address."""
    assert mail.names("Ada <ada@example.org>, bob@example.org") == "Ada, bob@example.org"

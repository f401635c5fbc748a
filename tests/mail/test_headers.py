from __future__ import annotations

import email
import email.policy
import unicodedata
from email.header import decode_header, make_header
from email.message import EmailMessage

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.mail.headers import (
    Address,
    clean,
    envelope_address,
    list_id_header,
    mailbox_header,
    parse_mailbox,
    text_header,
    unsubscribe_headers,
    url_header,
    verbatim_header,
)

anything = st.text(st.characters() | st.sampled_from(list(' \t\r\n=?_"\\<>@,;:()é漢')), max_size=260)

HOSTILE = [
    "News\r\nBcc: victim@example.org",
    "News\nBcc: victim@example.org",
    "=?utf-8?q?News=0ABcc:_victim@example.org?=",
    "=?utf-8?b?TmV3cwpCY2M6IHZpY3RpbUBleGFtcGxlLm9yZw==?=",
    "a\x00b\x0bc\x85d\u2028e\u2029f",
    "\u202egnp.exe",
    '"; evil <x@example.org>',
    "x" * 10_000,
    "漢" * 10_000,
    "=" * 50 + "?" * 50,
]


def parsed(fields: bytes) -> EmailMessage:
    """Read by the standard library."""
    return email.message_from_bytes(fields + b"\r\n", policy=email.policy.default)


@settings(deadline=None, max_examples=75)
@given(anything)
@example("=\u0000?utf-8?q?x?=")
@example("=?utf-8?q?x?=")
@example("a" * 199 + " b")
def test_clean_is_harmless(value: str) -> None:
    """A cleaned value has no character of category C, no encoded word, no stray white space, and stays as it is."""
    cleaned = clean(value)

    assert not any(unicodedata.category(char).startswith("C") for char in cleaned)
    assert "=?" not in cleaned
    assert cleaned == " ".join(cleaned.split())
    assert len(cleaned) <= 200
    assert clean(cleaned) == cleaned


@settings(deadline=None, max_examples=75)
@given(anything)
@example("")
@example("=?utf-8?q?x?=")
@example("a" * 70)
@example("a" * 200)
@example("word " * 40)
@example("é" * 200)
@example("𝔘" * 200)
def test_text_header_says_what_was_cleaned(value: str) -> None:
    """A Subject decodes to the cleaned text, is the only field, and its lines have at most 78 columns."""
    field = text_header("Subject", value)

    assert parsed(field).items() == [("Subject", clean(value))]
    assert str(make_header(decode_header(parsed(field)["Subject"]))) == clean(value)
    assert_folded(field)


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_titles_make_one_field(value: str) -> None:
    """Whatever a feed calls itself, a Subject is one field."""
    assert parsed(text_header("Subject", value)).keys() == ["Subject"]
    assert parsed(mailbox_header("To", value, "a@example.org")).keys() == ["To"]


@settings(deadline=None, max_examples=75)
@given(anything)
@example("Daily Papers")
@example('Ann "the" \\ Example, Inc.')
@example("a" * 100)
@example('"' * 100)
@example("O'Hara")
def test_mailbox_header_names_one_mailbox(name: str) -> None:
    """A display name decodes to the cleaned name and never becomes an address."""
    field = mailbox_header("To", name, "ann@example.org")

    message = email.message_from_bytes(field + b"\r\n")  # the old policy: the new one keeps spaces between words
    assert message.keys() == ["To"]
    unfolded = message["To"].replace("\n", "")
    shown, _, address = unfolded.rpartition(" ")
    assert address == "<ann@example.org>"
    decoded = str(make_header(decode_header(shown)))
    expected = clean(name, limit=100)
    assert decoded.strip() in {expected, '"' + expected.replace("\\", "\\\\").replace('"', '\\"') + '"'}
    addresses = parsed(field)["To"].addresses
    assert [each.addr_spec for each in addresses] == ["ann@example.org"]
    if "=?" not in unfolded:
        assert addresses[0].display_name == expected
    assert_folded(field)


def assert_folded(field: bytes) -> None:
    """Lines of at most 78 columns, each continued one begun with a space, and no other line end."""
    assert field.endswith(b"\r\n")
    lines = field.split(b"\r\n")[:-1]
    assert all(len(line) <= 78 for line in lines)
    assert all(line.startswith(b" ") and line.strip() for line in lines[1:])
    assert b"\r" not in b"".join(lines)
    assert b"\n" not in b"".join(lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Daily Papers <papers@example.org>", Address("Daily Papers", "papers@example.org")),
        ('  "Papers, daily" <papers@example.org> ', Address("Papers, daily", "papers@example.org")),
        (r'"The \"Papers\"" <papers@example.org>', Address('The "Papers"', "papers@example.org")),
        ("Päpers <papers@example.org>", Address("Päpers", "papers@example.org")),
        ("<papers@example.org>", Address("", "papers@example.org")),
        ("papers@example.org", Address("", "papers@example.org")),
        ("papers@bücher.example", Address("", "papers@xn--bcher-kva.example")),
    ],
)
def test_parse_mailbox(text: str, expected: Address) -> None:
    """A mailbox is a name and an address, or an address alone."""
    assert parse_mailbox(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "papers", "a@x.org, b@x.org", "A <a@x.org> <b@x.org>", "A <a>", "A <a@x.org", "A: a@x.org;", "A <a@x.org> b"],
)
def test_parse_mailbox_wants_exactly_one(text: str) -> None:
    """What is no mailbox, or more than one, is refused."""
    with pytest.raises(ValueError, match="not an email address"):
        parse_mailbox(text)


@pytest.mark.parametrize(
    "address",
    [
        "a@x.org>\r\nRCPT TO:<evil@example.org",
        "a@x.org\r\n",
        "a@x.org\n",
        "a b@x.org",
        "a@x.org>",
        "<a@x.org",
        "a\x00@x.org",
        "a\u2028@x.org",
        "a\u202e@x.org",
        "a@b@x.org",
        '"a"@x.org',
        "@x.org",
        "a@",
    ],
)
def test_envelope_address_cannot_end_the_command(address: str) -> None:
    """White space, control characters and brackets have no place in an envelope."""
    with pytest.raises(ValueError, match="not an email address"):
        envelope_address(address)


def test_envelope_address_of_an_international_domain() -> None:
    """An international domain travels as A-labels; the local part is left to SMTPUTF8."""
    assert envelope_address("ä@straße.example") == "ä@xn--strae-oqa.example"
    with pytest.raises(ValueError, match="no such domain can exist"):
        envelope_address("a@é..example")


LONG_URL = "https://example.org/u/" + "x" * 300


def test_long_urls_stay_whole() -> None:
    """List-Unsubscribe is one line, however long the URL: mail programs do not undo encoded words in it."""
    fields = unsubscribe_headers(LONG_URL, "mailto:leave@example.org?subject=x")

    assert (
        fields
        == (
            f"List-Unsubscribe: <{LONG_URL}>, <mailto:leave@example.org?subject=x>\r\n"
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        ).encode()
    )


def test_one_click_is_offered_for_https_only() -> None:
    """RFC 8058 asks for https, so a development server's URL is offered without one-click."""
    assert unsubscribe_headers("http://127.0.0.1:8000/u/1") == b"List-Unsubscribe: <http://127.0.0.1:8000/u/1>\r\n"
    assert unsubscribe_headers("", "mailto:u@example.org") == b"List-Unsubscribe: <mailto:u@example.org>\r\n"
    assert unsubscribe_headers("") == b""


def test_urls_are_parted_where_one_line_is_too_long() -> None:
    """Two URLs that together exceed 998 columns stand on two lines."""
    fields = url_header("List-Unsubscribe", "https://example.org/" + "x" * 900, "mailto:" + "y" * 200)

    assert [len(line) <= 998 for line in fields.split(b"\r\n")] == [True, True, True]
    assert fields.count(b"\r\n ") == 1


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://example.org/ x",
        "https://example.org/>",
        "https://example.org/\r\nBcc: x",
        "https://example.org/é",
        "https://example.org/" + "x" * 1000,
    ],
)
def test_urls_that_cannot_stand_in_a_header(url: str) -> None:
    """A URL that could end its field is refused."""
    with pytest.raises(ValueError, match="cannot stand in a List-Archive header"):
        url_header("List-Archive", url)


def test_verbatim_header_takes_printable_ascii_only() -> None:
    """What must arrive as it is can neither be encoded nor hold a line end."""
    assert verbatim_header("Feedback-ID", "7:daily:issue:example") == b"Feedback-ID: 7:daily:issue:example\r\n"
    for value in ("a\r\nBcc: x", "é", "x" * 1000):
        with pytest.raises(ValueError, match="cannot stand in a Feedback-ID header"):
            verbatim_header("Feedback-ID", value)


def test_list_id() -> None:
    """A List-Id is a phrase and a name that looks like a domain."""
    assert list_id_header("Daily Papers", "daily.example.org") == b"List-Id: Daily Papers <daily.example.org>\r\n"
    assert parsed(list_id_header("Päpers", "daily.example.org"))["List-Id"] == "Päpers <daily.example.org>"
    with pytest.raises(ValueError, match="not a list identifier"):
        list_id_header("", "daily>\r\nBcc: x")

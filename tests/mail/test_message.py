from __future__ import annotations

import email
import email.policy
import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.mail.headers import Address, clean
from newsletter.mail.message import Letterhead, compile_issue
from newsletter.model import Fragment, Message, Piece, Recipient, Rendered, Slotted, Token, Told, Word
from newsletter.render.fragments import literal

LETTERHEAD = Letterhead(
    sender=Address("Daily Papers", "papers@example.org"),
    date=datetime(2026, 11, 20, 8, tzinfo=UTC),
    list_title="Daily Papers",
    list_id="daily-papers.example.org",
    list_archive="https://example.org/archive/daily-papers",
    feedback_id="7:daily-papers:issue:example",
)
ANN = Recipient(delivery=7, subscriber=3, email="ann@example.org", name="Ann", message_id="<7.abc@example.org>")
TOKENS = {Token.PREFERENCES_URL: "https://example.org/p/1?a=b&c=d", Token.WEB_URL: "https://example.org/a/1"}
URL = "https://example.org/u/token"
MAILTO = "mailto:b+token@bounce.example.org?subject=unsubscribe"

texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(list(" \t\r\n.=<>&\"'_")), max_size=200)
pieces: st.SearchStrategy[Piece] = st.one_of(
    texts,
    st.builds(Slotted, token=st.sampled_from(Token)),
    st.builds(Told, word=st.sampled_from(Word), text=texts),
)
bodies = st.lists(pieces, max_size=6).map(tuple)
fragments = st.builds(Fragment, kind=st.just("story"), key=st.just(""), html=bodies, text=bodies)
issues = st.builds(Rendered, subject=texts, fragments=st.lists(fragments, min_size=1, max_size=4).map(tuple))
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def plain_issue() -> Rendered:
    """The smallest issue that is one."""
    fragment = Fragment(kind="head", key="", html=("<p>Hello</p>\n",), text=("Hello\n",))
    return Rendered(subject="Papers", fragments=(fragment,))


def a_message(rendered: Rendered, recipient: Recipient = ANN, letterhead: Letterhead = LETTERHEAD) -> Message:
    """The message of an issue for one recipient."""
    return compile_issue(rendered, letterhead).message(
        recipient, tokens=TOKENS, unsubscribe_url=URL, unsubscribe_mailto=MAILTO
    )


def parsed(data: bytes) -> EmailMessage:
    """Read by the standard library."""
    return email.message_from_bytes(data, policy=email.policy.default)


def part(message: EmailMessage, subtype: str) -> str:
    """The decoded body of that kind, line ends as in the issue."""
    body = message.get_body((subtype,))
    assert isinstance(body, EmailMessage)
    content: str = body.get_content()
    return content.replace("\r\n", "\n")


def oracle(rendered: Rendered, recipient: Recipient) -> EmailMessage:
    """The same message, built by the standard library."""
    values = {Token.NAME: recipient.name, Token.EMAIL: recipient.email, Token.UNSUBSCRIBE_URL: URL, **TOKENS}

    def filled(pieces: tuple[Piece, ...], *, escape: bool) -> str:
        return "".join(
            literal(piece)
            if not isinstance(piece, Slotted)
            else html.escape(values[piece.token])
            if escape
            else values[piece.token]
            for piece in pieces
        )

    message = EmailMessage(policy=email.policy.SMTP)
    message["To"] = HeaderAddress(clean(recipient.name, limit=100), addr_spec=recipient.email)
    message["From"] = "Daily Papers <papers@example.org>"
    message["Subject"] = clean(rendered.subject)
    message["Date"] = LETTERHEAD.date
    message["Message-ID"] = recipient.message_id
    message["List-Id"] = "Daily Papers <daily-papers.example.org>"
    message["List-Archive"] = "<https://example.org/archive/daily-papers>"
    message["List-Unsubscribe"] = f"<{URL}>, <{MAILTO}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Feedback-ID"] = "7:daily-papers:issue:example"
    text = "".join(filled(fragment.text, escape=False) for fragment in rendered.fragments)
    markup = "".join(filled(fragment.html, escape=True) for fragment in rendered.fragments)
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(markup, subtype="html", cte="quoted-printable")
    return message


@settings(deadline=None, max_examples=100)
@given(issues, names)
def test_equals_the_standard_library(rendered: Rendered, name: str) -> None:
    """A spliced message parses to the headers and bodies of the one that EmailMessage builds."""
    recipient = ANN._replace(name=name)
    message = parsed(a_message(rendered, recipient).data)
    expected = oracle(rendered, recipient)

    same = set(expected.keys()) - {"To", "Content-Type"}
    assert {key: message[key] for key in same} == {key: expected[key] for key in same}
    assert set(message.keys()) == set(expected.keys())
    assert message["To"].addresses[0].addr_spec == expected["To"].addresses[0].addr_spec
    assert [each.get_content_type() for each in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert part(message, "plain") == part(expected, "plain")
    assert part(message, "html") == part(expected, "html")
    assert not any(each.defects for each in message.walk())


@settings(deadline=None, max_examples=100)
@given(issues, st.data())
def test_any_choice_of_fragments_equals_the_standard_library(rendered: Rendered, data: st.DataObject) -> None:
    """Any of them in any order, with a subject of its own, joined, parse to what EmailMessage builds of these alone."""
    chosen = data.draw(st.lists(st.sampled_from(range(len(rendered.fragments))), unique=True))
    others = data.draw(fragments)  # one that the whole has not
    kept = (*(rendered.fragments[index] for index in chosen), others)
    edition = Rendered(subject=data.draw(texts), fragments=kept)
    assembly = compile_issue(rendered, LETTERHEAD)
    spliced = assembly.message(
        ANN, tokens=TOKENS, unsubscribe_url=URL, unsubscribe_mailto=MAILTO, body=assembly.body(edition)
    )

    message, expected = parsed(spliced.data), oracle(edition, ANN)
    assert part(message, "plain") == part(expected, "plain")
    assert part(message, "html") == part(expected, "html")
    assert message["Subject"] == expected["Subject"]
    assert all(len(line) <= 76 for line in spliced.data.partition(b"\r\n\r\n")[2].split(b"\r\n"))


@settings(deadline=None, max_examples=100)
@given(issues, names)
def test_is_fit_for_the_wire(rendered: Rendered, name: str) -> None:
    """Only CRLF, only ASCII, header lines at most 998 columns, body lines at most 76, no dot at a line's start."""
    data = a_message(rendered, ANN._replace(name=name)).data

    assert data.isascii()
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", data)
    assert data.endswith(b"\r\n")
    head, _, body = data.partition(b"\r\n\r\n")
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    assert all(len(line) <= 76 and not line.startswith(b".") for line in body.split(b"\r\n"))


@settings(deadline=None, max_examples=50)
@given(issues, texts)
def test_what_is_common_is_the_same_message(rendered: Rendered, value: str) -> None:
    """A value that all have may be told when the issue is compiled, or with each message."""
    tokens = {**TOKENS, Token.WEB_URL: value}
    told = compile_issue(rendered, LETTERHEAD).message(ANN, tokens=tokens, unsubscribe_url=URL).data
    del tokens[Token.WEB_URL]
    known = compile_issue(rendered, LETTERHEAD, common={Token.WEB_URL: value})

    assert known.message(ANN, tokens=tokens, unsubscribe_url=URL).data == told
    assert known.message(ANN, tokens=tokens, unsubscribe_url=URL, body=known.body(rendered)).data == told


@settings(deadline=None, max_examples=50)
@given(issues, names)
def test_what_all_messages_begin_with_is_known(rendered: Rendered, name: str) -> None:
    """After their headers, up to the first value; all of them where there is none."""
    assembly = compile_issue(rendered, LETTERHEAD)
    message = assembly.message(ANN._replace(name=name), tokens=TOKENS, unsubscribe_url=URL)
    content = message.data.partition(b"\r\n\r\n")[2]

    assert content.startswith(assembly.whole.beginning)
    assert (content == assembly.whole.beginning) == (not assembly.whole.slots)


def test_is_the_same_on_every_attempt() -> None:
    """Two attempts at one delivery are the same bytes, Date and boundary included."""
    assert a_message(plain_issue()) == a_message(plain_issue())


def test_the_envelope() -> None:
    """The envelope sender is the recipient's own bounce address, else the letterhead's, else the sender's."""
    issue = plain_issue()
    bouncing = replace(LETTERHEAD, bounce="bounces@example.org")
    own = compile_issue(issue, bouncing).message(ANN, tokens={}, unsubscribe_url=URL, bounce="b+7@bounce.example.org")

    assert (a_message(issue).sender, a_message(issue).recipient) == ("papers@example.org", "ann@example.org")
    assert a_message(issue, letterhead=bouncing).sender == "bounces@example.org"
    assert own.sender == "b+7@bounce.example.org"


def test_fragments_are_chosen() -> None:
    """An edition is the fragments it has, in its order, under its subject; nothing of the whole stays behind."""
    rendered = Rendered(
        subject="Papers",
        fragments=tuple(
            Fragment(kind="story", key=key, html=(f"<p>{key}",), text=(f"{key} ",)) for key in ("a", "b", "c")
        ),
    )
    edition = replace(rendered, subject="Yours", fragments=(rendered.fragments[2], rendered.fragments[0]))
    assembly = compile_issue(rendered, LETTERHEAD)
    message = assembly.message(ANN, tokens={}, unsubscribe_url=URL, body=assembly.body(edition))

    assert parsed(message.data)["Subject"] == "Yours"
    assert b"Papers\r\n" not in message.data.partition(b"\r\n\r\n")[0].replace(b"Daily Papers", b"")
    assert part(parsed(message.data), "plain") == "c a \n"
    assert part(parsed(message.data), "html") == "<p>c<p>a\n"


def test_tokens_are_escaped_where_they_stand() -> None:
    """A name is markup nowhere: escaped in HTML, itself in the text, an ordinary display name in To."""
    slot = Slotted(token=Token.NAME)
    rendered = Rendered(subject="x", fragments=(Fragment(kind="head", key="", html=(slot,), text=(slot,)),))
    message = parsed(a_message(rendered, ANN._replace(name='<b>"; evil <x@example.org>\r\nBcc: y@example.org')).data)

    assert part(message, "html").startswith("&lt;b&gt;&quot;; evil")
    assert part(message, "plain").startswith('<b>"; evil')
    assert message["Bcc"] is None
    assert [address.addr_spec for address in message["To"].addresses] == ["ann@example.org"]


def test_a_slot_without_a_value_is_a_mistake() -> None:
    """No message goes out with a hole in it."""
    slot = Slotted(token=Token.WEB_URL)
    rendered = Rendered(subject="x", fragments=(Fragment(kind="foot", key="", html=(slot,), text=()),))

    with pytest.raises(KeyError):
        compile_issue(rendered, LETTERHEAD).message(ANN, tokens={}, unsubscribe_url=URL)


@pytest.mark.parametrize("address", ["a@x.org\r\nRCPT TO:<b@x.org>", "a b@x.org", "a@x.org>", "nobody"])
def test_a_hostile_address_is_refused(address: str) -> None:
    """An address that is none makes no message."""
    with pytest.raises(ValueError, match="not an email address"):
        a_message(plain_issue(), ANN._replace(email=address))


@pytest.mark.parametrize("message_id", ["", "7@example.org", "<7>", "<7@example.org>\r\nBcc: x", "<é@example.org>"])
def test_a_message_id_is_checked(message_id: str) -> None:
    """A Message-ID is printable ASCII in brackets."""
    with pytest.raises(ValueError, match="not a Message-ID"):
        a_message(plain_issue(), ANN._replace(message_id=message_id))


def test_an_international_address() -> None:
    """A local part that is not ASCII stays UTF-8 in To, as RFC 6532 has it."""
    message = a_message(plain_issue(), ANN._replace(email="ä@bücher.example"))

    assert message.recipient == "ä@xn--bcher-kva.example"
    assert "To: Ann <ä@xn--bcher-kva.example>\r\n".encode() in message.data


def test_a_bare_letterhead() -> None:
    """What a letterhead leaves out has no header; a confirmation says that a program wrote it."""
    letterhead = Letterhead(sender=Address("", "papers@example.org"), date=LETTERHEAD.date, auto_generated=True)
    message = compile_issue(plain_issue(), letterhead).message(ANN, tokens={}, unsubscribe_url="")

    assert parsed(message.data).keys() == [
        "To",
        "Message-ID",
        "From",
        "Subject",
        "Date",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    ]


def test_a_date_needs_a_zone() -> None:
    """A naive date would be sent as a time nobody meant; any zone will do."""
    with pytest.raises(ValueError, match="time zone"):
        compile_issue(plain_issue(), replace(LETTERHEAD, date=datetime(2026, 1, 1)))  # noqa: DTZ001
    paris = datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=1)))
    assert parsed(a_message(plain_issue(), letterhead=replace(LETTERHEAD, date=paris)).data)["Date"].datetime == paris

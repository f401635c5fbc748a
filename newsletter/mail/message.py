"""From a rendered issue to each recipient's message, by splicing.

    compile_issue(rendered, letterhead) -> Assembly --message(recipient, tokens)--> Message
    assembly.body(an edition's Rendered) -> Body    --message(…, body=body)-------> Message

Building a MIME tree and encoding 60 KB again for each recipient costs some 4 ms. Here every literal is encoded once
per issue, into pieces that end their line; a message is a join of such pieces and the recipient's own values. An
edition is made of the same pieces, so that one for each choice costs the same as one for all.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from itertools import chain
from types import MappingProxyType

from newsletter.mail.headers import (
    Address,
    envelope_address,
    list_id_header,
    mailbox_header,
    message_id_header,
    text_header,
    unsubscribe_headers,
    url_header,
    verbatim_header,
)
from newsletter.mail.quoted_printable import HARD, SOFT, quoted_printable
from newsletter.model import Message, Piece, Recipient, Rendered, Slotted, Token, Told

# For each message, and a member of an enumeration costs more to look up than a name.
_NAME, _EMAIL, _UNSUBSCRIBE_URL = Token.NAME, Token.EMAIL, Token.UNSUBSCRIBE_URL
_MARKUP = b"&<>\"'"  # what has to be escaped in HTML


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What the headers of every message of an issue have in common.

    `date` is the issue's, not the attempt's, so that a second attempt is the same message. `bounce` is the envelope
    sender, the sender's own address where empty. Empty fields leave their header out.
    """

    sender: Address
    date: datetime
    list_title: str = ""
    list_id: str = ""
    list_archive: str = ""
    feedback_id: str = ""
    bounce: str = ""
    auto_generated: bool = False  # RFC 3834: for confirmations and notices, not for issues


@dataclass(frozen=True, slots=True)
class Body:
    """A message of which only the values are missing: what stands between them, and which value belongs where.

    Place 0 is for the recipient's own headers. `ends` are parts that end in a value: where they begin, and where their
    last line break stands.
    """

    pieces: tuple[bytes, ...]
    slots: tuple[tuple[Token, tuple[int, ...], tuple[int, ...]], ...]  # each with its places in text and in HTML
    ends: tuple[tuple[int, int], ...]
    is_ascii: bool  # all that stands there already
    beginning: bytes = field(repr=False)  # what follows the headers, up to the first value; empty where not kept

    def filled(self, headers: bytes, values: Mapping[Token, str]) -> Sequence[bytes]:
        """The message with these headers and values, in pieces. KeyError for a slot without one."""
        pieces = [headers, *self.pieces]
        for token, in_text, in_html in self.slots:
            value = values[token]
            encoded = quoted_printable(value)
            for place in in_text:
                pieces[place] = encoded
            if in_html and len(encoded.translate(None, _MARKUP)) < len(encoded):
                encoded = quoted_printable(html.escape(value))
            for place in in_html:
                pieces[place] = encoded
        for begin, end in self.ends:
            pieces[end] = _end(pieces[begin:end])
        return pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """An issue of which only the recipients are missing: headers and fragments as bytes, slots between them."""

    envelope_sender: str
    letterhead: Letterhead
    boundary: bytes
    encoded: Mapping[str, bytes] = field(repr=False, hash=False)  # the literals of the issue
    common: Mapping[Token, str] = field(repr=False, hash=False)  # values that are everybody's
    whole: Body  # of every fragment

    def message(
        self,
        recipient: Recipient,
        *,
        tokens: Mapping[Token, str],
        unsubscribe_url: str,
        unsubscribe_mailto: str = "",
        bounce: str = "",
        body: Body | None = None,
    ) -> Message:
        """The message for one recipient, always the same bytes for the same arguments.

        `tokens` fill the slots; name, email, unsubscribe_url and what is common are known without. `body` is an
        edition's, else it is the whole issue. `bounce` is an envelope sender of this recipient's own (VERP).
        ValueError for an address or URL that cannot stand where it must; KeyError for a slot without a value.
        """
        address = envelope_address(recipient.email)
        values = {_NAME: recipient.name, _EMAIL: recipient.email, _UNSUBSCRIBE_URL: unsubscribe_url, **tokens}
        body = self.whole if body is None else body
        headers = (
            mailbox_header("To", recipient.name, address)
            + message_id_header(recipient.message_id)
            + unsubscribe_headers(unsubscribe_url, unsubscribe_mailto)
        )
        return Message(
            delivery=recipient.delivery,
            sender=envelope_address(bounce) if bounce else self.envelope_sender,
            recipient=address,
            pieces=body.filled(headers, values),
            is_encoded=address.isascii() and body.is_ascii,  # the parts are, being quoted-printable
        )

    def body(self, edition: Rendered) -> Body:
        """An edition of this issue: what it has in common with the whole is not encoded again."""
        return _body_of(edition, self.letterhead, self.boundary, self.encoded, self.common, shares=True)


def compile_issue(
    rendered: Rendered, letterhead: Letterhead, *, common: Mapping[Token, str] = MappingProxyType({})
) -> Assembly:
    """Encode everything that does not depend on the recipient; `common` are values that are everybody's.

    ValueError for a letterhead that makes no headers.
    """
    literals = dict.fromkeys(
        _literal(piece)
        for fragment in rendered.fragments
        for piece in (*fragment.text, *fragment.html)
        if not isinstance(piece, Slotted)
    )
    encoded = {literal: quoted_printable(literal) for literal in literals}
    boundary = _boundary(encoded.values())
    return Assembly(
        envelope_sender=envelope_address(letterhead.bounce or letterhead.sender.email),
        letterhead=letterhead,
        boundary=boundary,
        encoded=encoded,
        common=common,
        whole=_body_of(rendered, letterhead, boundary, encoded, common),
    )


def _head(subject: str, letterhead: Letterhead, boundary: bytes) -> bytes:
    if letterhead.date.utcoffset() is None:
        raise ValueError("the date of a letterhead has a time zone")
    fields = [
        mailbox_header("From", *letterhead.sender),
        text_header("Subject", subject),
        verbatim_header("Date", format_datetime(letterhead.date)),
        list_id_header(letterhead.list_title, letterhead.list_id) if letterhead.list_id else b"",
        url_header("List-Archive", letterhead.list_archive) if letterhead.list_archive else b"",
        verbatim_header("Feedback-ID", letterhead.feedback_id) if letterhead.feedback_id else b"",
        b"Auto-Submitted: auto-generated\r\n" if letterhead.auto_generated else b"",
        b"MIME-Version: 1.0\r\n",
        b'Content-Type: multipart/alternative;\r\n boundary="' + boundary + b'"\r\n\r\n',
    ]
    return b"".join(fields)


def _part_head(subtype: str) -> bytes:
    return (
        f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode()


def _boundary(encoded: Iterable[bytes]) -> bytes:
    """A boundary that no part can contain, whatever the tokens: "=_" is nothing quoted-printable can come to.

    It is made of the content, so that the same issue always has the same.
    """
    content = b"".join(encoded)
    if b"=_" in content:
        raise AssertionError("quoted-printable contains the start of a boundary")
    return b"=_" + hashlib.sha256(content).hexdigest()[:32].encode()


def _body_of(
    rendered: Rendered,
    letterhead: Letterhead,
    boundary: bytes,
    encoded: Mapping[str, bytes],
    common: Mapping[Token, str],
    *,
    shares: bool = False,
) -> Body:
    """All of it as a message, what stands between two values as one piece.

    One that `shares` has the very pieces of `encoded` instead, so that a thousand editions fit into memory.
    """
    in_text = {token: quoted_printable(value) for token, value in common.items()}
    in_html = {token: quoted_printable(html.escape(value)) for token, value in common.items()}

    def part(bodies: Iterable[Sequence[Piece]], known: Mapping[Token, bytes]) -> Iterator[bytes | Token]:
        for piece in (piece for body in bodies for piece in body):
            if isinstance(piece, Slotted):
                yield known.get(piece.token, piece.token)
            else:
                literal = _literal(piece)
                yield encoded[literal] if literal in encoded else quoted_printable(literal)

    head = _head(rendered.subject, letterhead, boundary)
    pieces: list[bytes] = [b"", head + b"--" + boundary + b"\r\n" + _part_head("plain")]
    ends: list[tuple[int, int]] = []
    text = _add_part(pieces, ends, part((fragment.text for fragment in rendered.fragments), in_text), shares=shares)
    pieces[-1] += b"\r\n--" + boundary + b"\r\n" + _part_head("html")
    markup = _add_part(pieces, ends, part((fragment.html for fragment in rendered.fragments), in_html), shares=shares)
    pieces[-1] += b"\r\n--" + boundary + b"--\r\n"
    slots = tuple((token, text.get(token, ()), markup.get(token, ())) for token in Token if token in {**text, **markup})
    first = min((place for _, *places in slots for place in chain(*places)), default=len(pieces))
    beginning = b"" if shares else b"".join(pieces[:first]).removeprefix(head)
    return Body(tuple(pieces[1:]), slots, tuple(ends), head.isascii(), beginning)


def _literal(piece: str | Told) -> str:
    return piece if isinstance(piece, str) else piece.text


def _add_part(
    pieces: list[bytes], ends: list[tuple[int, int]], part: Iterable[bytes | Token], *, shares: bool
) -> Mapping[Token, tuple[int, ...]]:
    """One part at the end of the pieces; where its values go."""
    begin = len(pieces)
    pieces.append(b"")
    slots: dict[Token, tuple[int, ...]] = {}
    last = b""
    for piece in part:
        if isinstance(piece, bytes):
            if shares:
                pieces.append(piece)
            else:
                pieces[-1] += piece
            last = piece or last
        else:
            slots[piece] = (*slots.get(piece, ()), len(pieces))
            pieces += b"", b""
            last = b""
    if slots and not last:
        ends.append((begin, len(pieces)))
        pieces += b"", b""
    else:
        pieces.append(_end([last]))
    return slots


def _end(pieces: Sequence[bytes]) -> bytes:
    """What a part still needs: it ends in a hard line break (RFC 2045 section 6.7, rule 5)."""
    last = next((piece for piece in reversed(pieces) if piece), b"")
    return b"" if last.endswith(HARD) and not last.endswith(SOFT) else HARD

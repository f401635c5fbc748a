"""Header fields as bytes: cleaned, encoded and folded here.

The standard library's `EmailMessage` raises on a line separator in a title, let an encoded word smuggle in a whole
field before Python 3.12.4 (CVE-2024-6923), and folds long URLs into encoded words that no mail program undoes. It
serves as the oracle in the tests instead.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

import idna

COLUMNS = 78  # RFC 5322 section 2.1.1: a line should have no more,
LONGEST = 998  # and must have no more than this
ENCODED_WORD = 75  # RFC 2047 section 2
NAME_LENGTH = 100
TEXT_LENGTH = 200

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
# RFC 2047 section 5 (3): what may stand bare even in a phrase, and a space as an underscore.
_BARE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+/-")
_Q = ["_" if octet == ord(" ") else chr(octet) if octet in _BARE else f"={octet:02X}" for octet in range(256)]
_MAILBOX = re.compile(r'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^"<>,;:]*))\s*<(?P<email>[^<>]*)>', re.DOTALL)
_ADDRESS = re.compile(r'(?P<local>[^\s<>()\[\],;:\\"@]+)@(?P<domain>[^\s<>()\[\],;:\\"@]+)')
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")
_ONE_CLICK = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
_SCHEMES = ("https://", "http://", "mailto:")
_OF_URLS = bytes(range(ord("!"), ord("~") + 1)).translate(None, b'"<>')


class Address(NamedTuple):
    """A mailbox as RFC 5322 section 3.4 has it: a display name, perhaps empty, and an address."""

    name: str
    email: str


def clean(value: str, *, limit: int = TEXT_LENGTH) -> str:
    """The value on one line, harmless in a header: at most `limit` characters, and the same when cleaned again.

    Control, format, private and unassigned characters (category C) become spaces, white space is collapsed, and
    `=?` is parted so that nothing decodes it as an encoded word.
    """
    printable = value if value.isprintable() else "".join(map(_printable, value))
    return " ".join(printable.split()).replace("=?", "= ?")[:limit].rstrip()


def parse_mailbox(text: str) -> Address:
    """Read `Daily Papers <papers@example.org>` or a bare address. ValueError unless it is exactly one mailbox."""
    text = text.strip()
    match = _MAILBOX.fullmatch(text)
    if match is None:
        return Address("", envelope_address(text))
    name = match["plain"] if match["quoted"] is None else re.sub(r"\\(.)", r"\1", match["quoted"], flags=re.DOTALL)
    return Address(clean(name, limit=NAME_LENGTH), envelope_address(match["email"]))


@lru_cache(maxsize=1024)  # asked for by whoever makes a message and by whoever sends it, and the sender is one for all
def envelope_address(text: str) -> str:
    """The address as MAIL FROM and RCPT TO take it, an international domain as A-labels (RFC 5890).

    ValueError for what is no plain `local@domain`, above all for anything that could end the command: white space,
    control characters, angle brackets.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or not (text.isprintable() or all(char == _printable(char) for char in text)):
        raise ValueError(f"not an email address: {text[:NAME_LENGTH]!r}")
    if match["domain"].isascii():
        return text
    try:
        return f"{match['local']}@{idna.encode(match['domain'], uts46=True).decode()}"
    except idna.IDNAError as error:
        raise ValueError(f"no such domain can exist: {match['domain'][:NAME_LENGTH]!r} ({error})") from None


def text_header(name: str, value: str, *, limit: int = TEXT_LENGTH) -> bytes:
    """An unstructured field such as Subject, cleaned, encoded where it is not ASCII (RFC 2047), folded at 78."""
    value = clean(value, limit=limit)
    words = value.split(" ")
    if value.isascii() and max(map(len, words)) < COLUMNS - len(name) - 2:
        return _folded(f"{name}:", words)
    return _folded(f"{name}:", _encoded_words(value, indent=len(name) + 2))


def mailbox_header(field: str, name: str, email: str) -> bytes:
    """A field that holds one mailbox, such as From. An address that is not ASCII stays UTF-8 (RFC 6532)."""
    if _ATOMS.fullmatch(name) and "=?" not in name:
        line = f"{field}: {name} <{email}>\r\n"
        if len(line) <= COLUMNS + len("\r\n"):
            return line.encode()  # nearly every one, at a tenth of the cost
    return _folded(f"{field}:", [*_phrase(name, indent=len(field) + 2), f"<{email}>"])


def list_id_header(title: str, list_id: str) -> bytes:
    """List-Id (RFC 2919): a phrase for people, the identifier for programs. ValueError unless it is a domain name."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+", list_id):
        raise ValueError(f"not a list identifier: {list_id!r}; it looks like a domain name, news.example.org")
    return _folded("List-Id:", [*_phrase(title, indent=len("List-Id: ")), f"<{list_id}>"])


def verbatim_header(name: str, value: str) -> bytes:
    """A field that must arrive as it is, on one line. ValueError for what is not printable ASCII or is too long."""
    line = f"{name}: {value}"
    if not (line.isascii() and line.isprintable()) or len(line) > LONGEST:
        raise ValueError(f"cannot stand in a {name} header: {value[:NAME_LENGTH]!r}")
    return f"{line}\r\n".encode()


def message_id_header(message_id: str) -> bytes:
    """Message-ID. ValueError for what is none, or too long for a line."""
    if not _MESSAGE_ID.fullmatch(message_id) or len(message_id) > LONGEST - len("Message-ID: "):
        raise ValueError(f"not a Message-ID: {message_id[:NAME_LENGTH]!r}; it looks like <unique@example.org>")
    return f"Message-ID: {message_id}\r\n".encode()


def url_header(name: str, *urls: str) -> bytes:
    """A field of URLs in angle brackets (RFC 2369), on one line as long as 998 columns allow.

    ValueError for a URL that is not http, https or mailto, or holds what could end it.
    """
    for url in urls:
        if not _is_url(url) or len(url) > LONGEST - len(name) - len(": <>,"):
            raise ValueError(f"cannot stand in a {name} header: {url[:NAME_LENGTH]!r}")
    entries = [f"<{url}>" for url in urls]
    line = f"{name}: {', '.join(entries)}"
    if len(line) > LONGEST:
        line = f"{name}: " + ",\r\n ".join(entries)
    return f"{line}\r\n".encode()


def _is_url(text: str) -> bool:
    """Whether it is one of a kind that a header may have, and holds nothing that could end it."""
    return text.startswith(_SCHEMES) and text.isascii() and not text.encode().translate(None, _OF_URLS)


def unsubscribe_headers(url: str, mailto: str = "") -> bytes:
    """List-Unsubscribe, and where the URL is https the offer of one-click (RFC 8058, which asks for https)."""
    if not mailto and len(url) < LONGEST // 2 and url.startswith("https://") and _is_url(url):  # nearly every one
        return f"List-Unsubscribe: <{url}>\r\n{_ONE_CLICK}".encode()
    urls = [entry for entry in (url, mailto) if entry]
    fields = url_header("List-Unsubscribe", *urls) if urls else b""
    if url.startswith("https://"):
        fields += _ONE_CLICK.encode()
    return fields


def _phrase(name: str, *, indent: int) -> list[str]:
    name = clean(name, limit=NAME_LENGTH)
    if not name:
        return []
    quoted = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    if not name.isascii() or len(quoted) > COLUMNS - indent:
        return list(_encoded_words(name, indent=indent))
    return [name if _ATOMS.fullmatch(name) else quoted]


def _encoded_words(text: str, *, indent: int) -> Iterator[str]:
    """The whole text in words of whole characters; between two of them a decoder drops the white space."""
    letter, encode = ("q", _q) if len(_q(text)) <= len(_b(text)) else ("b", _b)
    room = ENCODED_WORD - len("=?utf-8?q??=")
    yield from (f"=?utf-8?{letter}?{part}?=" for part in _parts(text, encode, first=room - indent, room=room))


def _parts(text: str, encode: Callable[[str], str], *, first: int, room: int) -> Iterator[str]:
    if len(whole := encode(text)) <= first:
        yield whole
        return
    part = ""
    for char in text:
        if part and len(encode(part + char)) > first:
            yield encode(part)
            part, first = "", room
        part += char
    yield encode(part)


def _printable(char: str) -> str:
    return " " if unicodedata.category(char).startswith("C") else char


def _q(text: str) -> str:
    return "".join([_Q[octet] for octet in text.encode()])


def _b(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _folded(field: str, words: list[str] | Iterator[str]) -> bytes:
    lines = [field]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > COLUMNS and lines[-1] != field:
            lines.append("")
        lines[-1] += f" {word}"
    return ("\r\n".join(lines).rstrip() + "\r\n").encode()

"""One mail from its bytes. Whatever these are, there is something to show: nothing here raises.

Headers are taken as they stand, not as the library's structured parser reads them: it fails on some of the mails that
one wants to look at. RFC 5322, 2045-2049, 2231.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import compat32
from email.utils import getaddresses
from typing import TypeVar

# What the standard library stumbles over in broken mails: names of encodings, deep nesting, parameters twice.
_BROKEN = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)
_SLOW = {"idna", "punycode"}  # decoding takes the square of the length
_HEADER = 20_000  # characters of one header that are shown
_HEADERS = 500
_NAME = 150
_PARTS = 1_000
_FOLD = re.compile(r"\r?\n(?=[ \t])|[\r\n]+")
_NOT_IN_NAME = re.compile(r'[\x00-\x1f\x7f-\x9f"*:<>?|\u200e\u200f\u202a-\u202e\u2066-\u2069]+')
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part that is not the text of the mail: an attachment, or an image that stands in the HTML.

    `name` is without any path and safe to offer for a file; `content_id` empty where it has none.
    """

    number: int
    name: str
    content_type: str
    content_id: str
    size: int  # bytes, decoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail. `return_path` and `delivered_to` are the envelope's, which the mailbox writes above the headers."""

    headers: tuple[tuple[str, str], ...]
    headers_left_out: int
    return_path: str
    delivered_to: tuple[str, ...]
    text: str
    html: str
    parts: tuple[Part, ...]
    structure: tuple[str, ...]  # a line for each part, indented

    def header(self, name: str) -> str:
        """The first header of this name; empty without one."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def read_mail(raw: bytes) -> Mail:
    """The mail that these bytes are, or would be."""
    message = parse(raw)
    headers = tuple(_headers(message))
    return_path, delivered_to = _envelope(headers)
    bodies = {"text/plain": "", "text/html": ""}
    parts, structure = [], []
    for number, (depth, part) in enumerate(_walk(message)):
        kind = _safely(part.get_content_type, "application/octet-stream")
        structure.append(f"{'  ' * min(depth, 20)}{shown(kind)[:_NAME]}")
        if part.is_multipart() and kind != "message/rfc822":
            continue
        if kind in bodies and not bodies[kind] and not _is_attached(part):
            bodies[kind] = _text(part)
        else:
            parts.append(_part(number, part, kind))
    return Mail(
        headers=headers,
        headers_left_out=max(0, len(message) - _HEADERS),
        return_path=return_path,
        delivered_to=delivered_to,
        text=bodies["text/plain"],
        html=bodies["text/html"],
        parts=tuple(parts),
        structure=tuple(structure),
    )


def content(raw: bytes, number: int) -> bytes | None:
    """What the part of this number contains, decoded; None when there is no such part."""
    for at, (_, part) in enumerate(_walk(parse(raw))):
        if at == number:
            return _payload(part)
    return None


def parse(raw: bytes) -> Message:
    """The library's tree of parts; a mail nested too deeply is one part."""
    try:
        return BytesParser(policy=compat32).parsebytes(raw)
    except _BROKEN:
        return BytesHeaderParser(policy=compat32).parsebytes(raw)


def headline(message: Message) -> dict[str, str]:
    """What a list shows of the headers: from, to and subject, each on one line."""
    first: dict[str, str] = {}
    for name, value in _headers(message):
        if (key := name.lower()) in {"from", "to", "subject", "delivered-to"}:
            first.setdefault(key, value)
    return first


def body(message: Message, kind: str) -> str:
    """The text of the first part of this type that is no attachment; empty without one."""
    for _, part in _walk(message):
        is_wanted = _safely(part.get_content_type, "") == kind and not part.is_multipart()
        if is_wanted and not _is_attached(part):
            return _text(part)
    return ""


def names(addresses: str) -> str:
    """The names in a header of addresses; the address where somebody has no name."""
    nobody: list[tuple[str, str]] = []
    found = _safely(lambda: getaddresses([addresses]), nobody)
    return ", ".join(name or address for name, address in found if name or address) or addresses


def shown(text: str) -> str:
    """The same text without what cannot be written as UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _headers(message: Message) -> Iterator[tuple[str, str]]:
    for count, (name, value) in enumerate(message.raw_items()):
        if count >= _HEADERS:
            return
        yield shown(str(name))[:_NAME], _decoded(str(value))


def _decoded(value: str) -> str:
    """A header's value as it is meant: encoded words (RFC 2047) and raw UTF-8 (RFC 6532) read."""
    octets = value[:_HEADER].encode("utf-8", "surrogateescape")
    line = _FOLD.sub("", octets.decode("utf-8", "replace")).strip()
    if "=?" not in line:
        return line
    nothing: list[tuple[str | bytes, str | None]] = []
    words = _safely(lambda: decode_header(line), nothing)
    # Between encoded words and others the library leaves the space that belongs there.
    return shown("".join(_word(word, charset) for word, charset in words)) or line


def _word(word: str | bytes, charset: str | None) -> str:
    return word if isinstance(word, str) else _decode(word, charset or "utf-8")


def _decode(octets: bytes, charset: str) -> str:
    try:
        name = codecs.lookup(charset).name
        return shown(octets.decode("utf-8" if name in _SLOW else name, "replace"))
    except _BROKEN:
        return octets.decode("utf-8", "replace")


def _envelope(headers: tuple[tuple[str, str], ...]) -> tuple[str, tuple[str, ...]]:
    """Who sent it and who gets it, from the lines above those of the mail itself."""
    if not headers or headers[0][0].lower() != "return-path":
        return "", ()
    recipients = []
    for name, value in headers[1:]:
        if name.lower() != "delivered-to":
            break
        recipients.append(value)
    return headers[0][1].strip("<>"), tuple(recipients)


def _walk(message: Message) -> Iterator[tuple[int, Message]]:
    """Every part and how deep it stands, without recursion; what is in an attached mail belongs to that."""
    waiting = [(0, message)]
    for _ in range(_PARTS):
        if not waiting:
            return
        depth, part = waiting.pop()
        yield depth, part
        if depth == 0 or _safely(part.get_content_maintype, "") == "multipart":
            waiting.extend((depth + 1, child) for child in reversed(_children(part)))


def _part(number: int, part: Message, kind: str) -> Part:
    identifier = _safely(lambda: str(part.get("Content-ID") or ""), "")
    return Part(
        number=number,
        name=_file_name(part, number, kind),
        content_type=shown(kind)[:_NAME],
        content_id=shown(identifier).strip().strip("<>"),
        size=len(_payload(part)),
    )


def _file_name(part: Message, number: int, kind: str) -> str:
    """The last step of the path that the mail names, without what file systems or headers trip over."""
    given = shown(_decoded(_safely(lambda: part.get_filename() or "", "")))
    name = _NOT_IN_NAME.sub("", re.split(r"[/\\]", given)[-1]).strip(" .")[-_NAME:]
    return name or f"part-{number}{'.eml' if kind == 'message/rfc822' else ''}"


def _is_attached(part: Message) -> bool:
    return _safely(part.get_content_disposition, None) == "attachment"


def _text(part: Message) -> str:
    charset = _safely(lambda: str(part.get_content_charset() or "utf-8"), "utf-8")
    return _decode(_payload(part), charset)


def _children(part: Message) -> list[Message]:
    inner = part.get_payload() if part.is_multipart() else []
    return [child for child in inner if isinstance(child, Message)]


def _payload(part: Message) -> bytes:
    if part.is_multipart():  # an attached mail
        return b"\n".join(_safely(child.as_bytes, b"") for child in _children(part))
    decoded: object = _safely(lambda: part.get_payload(decode=True), None)
    return decoded if isinstance(decoded, bytes) else b""


def _safely(read: Callable[[], _T], otherwise: _T) -> _T:
    try:
        return read()
    except _BROKEN:
        return otherwise

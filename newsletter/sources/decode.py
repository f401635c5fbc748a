"""Bytes to text or JSON, and words for what came instead."""

from __future__ import annotations

import codecs
import json
import re

from newsletter.errors import ReadError
from newsletter.sources.charset import read_text

_BRIEF = 120
# Possessive: a comment ends at its first -->, and a thousand of them are not tried in every combination.
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+(?:<\?xml[^>]{0,200}>\s*+)?(?:(?><!--.*?-->)\s*+)*+<(?:!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)


def is_html(body: bytes) -> bool:
    """Whether the bytes begin like an HTML page."""
    return _HTML.match(body[:8192]) is not None


def first_byte(body: bytes) -> bytes:
    """The first byte that is neither white space, nor of a byte order mark, nor zero; empty where there is none."""
    return body[:4096].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1]


def text(body: bytes) -> str:
    """Saved text: UTF-8 or, by its mark, UTF-16; else windows-1252. Every line ends in a line feed."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        decoded = body.decode("utf-16", "replace")
    else:
        try:
            decoded = body.decode("utf-8-sig")
        except UnicodeDecodeError:
            decoded = body.decode("cp1252", "replace")
    return decoded.replace("\r\n", "\n").replace("\r", "\n")


def json_value(body: bytes, *, expected: str) -> object:
    """The value a JSON document holds. ReadError says that `expected` was not found, and what was."""
    if not body.strip():
        raise ReadError(f"expected {expected}, found nothing: the answer is empty")
    if is_html(body):
        raise ReadError(f"expected {expected}, found an HTML page")
    try:
        value: object = json.loads(read_text(body))
    except (ValueError, RecursionError) as error:  # RecursionError: brackets nested thousands deep
        raise ReadError(f"expected {expected}, found something that is not JSON: {brief(str(error))}") from error
    return value


def described(value: object) -> str:
    """What a JSON value is, in words, for messages: `an object with the keys status, date`."""
    match value:
        case None:
            return "null"
        case bool() | int() | float():
            return f"the value {brief(repr(value))}"
        case str():
            return f'the text "{brief(value)}"'
        case list():
            return f"a list of {len(value)}"
        case dict():
            keys = ", ".join(str(key) for key in value)
            return f"an object with the keys {brief(keys)}" if value else "an empty object"
    raise TypeError(f"not a JSON value: {type(value).__name__}")


def brief(message: str) -> str:
    """The first 120 printable characters of foreign text on one line, for use inside a message."""
    line = "".join(character for character in " ".join(message.split()) if character.isprintable())
    return line if len(line) <= _BRIEF else line[: _BRIEF - 1] + "…"

"""Bytes to text, in the encoding they are in: what a document and its server say of that may be wrong.

its mark (BOM) or its zeros             UTF-16 and UTF-32
it is UTF-8, or but for a few bytes     nothing else looks like that
what the server and the document say    as far as it can be true
what it looks like                      chardet, on a sample, among the encodings that the web has known
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence

import chardet
from w3lib.encoding import read_bom, resolve_encoding, to_unicode

# Python knows names that no document means: zlib, idna, unicode_escape. UTF is judged by its bytes, not by its name.
_LEGACY = re.compile(r"(?:iso|cp\d|koi8|mac|gb|big5|euc|shift|johab|hp).*")
_EAST_ASIAN = frozenset({"gb18030", "big5", "big5hkscs", "cp932", "euc_jp", "cp949"})
_LATIN = ("cp1252", "cp1250", "iso8859-2", "cp1254", "cp932")
_OTHER = (
    *("gb18030", "big5hkscs", "cp932", "euc_jis_2004", "cp949"),
    *("koi8-r", "koi8-u", "cp1251", "iso8859-5"),
    *("cp1252", "cp1253", "iso8859-7", "cp1254", "cp1255", "cp1256", "cp874"),
)
_WESTERN = "cp1252"  # also what servers say when nobody told them
_WESTERNS = frozenset({_WESTERN, "iso8859-15", "mac-roman"})
# Bytes beyond ASCII in a row, on average: accents stand alone, letters of other scripts side by side.
_LATIN_RUN = 1.8
_NO_LATIN_RUN = 2.5

_SHAPES: Mapping[tuple[bool, ...], str] = {
    (True, False, False, False): "utf-32-le",
    (False, False, False, True): "utf-32-be",
    (True, False, True, False): "utf-16-le",
    (False, True, False, True): "utf-16-be",
}
_SHIFT = re.compile(rb"\x1b\$[@B]")  # of ISO-2022-JP, which is all ASCII
_HIGH = re.compile(rb"[\x80-\xff]+")
_MARKUP = re.compile(rb"<!\[CDATA\[|\]\]>|<[^<>]{0,2000}>|&#?\w{1,10};")
_ASCII = bytes(range(128))
_WINDOW = 200_000  # bytes a sample is taken from
_SAMPLE = 50_000  # bytes
_FEW = 0.02  # of the bytes beyond ASCII


def read_text(body: bytes, *, sent: str = "", declared: str = "") -> str:
    """The text of a document, without its mark. What is no text in the encoding found becomes U+FFFD.

    `sent` is the encoding that the server names, `declared` the one that the document does; empty where none is named.
    """
    name, mark = read_bom(body)
    if name or (name := _SHAPES.get(tuple(map(bool, body[:4])))):
        return to_unicode(body[len(mark or b"") :], name)
    if body.isascii():
        return body.decode("iso2022_jp_2" if _SHIFT.search(body) else "ascii", "replace")
    told = _told(sent, declared)
    text = _as_utf8(body, told)
    return to_unicode(body, _legacy(body, told)) if text is None else text


def _told(sent: str, declared: str) -> Sequence[str]:
    """The encodings named, the more trustworthy first: the server's (RFC 7303), unless it is a mere default."""
    named = [resolve_encoding(label.strip()) or "" for label in (sent, declared)]
    if named[0] == _WESTERN:
        named.reverse()
    return [name for name in dict.fromkeys(named) if _LEGACY.fullmatch(name)]


def _as_utf8(body: bytes, told: Sequence[str]) -> str | None:
    """The text if it is UTF-8, whole or for the greater part."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        replaced = body.decode("utf-8", "replace")
        broken = replaced.count("\ufffd")
        beyond = len(replaced) - (len(body) - len(body.translate(None, _ASCII)))
        return body.decode("utf-8", _REPAIR) if beyond >= 3 * broken else None
    # Two words of Chinese in GBK can be UTF-8 by chance, but of characters that Chinese texts do not have.
    by_chance = any(name in _EAST_ASIAN and _share_broken(body, name) == 0 for name in told) and max(text) < "\u0800"
    return None if by_chance else text


def _legacy(body: bytes, told: Sequence[str]) -> str:
    """The encoding of a document that is not UTF-8."""
    sample = _sample(body)
    runs = _HIGH.findall(sample) or [b""]
    run = sum(map(len, runs)) / len(runs)
    for name in told:
        possible = name not in _WESTERNS or run <= _NO_LATIN_RUN
        if possible and _share_broken(body, name) <= (_FEW if name in _EAST_ASIAN else 0):
            return name
    return _looks_like(sample, _LATIN if run <= _LATIN_RUN else _OTHER) if sample else _WESTERN


def _looks_like(sample: bytes, names: Sequence[str]) -> str:
    found = chardet.detect(sample, include_encodings=names, no_match_encoding=_WESTERN, compat_names=False)
    return found["encoding"] or _WESTERN


def _sample(body: bytes) -> bytes:
    """The texts between the tags that are not all ASCII: a detector takes too much markup for English."""
    first = _HIGH.search(body)
    start = max(first.start() - _WINDOW // 100, 0) if first else 0
    texts = _MARKUP.sub(b"\n", body[start : start + _WINDOW]).split(b"\n")
    return b"\n".join(text for text in texts if not text.isascii())[:_SAMPLE]


def _share_broken(body: bytes, name: str) -> float:
    """Which part of what is not ASCII is no text in an encoding."""
    return to_unicode(body, name).count("\ufffd") / len(body.translate(None, _ASCII))


def _repaired(error: UnicodeError) -> tuple[str, int]:
    """A lone byte in UTF-8 is a windows-1252 character that somebody pasted; of one that was cut nothing is left."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    broken = error.object[error.start : error.end]
    return broken.decode(_WESTERN, "replace") if len(broken) == 1 else "\ufffd", error.end


_REPAIR = "newsletter.repair"
codecs.register_error(_REPAIR, _repaired)

"""XML that is not well-formed, mended where only one thing can have been meant. Pure.

What is left over goes to a parser that puts up with anything, and gets more of it wrong.
"""

from __future__ import annotations

import html
import html.entities
import re
import sys
from collections.abc import Collection, Mapping

# A section or comment without end goes on to the end of the document, so that each byte is looked at once.
_FAULT = re.compile(
    rb"""(?P<kept> <!\[CDATA\[ .*? (?:\]\]>|\Z) )
       | <!-- .*? (?:-->|\Z)
       | & (?: \# (?P<number> \d{1,7} | x[0-9a-f]{1,6} ) | (?P<name> [a-z][a-z0-9]{0,40} ) ) ;
       | (?P<bare> & | < (?![a-z_/!?]) )""",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_ESCAPED = {b"&": b"&amp;", b"<": b"&lt;"}
_OF_XML = frozenset({"amp", "lt", "gt", "quot", "apos"})
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 section 2.2

_START = re.compile(rb"<\?xml\b|<!doctype\s|<(?:\w{1,20}:)?(?:rss|feed|rdf)\b", re.IGNORECASE)
_DECLARATION = re.compile(rb"\s*<\?xml[^>]{0,200}>\s*")
_END = re.compile(rb"</(?:\w{1,20}:)?(?:rss|feed|rdf)\s*>", re.IGNORECASE)
_ALMOST = re.compile(rb"</(?:\w{1,20}:)?(?:rss|feed|rdf)\s*\Z", re.IGNORECASE)
_ROOT = re.compile(rb"<[a-z_][\w:.-]{0,40}", re.IGNORECASE)
_PREFIX = re.compile(rb"</?([a-z_][\w.-]{0,40}):[a-z_]|\s([a-z_][\w.-]{0,40}):[\w.-]{1,40}\s*=", re.IGNORECASE)
_BOUND = re.compile(rb"xmlns:([\w.-]{1,40})\s*=", re.IGNORECASE)
_MOST_PREFIXES = 50


def mended(data: bytes, *, entities: Collection[str] = (), namespaces: Mapping[str, str]) -> bytes:
    """A document in UTF-8 without what stands around its root, bare `&` and `<`, and names that nothing explains.

    `entities` are those that the document declares, `namespaces` the addresses of the prefixes that feeds use.
    """
    return _bound(_escaped(_root(data), entities), namespaces)


def _root(data: bytes) -> bytes:
    """Without warnings of PHP before the document or scripts of the host behind it, and whole but for its last byte."""
    start = _START.search(data)
    data = data[start.start() :] if start else data
    declaration = _DECLARATION.match(data)
    data = data[declaration.end() :] if declaration else data
    data += b">" if _ALMOST.search(data[-100:]) else b""
    ends = [end.end() for end in _END.finditer(data, max(len(data) - 100_000, 0))]
    return data[: ends[-1]] if ends else data


def _escaped(data: bytes, entities: Collection[str]) -> bytes:
    def meant(found: re.Match[bytes]) -> bytes:
        if found["kept"] or found["bare"]:
            return found["kept"] or _ESCAPED[found["bare"]]
        if found["number"]:
            return _character(found["number"].decode())
        return _named(found["name"].decode(), entities) if found["name"] else b""

    return _FAULT.sub(meant, data)


def _character(number: str) -> bytes:
    code = int(number[1:], 16) if number[0] in "xX" else int(number)
    legal = code <= sys.maxunicode and not _NO_XML.match(chr(code))
    return b"&#%d;" % code if legal else b""


def _named(name: str, entities: Collection[str]) -> bytes:
    if name in _OF_XML or name in entities:
        return b"&%s;" % name.encode()
    known = html.entities.html5.get(name + ";")
    if known is None:
        return b"&amp;%s;" % name.encode()
    return html.escape(known).encode()


def _bound(data: bytes, namespaces: Mapping[str, str]) -> bytes:
    """With a declaration, at the root, of every prefix that has none."""
    root = _ROOT.search(data)
    if not root:
        return data
    used = dict.fromkeys(of_element or of_attribute for of_element, of_attribute in _PREFIX.findall(data))
    bound = {b"xml", b"xmlns", *_BOUND.findall(data)}
    missing = [name.decode() for name in used if name not in bound][:_MOST_PREFIXES]
    declared = "".join(f' xmlns:{name}="{namespaces.get(name.lower(), "urn:" + name)}"' for name in missing)
    return data[: root.end()] + declared.encode() + data[root.end() :]

"""Lists of subscriptions as feed readers exchange them: OPML, http://opml.org/spec2.opml.

Of the files that readers really write most are no XML: a bare `&` in a title or an address is enough, and some have
whole paragraphs of HTML in a description, quotes and all. So they are not parsed but searched: an outline is what
stands before the next one. The references of XML are resolved, and no others: HTML's would turn the address
`/feed?a=1&section=2` into `/feed?a=1§ion=2`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from newsletter.errors import ReadError
from newsletter.sources.clean import one_line, safe_url, shortened
from newsletter.sources.decode import is_html, text
from newsletter.sources.identity import canonical_url
from newsletter.sources.tags import attributes, uncommented

LARGEST = 10 * 2**20  # bytes; 5,000 feeds are about 1 MB

_DECLARED = re.compile(rb"""<\?xml[^>]{1,200}?\bencoding\s*=\s*["']([\w.-]{1,40})["']""")
_OUTLINE = re.compile(r"<outline(?=[\s/>])", re.IGNORECASE)
_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_LONGEST_TITLE = 200
_LAST = 0x10FFFF  # of Unicode
# XML 1.0 section 2.2 has no place for these, escaped or not; clean text has none but the last two.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Subscription:
    """A feed somebody reads: what they call it, and its address."""

    title: str
    url: str


def read_opml(body: bytes) -> list[Subscription]:
    """The feeds of a list, each address once, in the list's order; folders are opened, not kept.

    ReadError when there is none in it.
    """
    if len(body) > LARGEST:
        raise ReadError(f"expected an OPML list, found more than {LARGEST // 2**20} MiB")
    found: dict[str, Subscription] = {}
    for inside in _OUTLINE.split(uncommented(_text(body)))[1:]:
        outline = attributes(inside)
        url = safe_url(_resolved(outline.get("xmlurl", "")))
        title = one_line(_resolved(outline.get("text", "") or outline.get("title", "")))
        if url:
            found.setdefault(canonical_url(url), Subscription(title=shortened(title, _LONGEST_TITLE), url=url))
    if not found:
        what = "an HTML page" if is_html(body) else "no outline with the address of a feed (xmlUrl)"
        raise ReadError(f"expected an OPML list, found {what}")
    return list(found.values())


def write_opml(subscriptions: Iterable[Subscription], *, title: str) -> bytes:
    """An OPML 2.0 list of these feeds, which every reader of feeds can import."""
    root = Element("opml", version="2.0")
    SubElement(SubElement(root, "head"), "title").text = _NO_XML.sub("", title)
    body = SubElement(root, "body")
    for feed in subscriptions:
        SubElement(body, "outline", type="rss", text=_NO_XML.sub("", feed.title), xmlUrl=feed.url)
    indent(root)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _text(body: bytes) -> str:
    declared = _DECLARED.search(body[:400])
    if declared and not body.startswith(b"\xef\xbb\xbf"):
        try:
            return body.decode(declared[1].decode())
        except (LookupError, UnicodeError):  # no such encoding, or another one than it says
            pass
    return text(body)


def _resolved(value: str) -> str:
    return _REFERENCE.sub(_character, value)


def _character(reference: re.Match[str]) -> str:
    decimal, hexadecimal, name = reference.groups()
    if name:
        return _NAMED[name]
    point = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(point) if point <= _LAST else ""

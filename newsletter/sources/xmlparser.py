"""feedparser, driven by hand: its parts in the order of its own `parse`, with limits and the faults it has mended.

What differs from `feedparser.parse`: bytes are read by `charset`; the XML driver hands over text in whole pieces and
stops at documents no feed would be; what is not well-formed is mended and tried again before it goes to the lenient
parser; an entry whose end is missing since the document was cut is left out; identifiers stay as they are; a picture's
caption is not taken for the article; an `xml:base` ends with its element; nothing takes more than linear time.
"""

from __future__ import annotations

import io
import re
import xml.sax
import xml.sax.expatreader
import xml.sax.handler
import xml.sax.xmlreader
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from xml.parsers.expat import errors

import feedparser.mixin
from feedparser.api import LooseFeedParser, StrictFeedParser
from feedparser.sanitizer import replace_doctype
from feedparser.urls import make_safe_absolute_uri

from newsletter.errors import ReadError
from newsletter.sources.charset import read_text
from newsletter.sources.xmlmend import mended

MOST_ATTRIBUTES = 200  # of one element
MOST_NAMESPACES = 200  # distinct, of a document
DEEPEST = 200  # elements inside one another
MOST_ELEMENTS = 100_000  # the largest of 98 real feeds has 7,250
MOST_TAGS = 100  # of one entry; feedparser compares each with all others
LONGEST_MAILBOX = 300  # characters that feedparser looks for a mail address in

_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?\sencoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
_DECLARATION = re.compile(r"<\?xml[^>]{0,200}>")
_ROOT_END = re.compile(rb"</(?:\w{1,20}:)?(?:rss|feed|rdf|channel)\s*>", re.IGNORECASE)
_C1 = re.compile("[\x80-\x9f]")
_CONTROLS = bytes(set(range(0x20)) - set(b"\t\n\r"))
# What expat says of a document that ends before its root does.
_CUT = frozenset(
    errors.codes[message]
    for message in (
        errors.XML_ERROR_NO_ELEMENTS,
        errors.XML_ERROR_UNCLOSED_TOKEN,
        errors.XML_ERROR_PARTIAL_CHAR,
        errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)


# Asked at every start tag, with the same arguments unless there is an `xml:base`: a sixth of the time.
feedparser.mixin.make_safe_absolute_uri = lru_cache(maxsize=16)(make_safe_absolute_uri)


class Parsed:
    """What a document says, in feedparser's dictionaries; `damage` is empty for a well-formed one."""

    def __init__(self, parser: Any, *, version: str, damage: str = "", cut: bool = False) -> None:
        self.feed: Mapping[str, Any] = parser.feeddata
        whole = parser.entries[:-1] if cut and parser.inentry else parser.entries
        self.entries: list[Mapping[str, Any]] = whole
        self.version = version or str(parser.version or "")
        self.damage = damage


def parse(body: bytes, *, base: str = "", charset: str = "") -> Parsed:
    """An RSS, Atom or RDF document, strictly if possible, else leniently. ReadError where it exceeds a limit.

    `base` is the document's own address, `charset` what the server says of its encoding.
    """
    place = make_safe_absolute_uri(base) or ""
    version, data, entities = replace_doctype(_in_utf8(body, charset))
    is_cut = not _ROOT_END.search(data[-4096:])
    strict, fault = _strictly(data, place)
    if fault is None:
        return Parsed(strict, version=version)
    damage = str(fault)
    data = mended(data, entities=entities, namespaces=_PREFIXES)
    strict, fault = _strictly(data, place)
    if fault is None:
        return Parsed(strict, version=version)
    if is_cut and _is_end(fault):
        return Parsed(strict, version=version, damage=damage, cut=True)
    loose = _Loose(place, None, "utf-8", entities)
    _quick(loose)
    loose.feed(data.decode("utf-8", "replace"))
    return Parsed(loose, version=version, damage=damage, cut=is_cut)


def _in_utf8(body: bytes, charset: str) -> bytes:
    """The document in UTF-8, without a declaration, which could say otherwise, and characters that XML has not."""
    declared = _DECLARED.search(body[:2000])
    text = read_text(body, sent=charset, declared=declared[1].decode() if declared else "").lstrip()
    declaration = _DECLARATION.match(text)
    return text[declaration.end() if declaration else 0 :].encode("utf-8", "replace").translate(None, _CONTROLS)


def _strictly(data: bytes, place: str) -> tuple[Any, xml.sax.SAXException | None]:
    """The parser with what it has read, and why it stopped where it did before the end."""
    strict = _Strict(place, None, "utf-8")
    _quick(strict)
    try:
        _drive(strict, data)
    except xml.sax.SAXException as fault:
        return strict, fault
    return strict, None


def _is_end(fault: xml.sax.SAXException) -> bool:
    return getattr(fault.getException(), "code", None) in _CUT


def _quick(parser: Any) -> None:
    # Both HTML options take two thirds of feedparser's time, and `clean` does what they do.
    parser.sanitize_html = False
    parser.resolve_relative_uris = False


def _drive(handler: Any, data: bytes) -> None:
    driver = _Driver()
    driver.setFeature(xml.sax.handler.feature_namespaces, True)
    driver.setFeature(xml.sax.handler.feature_external_ges, False)
    driver.setContentHandler(handler)
    driver.setErrorHandler(handler)
    source = xml.sax.xmlreader.InputSource()
    source.setByteStream(io.BytesIO(data))
    source.setEncoding("utf-8")
    driver.parse(source)


class _Driver(xml.sax.expatreader.ExpatParser):
    """Expat with limits. Text comes in whole pieces: a third of the time goes into calls for its lines otherwise."""

    def reset(self) -> None:
        super().reset()
        self._parser.buffer_text = True  # type: ignore[attr-defined]  # expat's, made by super().reset()
        self._bound: set[str] = set()
        self._depth = 0
        self._elements = 0

    def start_namespace_decl(self, prefix: str | None, uri: str) -> None:
        self._bound.add(uri)
        _limit(len(self._bound), MOST_NAMESPACES, "namespaces")
        super().start_namespace_decl(prefix, uri)

    def start_element_ns(self, name: str, attrs: Mapping[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        _limit(len(attrs), MOST_ATTRIBUTES, "attributes of one element")
        _limit(self._depth, DEEPEST, "elements inside one another")
        _limit(self._elements, MOST_ELEMENTS, "elements")
        super().start_element_ns(name, attrs)

    def end_element_ns(self, name: str) -> None:
        self._depth -= 1
        super().end_element_ns(name)


def _limit(count: int, most: int, what: str) -> None:
    if count > most:
        raise ReadError(f"no feed has that many {what}: more than {most}")


class _Mended:
    """feedparser's handlers, where they are wrong or slow."""

    # Not `id`: two that differ in their spelling are two (RFC 4287 section 4.2.6.1), and most are no address at all.
    can_be_relative_uri = StrictFeedParser.can_be_relative_uri - {"id"}

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.contentparams: dict[str, Any] = {}  # not one that looks for every key under other names as well

    def unknown_endtag(self, tag: str) -> None:
        super().unknown_endtag(tag)  # type: ignore[misc]  # of feedparser's mixin
        if self.basestack:  # type: ignore[attr-defined]  # of feedparser's mixin
            # Also an empty one, as in a document without an address.
            self.baseuri = self.basestack[-1]  # type: ignore[attr-defined]  # of feedparser's mixin

    def push_content(self, *element: Any) -> None:
        super().push_content(*element)  # type: ignore[misc]  # of feedparser's mixin
        self.contentparams = dict(self.contentparams)
        if self.contentparams["type"] in {"text/xml", "application/xml"}:  # what stands in there would be lost
            self.contentparams["type"] = "application/xhtml+xml"

    def _start_media_description(self, attrs_d: Any) -> None:
        # A field of its own: feedparser takes it for content (kurtmckee/feedparser#53).
        del attrs_d
        self.push("media_description", 1)  # type: ignore[attr-defined]  # of feedparser's mixin

    def _end_media_description(self) -> None:
        self.pop("media_description")  # type: ignore[attr-defined]  # of feedparser's mixin

    def _add_tag(self, term: Any, scheme: Any, label: Any) -> None:
        if len(self._get_context().get("tags", ())) < MOST_TAGS:  # type: ignore[attr-defined]  # of feedparser's mixin
            super()._add_tag(term, scheme, label)  # type: ignore[misc]  # of feedparser's mixin

    def _sync_author_detail(self, key: str = "author") -> None:
        context = self._get_context()  # type: ignore[attr-defined]  # of feedparser's mixin
        told = str(context.get(key) or "")
        if len(told) <= LONGEST_MAILBOX:
            super()._sync_author_detail(key)  # type: ignore[misc]  # of feedparser's mixin
        elif people := context.get(f"{key}s"):
            people[-1].setdefault("name", told)  # all authors of a paper in one element


class _Strict(_Mended, StrictFeedParser):  # type: ignore[misc]  # feedparser ships no types
    """feedparser's parser of well-formed documents."""

    @staticmethod
    def decode_entities(element: str, data: str) -> str:
        del element
        return _Value(data)


class _Value(str):
    """Text that feedparser is about to rid of C1 controls: where there are none, trying takes a sixth of its time."""

    __slots__ = ()

    def translate(self, table: Any, /) -> str:
        return super().translate(table) if _C1.search(self) else str(self)


class _Loose(_Mended, LooseFeedParser):  # type: ignore[misc]  # feedparser ships no types
    """feedparser's parser of damaged documents."""


_PREFIXES = {prefix: address for address, prefix in StrictFeedParser.namespaces.items() if prefix} | {
    "rss": "http://purl.org/rss/1.0/",
    "atom": "http://www.w3.org/2005/Atom",
}

"""RSS, Atom and RDF to items: feedparser's dictionaries go no further than this.

A pure function of the bytes, so that it can run where it may be killed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from newsletter.errors import ReadError
from newsletter.sources.dates import read_date
from newsletter.sources.decode import brief, is_html
from newsletter.sources.item import Document, Item, Text
from newsletter.sources.xmlparser import Parsed, parse

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_FEED_WITHIN = re.compile(rb"<(?:rss|feed|rdf:RDF)[\s>]")  # some sites wrap theirs into a page
_NO_TEXT = re.compile(r"(?:image|audio|video|font|model)/.*|application/(?:pdf|zip|epub|msword|vnd).*")
_DOI = ("arxiv_doi", "prism_doi", "dc_identifier")
_ADDRESS = re.compile(r"\S@\S")
# Of the relations of RFC 4287 section 4.2.7.2, after `alternate`, the likelier to be what a reader wants to open first.
_RELATIONS = ("related", "via", "enclosure", "self")
_IANA = "http://www.iana.org/assignments/relation/"


def read_xml_feed(body: bytes, *, base: str = "", content_type: str = "") -> Document:
    """The items of an RSS, Atom or RDF feed. ReadError says what was found instead."""
    if not body.strip():
        raise ReadError("the answer is empty")
    if is_html(body):
        within = _FEED_WITHIN.search(body[:8192])
        if not within:
            raise ReadError("got an HTML page, not a feed")
        body = body[within.start() :]
    feed = _parsed(body, base=base, content_type=content_type)
    if not feed.entries and feed.damage:
        raise ReadError(f"not a feed, or a damaged one: {brief(feed.damage)}")
    if not feed.entries and not feed.version:
        raise ReadError("got XML that is no RSS, Atom or RDF feed")
    editors = feed.feed if feed.version.startswith("atom") else {}
    return Document(
        title=_text(feed.feed, "title"),
        home=_link(feed.feed),
        address=next((link["href"] for link in _links(feed.feed) if link["rel"] == "self"), ""),
        items=tuple(_item(dict(entry), editors) for entry in feed.entries if entry),
    )


def _parsed(body: bytes, *, base: str, content_type: str) -> Parsed:
    charset = _CHARSET.search(content_type)
    try:
        return parse(body, base=base, charset=charset[1] if charset else "")
    except ReadError:
        raise
    except (LookupError, ValueError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        # feedparser lets through what its callbacks raise on damaged input: a fault of the bytes, not of the program.
        raise ReadError(f"not a feed, or a damaged one: {type(error).__name__} while parsing") from error


def _item(entry: Mapping[str, Any], editors: Mapping[str, Any]) -> Item:
    # A plain dictionary: feedparser's own looks under other names as well, and answers a missing `updated` with
    # `published`.
    summary = _text(entry, "summary") if "summary_detail" in entry else Text()  # else it is a copy of the content
    content = max(map(_piece, entry.get("content", ())), key=lambda body: len(body.value), default=Text())
    if not summary.value and not content.value:  # a video has no other text
        summary = Text(str(entry.get("media_description") or ""))
    return Item(
        guid=str(entry.get("id", "")).strip(),
        link=_link(entry),
        title=_text(entry, "title"),
        summary=summary,
        content=content,
        authors=tuple(_authors(entry, entry.get("source") or {}, editors)),
        tags=tuple(str(tag.get("label") or tag.get("term") or "") for tag in entry.get("tags", ())),
        image=_image(entry),
        doi=next((str(entry[name]) for name in _DOI if entry.get(name)), ""),
        published=_moment(entry, "published", "created", "prism_publicationdate"),
        updated=_moment(entry, "updated"),
        announced=str(entry.get("arxiv_announce_type", "")).strip().lower(),
    )


def _text(holder: Mapping[str, Any], name: str) -> Text:
    """A value with what is said of it, unless that is said of another: the title of an image in the item, say."""
    value = str(holder.get(name) or "")
    detail = holder.get(f"{name}_detail") or {}
    return _piece(detail) if detail.get("value") == value else Text(value)


def _piece(detail: Mapping[str, Any]) -> Text:
    kind = str(detail.get("type") or "text/html").lower()
    if _NO_TEXT.fullmatch(kind):  # a picture in base64, or what stands for one
        return Text()
    value = str(detail.get("value") or "")
    if kind.endswith("xml"):
        value = value.replace("></br>", ">")  # an end tag that XML wants; in HTML it is a second line break
    is_html = not kind.startswith("text/") or kind.endswith("html")
    return Text(value, is_html=is_html, base=detail.get("base") or "")


def _link(holder: Mapping[str, Any]) -> str:
    """Where it can be read: the first alternate page, else an identifier that is an address, else what there is."""
    links = _links(holder)
    alternates = [link for link in links if link["rel"] == "alternate"]
    pages = [link for link in alternates if "html" in link.get("type", "html")]
    if alternates:
        return str((pages or alternates)[0]["href"])
    if str(holder.get("link", ""))[:8].lower().startswith(("http://", "https://")):
        return str(holder["link"])
    return next((str(link["href"]) for name in _RELATIONS for link in links if link["rel"] == name), "")


def _links(holder: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The links that lead somewhere; each has a relation, by its short name."""
    linked = [dict(link) for link in holder.get("links", ()) if link.get("href")]
    return [link | {"rel": str(link.get("rel") or "alternate").removeprefix(_IANA)} for link in linked]


def _authors(*holders: Mapping[str, Any]) -> Iterable[str]:
    """The names of the authors: an entry's own, else those of its source, else the feed's (RFC 4287 section 4.2.1)."""
    people: Sequence[Mapping[str, Any]] = next((found for one in holders if (found := one.get("authors"))), ())
    for author in people:
        name = str(author.get("name", ""))
        if name and not _ADDRESS.search(name):  # nobody's name, and not ours to publish
            yield name


def _image(entry: Mapping[str, Any]) -> str:
    for picture in (*entry.get("media_thumbnail", ()), *entry.get("media_content", ())):
        if picture.get("medium", "image") == "image" and str(picture.get("type", "image")).startswith("image"):
            return str(picture.get("url", ""))
    enclosed = (link for link in _links(entry) if link["rel"] == "enclosure")
    pictures = (str(link["href"]) for link in enclosed if str(link.get("type", "")).startswith("image/"))
    return next(pictures, "") or str((entry.get("image") or {}).get("href", ""))


def _moment(entry: Mapping[str, Any], *names: str) -> datetime | None:
    told = (entry.get(name) for name in names)
    return next((moment for text in told if text and (moment := read_date(str(text)))), None)

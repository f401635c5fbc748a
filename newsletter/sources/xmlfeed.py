"""RSS, Atom and RDF to items: feedparser's dictionaries go no further than this.

A pure function of the bytes, so that it can run where it may be killed.
"""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from newsletter.errors import ReadError
from newsletter.sources.decode import brief, is_html
from newsletter.sources.item import Document, Item, Text
from newsletter.sources.xmlparser import Parsed, parse

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)


def read_xml_feed(body: bytes, *, base: str = "", content_type: str = "") -> Document:
    """The items of an RSS, Atom or RDF feed. ReadError says what was found instead."""
    if not body.strip():
        raise ReadError("the answer is empty")
    if is_html(body):
        raise ReadError("got an HTML page, not a feed")
    feed = _parsed(body, base=base, content_type=content_type)
    if not feed.entries and feed.damage:
        raise ReadError(f"not a feed, or a damaged one: {brief(feed.damage)}")
    if not feed.entries and not feed.version:
        raise ReadError("got XML that is no RSS, Atom or RDF feed")
    return Document(home=str(feed.feed.get("link", "")), items=tuple(_item(entry) for entry in feed.entries))


def _parsed(body: bytes, *, base: str, content_type: str) -> Parsed:
    charset = _CHARSET.search(content_type)
    try:
        return parse(body, base=base, charset=charset[1] if charset else "")
    except ReadError:
        raise
    except (LookupError, ValueError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        # feedparser lets through what its callbacks raise on damaged input: a fault of the bytes, not of the program.
        raise ReadError(f"not a feed, or a damaged one: {type(error).__name__} while parsing") from error


def _item(entry: Mapping[str, Any]) -> Item:
    summary = _text(entry.get("summary_detail"))
    bodies = [_text(content) for content in entry.get("content", ())]
    content = max(bodies, key=lambda body: len(body.value), default=Text())
    if not summary.value and not content.value:  # a video has no other text
        summary = Text(str(entry.get("media_description") or ""))
    return Item(
        guid=str(entry.get("id", "")).strip(),
        link=str(entry.get("link", "")) or _enclosure(entry, ""),
        title=_text(entry.get("title_detail")),
        summary=summary,
        content=content,
        authors=tuple(_authors(entry)),
        tags=tuple(str(tag.get("label") or tag.get("term") or "") for tag in entry.get("tags", ())),
        image=_image(entry),
        doi=str(entry.get("arxiv_doi") or entry.get("prism_doi") or entry.get("dc_identifier") or ""),
        published=_moment(entry, "published_parsed") or _moment(entry, "created_parsed"),
        updated=_moment(entry, "updated_parsed"),
        announced=str(entry.get("arxiv_announce_type", "")).strip().lower(),
    )


def _text(detail: Mapping[str, Any] | None) -> Text:
    if not detail:
        return Text()
    kind = detail.get("type") or "text/html"
    return Text(str(detail.get("value") or ""), is_html="html" in kind or "xml" in kind, base=detail.get("base") or "")


def _authors(entry: Mapping[str, Any]) -> Iterable[str]:
    for author in entry.get("authors", ()):
        name = str(author.get("name", ""))
        if name and "@" not in name:  # an address is nobody's name, and not ours to publish
            yield name


def _image(entry: Mapping[str, Any]) -> str:
    for picture in (*entry.get("media_thumbnail", ()), *entry.get("media_content", ())):
        if picture.get("medium", "image") == "image" and str(picture.get("type", "image")).startswith("image"):
            return str(picture.get("url", ""))
    return _enclosure(entry, "image/")


def _enclosure(entry: Mapping[str, Any], kind: str) -> str:
    fitting = (one for one in entry.get("enclosures", ()) if str(one.get("type", "")).startswith(kind))
    return next((str(one.get("href", "")) for one in fitting), "")


def _moment(entry: Mapping[str, Any], name: str) -> datetime | None:
    # `in` first: feedparser answers a missing `updated` with `published` and a warning.
    parts: time.struct_time | None = entry[name] if name in entry else None  # noqa: SIM401 - see above
    if parts is None:
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(parts), UTC)
    except (ValueError, OverflowError, OSError):  # a year that the calendar does not have
        return None

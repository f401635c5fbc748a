"""RSS, Atom and RDF to items, by feedparser: nothing of it passes this module's door.

A pure function of the bytes, so that it can run where it may be killed.
"""

from __future__ import annotations

import calendar
import io
import re
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import feedparser

from newsletter.errors import ReadError
from newsletter.sources.decode import brief, is_html
from newsletter.sources.item import Document, Item, Text

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)


def read_xml_feed(body: bytes, *, base: str = "", content_type: str = "") -> Document:
    """The items of an RSS, Atom or RDF feed. ReadError says what was found instead."""
    if not body.strip():
        raise ReadError("the answer is empty")
    if is_html(body):
        raise ReadError("got an HTML page, not a feed")
    feed = _parsed(body, base=base, content_type=content_type)
    damage = feed.get("bozo_exception")
    if not feed.entries and damage and not isinstance(damage, feedparser.CharacterEncodingOverride):
        raise ReadError(f"not a feed, or a damaged one: {brief(str(damage))}")
    if not feed.entries and not feed.version:
        raise ReadError("got XML that is no RSS, Atom or RDF feed")
    return Document(home=str(feed.feed.get("link", "")), items=tuple(_item(entry) for entry in feed.entries))


def _parsed(body: bytes, *, base: str, content_type: str) -> Any:
    # The type alone would have feedparser take text/xml for US-ASCII, as RFC 3023 once asked.
    charset = _CHARSET.search(content_type)
    headers = {"content-type": f"application/xml; charset={charset[1]}"} if charset else {}
    if base:
        headers["content-location"] = base
    try:
        # A stream, always: feedparser opens bytes that look like a path or an address. Both HTML options are off since
        # they take two thirds of its time, and `clean` does what they do.
        return feedparser.parse(
            io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except (LookupError, ValueError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        # feedparser lets through what its callbacks raise on damaged input: a fault of the bytes, not of the program.
        raise ReadError(f"not a feed, or a damaged one: {type(error).__name__} while parsing") from error


def _item(entry: Mapping[str, Any]) -> Item:
    summary = _text(entry.get("summary_detail"))
    bodies = [_text(content) for content in entry.get("content", ())]
    return Item(
        guid=str(entry.get("id", "")).strip(),
        link=str(entry.get("link", "")) or _enclosure(entry, ""),
        title=_text(entry.get("title_detail")),
        summary=summary,
        # media:description (a photo's caption) may stand first, see kurtmckee/feedparser#53: the article is longer.
        content=max(bodies, key=lambda body: len(body.value), default=Text()),
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
